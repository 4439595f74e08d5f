internal import Broker
internal import Cases
internal import CityModel
internal import OrderedCollections
internal import Store

/// A place that is called as somebody wrote.
struct FoundPlace: Hashable, Sendable {
    let label: String
    let position: Mark.Position
}

/// Places by what people call them: the name of a thing, an address, or a street.
struct PlacesFound: Sendable {
    /// The one that is meant beyond doubt.
    var only: FoundPlace?
    /// Those to choose from.
    var all: [FoundPlace] = []
}

extension SiteDoor {
    private static let foundCountMax = 20
    /// Entities that are looked at: of a long street there are many parts.
    private static let addressedCountMax = 100

    /// - Parameter text: cleaned.
    func places(called text: String, in index: Int, _ catalogue: Catalogue, at now: Instant) async throws -> PlacesFound {
        let wanted = Words.folded(text)
        let selection = MarkSelection(municipalities: [index], entries: nil, box: nil, nameContains: wanted)
        let marks = Self.first(Self.foundCountMax, of: try await city.marks(selection, catalogue, at: now).marks.filter { $0.mark.position != nil }, wanted)
        func place(_ found: FoundMark) -> FoundPlace? { found.mark.position.map { FoundPlace(label: found.mark.name ?? "", position: $0) } }
        let exact = marks.filter { $0.mark.foldedName == wanted }
        if exact.count == 1, let only = exact.first.flatMap(place) { return PlacesFound(only: only) }
        let addresses = try await addresses(text, catalogue.municipalities[index], at: now)
        if let only = addresses.only { return PlacesFound(only: only) }
        let named = marks.compactMap(place)
        guard addresses.all.isEmpty else { return PlacesFound(all: Array(OrderedSet(addresses.all + named).prefix(Self.foundCountMax))) }
        return named.count == 1 ? PlacesFound(only: named.first) : PlacesFound(all: named)
    }

    /// Addresses and streets with all the words; where there is none, with those of the street alone.
    private func addresses(_ text: String, _ municipality: Catalogue.Municipality, at now: Instant) async throws -> PlacesFound {
        let question = AddressQuestion(text)
        for (number, words) in question.attempts.enumerated() {
            let found = try await broker.addressed(words, limit: Self.addressedCountMax, municipality.access, at: now)
            let addresses = found.compactMap { AddressedPlace($0.entity, words) }
            guard !addresses.isEmpty else { continue }
            var byLabel: OrderedDictionary<String, AddressedPlace> = [:]
            // Streets first, then by label; of a street that lies there in parts one stands for all.
            for place in addresses.sorted(by: { ($0.isStreet ? 0 : 1, $0.words, $0.id) < ($1.isStreet ? 0 : 1, $1.words, $1.id) }) where byLabel[place.words] == nil {
                byLabel[place.words] = place
            }
            let all = byLabel.values.map { FoundPlace(label: $0.label, position: $0.position) }
            // One house is meant beyond doubt where all that its address says of street and number was written; of a street it has to be said where.
            let isHouse = number == 0 && question.hasNumber && all.count == 1 && byLabel.values[0].isAsked
            return isHouse ? PlacesFound(only: all[0]) : PlacesFound(all: Array(all.prefix(Self.foundCountMax)))
        }
        return PlacesFound()
    }
}

/// An address as somebody writes it, as words to look for: first all, then without the city, then without the number of the house.
struct AddressQuestion: Equatable {
    let attempts: [[String]]
    let hasNumber: Bool

    /// What stands behind the number of a house.
    private static let suffixes: Set<String> = ["bis", "ter", "quater", "a", "b", "c", "d"]

    init(_ text: String) {
        let whole = AddressWords.split(text)
        let parts = text.split(whereSeparator: { $0 == "," || $0 == ";" || $0 == "\n" || $0 == "،" }).map { AddressWords.split(String($0)) }
        // In some countries the number has a part of its own: `12, rue X` and `Calle X, 12`.
        let street = parts.first { $0.contains(where: Self.isWord) } ?? whole
        let beside = parts.flatMap { $0 }.contains(where: Self.isNumber) ? parts.filter { $0 != street && !$0.contains(where: Self.isWord) }.flatMap { $0 } : []
        let bare = Self.withoutNumber(street)
        hasNumber = whole.contains(where: Self.isNumber)
        var attempts: [[String]] = []
        for words in [whole, street + beside, street, bare] where words.contains(where: Self.isWord) && !attempts.contains(words) { attempts.append(words) }
        self.attempts = attempts
    }

    /// Whether it says more than a number does.
    private static func isWord(_ word: String) -> Bool { !isNumber(word) && !suffixes.contains(word) }
    private static func isNumber(_ word: String) -> Bool { word.unicodeScalars.first?.properties.numericType != nil }

    /// Without the number that it begins or ends with: `rue du 8 mai 1945` is left as it is where that is found.
    private static func withoutNumber(_ words: [String]) -> [String] {
        var words = words[...]
        if words.first.map(isNumber) == true {
            words = words.dropFirst()
            if words.first.map(suffixes.contains) == true { words = words.dropFirst() }
        } else {
            if words.last.map(suffixes.contains) == true { words = words.dropLast() }
            if words.last.map(isNumber) == true { words = words.dropLast() }
        }
        return Array(words)
    }
}

/// An entity as its address or the name of its street calls it.
private struct AddressedPlace {
    let id: String
    let label: String
    /// The label for comparing.
    let words: String
    let position: Mark.Position
    let isStreet: Bool
    /// Whether nothing of its street and number was left out by whoever asks.
    let isAsked: Bool

    /// Nil for what has no place.
    init?(_ entity: Entity, _ words: [String]) {
        guard let location = entity.instance(of: .location)?.value, let position = Self.position(location) else { return nil }
        let value = entity.attributes.keys.first { $0.lastWord == "address" }.flatMap { entity.instance(of: $0)?.value }
        let address = value.flatMap(Self.text)
        let isAtAddress = address.map { Set(words).isSubset(of: AddressWords.split($0)) } ?? false
        guard let label = isAtAddress ? address : Mark.name(of: entity) ?? address else { return nil }
        isAsked = isAtAddress && Set(AddressWords.split(value.flatMap(Self.street) ?? "")).isSubset(of: words)
        (id, self.label, self.words, self.position, isStreet) = (entity.id.text, label, AddressWords.split(label).joined(separator: " "), position, !isAtAddress)
    }

    private static func text(_ address: JSON) -> String? {
        let text = [street(address) ?? "", address["addressLocality"]?.stringValue ?? ""].filter { !$0.isEmpty }.joined(separator: ", ")
        return text.isEmpty ? nil : text
    }

    /// Street and number.
    private static func street(_ address: JSON) -> String? {
        if let text = address.stringValue { return text }
        func member(_ name: String) -> String? { address[name].flatMap { $0.stringValue ?? $0.integerValue.map { String($0) } } }
        return [member("streetAddress"), member("streetNr")].compactMap { $0 }.joined(separator: " ")
    }

    /// Of a line the corner in its middle, which lies on it.
    private static func position(_ location: JSON) -> Mark.Position? {
        guard location["type"]?.stringValue == "LineString", let corners = location["coordinates"]?.arrayValue, corners.count > 2 else { return Mark.position(of: location) }
        return Mark.position(of: ["type": "Point", "coordinates": corners[corners.count / 2]])
    }
}
