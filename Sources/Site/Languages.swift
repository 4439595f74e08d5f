internal import CityModel
internal import OrderedCollections

/// The words of one language file, with numbers as that language writes them.
struct Language: Sendable {
    let code: String
    let name: String
    let locale: String
    let direction: Direction
    let plurals: PluralRule
    private let file: JSON
    private let decimal: String
    private let group: String
    private let minus: String

    enum Direction: String { case leftToRight = "ltr", rightToLeft = "rtl" }

    init?(_ file: JSON) {
        guard let about = file["language"], let code = about["code"]?.stringValue, let name = about["name"]?.stringValue,
            let locale = about["locale"]?.stringValue, let decimal = about["decimal"]?.stringValue,
            let group = about["group"]?.stringValue, let minus = about["minus"]?.stringValue,
            let direction = about["direction"]?.stringValue.flatMap(Direction.init), let plurals = PluralRule(rawValue: code)
        else { return nil }
        (self.code, self.name, self.locale, self.direction, self.plurals) = (code, name, locale, direction, plurals)
        (self.file, self.decimal, self.group, self.minus) = (file, decimal, group, minus)
    }

    /// For the template key `language`.
    var about: JSON { file["language"] ?? .null }
    var page: JSON { file["page"] ?? .null }
    /// For the scripts' `strings`.
    var script: JSON { file["script"] ?? .null }
    /// Labels of the values that are words of the data model.
    var values: JSONObject { file["values"]?.objectValue ?? [:] }

    /// A text by its path, such as `table.showing`, with its slots filled; the path itself when the file has no such text.
    /// - Parameter count: fills the slot `{n}`, and chooses the form of a text that has one for each plural category.
    func text(_ path: String, count: Int? = nil, _ values: [String: String] = [:]) -> String {
        var node = page
        for part in path.split(separator: ".") { node = node[String(part)] ?? .null }
        if let count, let form = node[plurals.category(of: count).rawValue] { node = form }
        var text = node.stringValue ?? path
        if let count { text = text.replacing("{n}", with: isolated(self.count(count))) }
        for (name, value) in values { text = text.replacing("{\(name)}", with: isolated(value)) }
        return text
    }

    /// What a text is filled with, kept from changing the order of the words around it: in a language that is written from right to
    /// left, between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE (Unicode Standard Annex 9, section 2.4).
    private func isolated(_ value: String) -> String { direction == .rightToLeft && !value.isEmpty ? "\u{2068}\(value)\u{2069}" : value }

    func scriptText(_ name: String) -> String { script[name]?.stringValue ?? name }
    func list(_ texts: some Sequence<String>) -> String { texts.joined(separator: scriptText("comma")) }

    /// The name of a type of entity in the words of people.
    func type(_ shortName: String) -> String { file["types"]?[shortName]?.stringValue ?? Words.split(shortName) }
    /// What an entity is called: its name or, without one, what it is with the last part of its identifier.
    func name(_ own: String?, id: String, type: String) -> String {
        own ?? "\(file["things"]?[type]?.stringValue ?? Words.split(type)) \(IRI(known: id).shortName)"
    }
    /// The name of an attribute. One that means something else for one type stands in the file with the type before it: `OffStreetParking.occupancy`.
    func attribute(_ shortName: String, of type: String) -> String {
        let names = file["attributes"]
        return (names?["\(type).\(shortName)"] ?? names?[shortName])?.stringValue ?? Words.split(shortName)
    }
    /// A word of the data model as people say it. One that means something else as a value of one attribute stands in the
    /// file with the attribute before it: `severity.low`.
    func value(_ value: String, of attribute: String) -> String {
        (values["\(attribute).\(value)"] ?? values[value])?.stringValue ?? (Words.areJoined(value) ? Words.split(value) : value)
    }
}

extension Language {
    func count(_ number: Int) -> String { grouped(String(number.magnitude), isNegative: number < 0) }

    /// A measured number with as many decimals as its size deserves, as the scripts write it: 4.25, 21.3, 1013, 12 500.
    func number(_ value: Double) -> String {
        guard value.isFinite else { return "" }
        let size = value.magnitude
        let digits = size >= 100 ? 0 : size >= 10 ? 1 : 2
        let scale = digits == 0 ? 1.0 : digits == 1 ? 10 : 100
        guard size < 1e15 else { return value.description }
        let scaled = Int64((size * scale).rounded(.toNearestOrAwayFromZero))
        let whole = String(scaled / Int64(scale))
        var fraction = String(scaled % Int64(scale))
        while fraction.count < digits { fraction = "0" + fraction }
        while fraction.last == "0" { fraction.removeLast() }
        let isZero = scaled == 0
        return grouped(whole, isNegative: value < 0 && !isZero) + (digits == 0 || fraction.isEmpty ? "" : decimal + fraction)
    }

    /// In threes from five digits on, so that years and house numbers stay whole.
    private func grouped(_ digits: String, isNegative: Bool) -> String {
        var text = ""
        for (index, digit) in digits.enumerated() {
            if digits.count > 4, index > 0, (digits.count - index) % 3 == 0 { text += group }
            text.append(digit)
        }
        return isNegative ? minus + text : text
    }
}

/// All languages of the pages. A new one is one more file in `Resources/text`.
struct Languages: Sendable {
    let all: [Language]
    /// The one for readers of none of them: English.
    let fallback: Language
    private let units: JSON

    /// From the files of the program.
    static let standard: Languages = {
        let files = SiteFiles.paths.filter { $0.hasPrefix("text/") && $0.hasSuffix(".json") && $0 != "text/units.json" }
        let all = files.compactMap { SiteFiles.text($0).flatMap { try? JSON(parsing: $0) }.flatMap(Language.init) }
        let units = SiteFiles.text("text/units.json").flatMap { try? JSON(parsing: $0) } ?? .null
        guard let fallback = all.first(where: { $0.code == "en" }) ?? all.first else {
            preconditionFailure("text/en.json is not a language file")
        }
        return Languages(all: all, fallback: fallback, units: units)
    }()

    subscript(code: String) -> Language? { all.first { $0.code == code } }

    /// What an attribute with this UN/CEFACT code is shown in; a code that is not known is shown itself.
    func unit(_ code: String?, of attribute: String) -> ShownUnit {
        ShownUnit(symbol: code.map { units[$0]?.stringValue ?? $0 }, of: attribute)
    }

    /// The language that an `Accept-Language` header prefers among ours (RFC 9110, section 12.5.4; of a tag its first part
    /// counts).
    func best(_ header: String?) -> Language {
        guard let header else { return fallback }
        var best: (language: Language, quality: Double)?
        for part in header.prefix(500).split(separator: ",").prefix(20) {
            let words = part.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
            guard let tag = words.first?.split(separator: "-").first, let language = tag == "*" ? fallback : self[String(tag)] else { continue }
            let quality = words.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            guard quality > 0, quality > best?.quality ?? 0 else { continue }
            best = (language, quality)
        }
        return best?.language ?? fallback
    }
}
