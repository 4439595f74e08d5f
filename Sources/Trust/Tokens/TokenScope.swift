package import CityModel
internal import OrderedCollections
internal import Policy

/// What a token is good for: a right, and what it is held to beside what the rules say.
package struct TokenScope: Hashable, Sendable {
    package var right: Right
    /// Whether it is the key of a device: it writes what its bounds name, and sees nothing.
    package var isDevice = false
    /// Expanded names of the types of entities; nil for all.
    package var types: Set<IRI>?
    /// What fed the entities; nil for everything. A device may feed these sources.
    package var sources: Set<String>?
    /// In their short form: it is good for requests that state one of these, or what one of these includes; nil for all.
    package var purposes: Set<String>?
    /// How the identifiers of the entities begin that a device may write.
    package var identifierPrefix: String?

    package init(right: Right) { self.right = right }

    var bounds: RequesterBounds { RequesterBounds(types: types, sources: sources) }

    /// Nil for what is no token. Bounds that can't be read let nothing through.
    init?(_ document: JSON) {
        guard let right = document["right"]?.stringValue.flatMap(Right.init(name:)) else { return nil }
        func texts(_ member: String) -> Set<String>? { document[member].map { Set(($0.arrayValue ?? []).compactMap(\.stringValue)) } }
        self.right = right
        isDevice = document["role"]?.stringValue == Role.device.rawValue
        types = texts("types").map { Set($0.compactMap { IRI($0) }) }
        (sources, purposes) = (texts("sources"), texts("purposes"))
        identifierPrefix = document["entityIdPrefix"].map { $0.stringValue ?? "" }
    }

    var json: JSONObject {
        func array(_ texts: some Sequence<String>) -> JSON { .array(texts.sorted().map(JSON.string)) }
        var members: JSONObject = ["right": .string(right.name)]
        if isDevice { members["role"] = .string(Role.device.rawValue) }
        if let types { members["types"] = array(types.map(\.text)) }
        if let sources { members["sources"] = array(sources) }
        if let purposes { members["purposes"] = array(purposes) }
        if let identifierPrefix { members["entityIdPrefix"] = .string(identifierPrefix) }
        return members
    }
}

/// What somebody asks for who wants a token.
package struct TokenOrder: Hashable, Sendable {
    package var name: String
    package var scope: TokenScope
    /// Nil: without an end.
    package var expiresAt: Instant?

    package init(name: String, scope: TokenScope, expiresAt: Instant?) { (self.name, self.scope, self.expiresAt) = (name, scope, expiresAt) }

    /// Days after which a token ends where nobody says when.
    package static let (dayCount, ownDayCount) = (365, 90)
    /// Days after which one ends at the latest that has an end, and that people make for themselves.
    package static let (dayCountMax, ownDayCountMax) = (3650, 365)
    /// Of one account, and of one municipality.
    static let (ownCountMax, countMax) = (50, 10_000)

    package static func end(after dayCount: Int, at now: Instant) -> Instant { now.adding(seconds: Double(dayCount) * 86_400) }

    /// - Parameter isOwn: whether somebody makes it for himself.
    /// - Throws: `badRequestData` that names the member at fault.
    func check(_ purposes: Purposes, isOwn: Bool, at now: Instant) throws(CityError) {
        guard (1...200).contains(name.count), !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw .badRequestData("name: 1 to 200 characters that say what the token is for")
        }
        let dayCountMax = isOwn ? Self.ownDayCountMax : Self.dayCountMax
        if let expiresAt {
            guard expiresAt > now else { throw .badRequestData("expiresAt: \(expiresAt) has passed") }
            guard expiresAt <= Self.end(after: dayCountMax, at: now).adding(seconds: 60) else {
                throw .badRequestData("expiresAt: at most \(dayCountMax) days from now")
            }
        } else if isOwn { throw .badRequestData("expiresAt: a token of one's own has an end") }
        for (member, texts) in [("types", scope.types.map { Set($0.map(\.text)) }), ("sources", scope.sources), ("purposes", scope.purposes)] {
            guard let texts else { continue }
            guard (1...100).contains(texts.count), texts.allSatisfy({ (1...500).contains($0.utf8.count) }) else {
                throw .badRequestData("\(member): a list of 1 to 100 names, or none for all")
            }
        }
        if let unknown = scope.purposes?.sorted().first(where: { purposes.lineage(of: $0).isEmpty }) {
            throw .badRequestData("purposes: \(unknown) is not a declared purpose such as dpv:ServiceProvision")
        }
        guard scope.isDevice else {
            guard scope.identifierPrefix == nil else { throw .badRequestData("entityIdPrefix: only keys of devices are held to identifiers") }
            return
        }
        guard !isOwn, scope.right == .write else { throw .badRequestData("role: the key of a device writes, and is the municipality's") }
        guard scope.types != nil || scope.sources != nil else { throw .badRequestData("types: the key of a device names the types that it writes, or the sources that it feeds") }
        if let prefix = scope.identifierPrefix, !(1...500).contains(prefix.utf8.count) {
            throw .badRequestData("entityIdPrefix: 1 to 500 bytes with which the identifiers of its entities begin")
        }
    }
}
