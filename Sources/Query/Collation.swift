public import CityModel
internal import Foundation

/// How texts are put in order (clause 4.23.1).
///
/// `root` follows the main levels of the Unicode root collation without its tables: first letters without accents and
/// case (punctuation before digits before letters, scripts in code point order), then accents, then case, lower first.
/// Of the settings of RFC 6067 these are honoured: `ks` (strength), `kn` (numbers by value) and `co-phonebk` (German
/// phone book); other language tags order like the root.
public struct Collation: Hashable, Sendable {
    public enum Strength: Int, Hashable, Sendable, Comparable {
        case letters = 1, accents, cases, identical

        public static func < (left: Strength, right: Strength) -> Bool { left.rawValue < right.rawValue }
    }

    /// False: Unicode scalars decide, as in a database index without collation.
    let isLinguistic: Bool
    let strength: Strength
    let isNumeric: Bool
    let isPhoneBook: Bool

    private init(isLinguistic: Bool, strength: Strength = .cases, isNumeric: Bool = false, isPhoneBook: Bool = false) {
        self.isLinguistic = isLinguistic
        self.strength = strength
        self.isNumeric = isNumeric
        self.isPhoneBook = isPhoneBook
    }

    public static let codePoint = Collation(isLinguistic: false)
    public static let root = Collation(isLinguistic: true)

    /// Parses a language tag with `-u-` settings, such as `und-u-ks-level1` or `de-u-co-phonebk`.
    /// - Throws: `badRequestData` that names `collation`.
    public init(parsing tag: String) throws(CityError) {
        let invalid = CityError.badRequestData("collation: \(tag.prefix(80)) is not a language tag with settings of RFC 6067")
        var subtags = tag.lowercased().split(separator: "-", omittingEmptySubsequences: false)[...]
        guard tag.utf8.count <= 100, let language = subtags.popFirst(), (2...8).contains(language.utf8.count),
            language.utf8.allSatisfy({ (97...122).contains($0) }),
            subtags.allSatisfy({ (1...8).contains($0.utf8.count) && $0.utf8.allSatisfy(Self.isAlphanumeric) })
        else { throw invalid }
        let extensions = subtags.drop { $0.utf8.count > 1 }
        guard extensions.isEmpty || (extensions.first == "u" && extensions.count > 1) else { throw invalid }
        let settings = try Self.settings(extensions.dropFirst(), invalid: invalid)
        isLinguistic = true
        isNumeric = settings["kn"].map { $0.isEmpty || $0 == "true" } ?? false
        isPhoneBook = language == "de" && settings["co"] == "phonebk"
        switch settings["ks"] {
        case nil, "level3", "level4": strength = .cases
        case "level1": strength = .letters
        case "level2": strength = .accents
        case "identic": strength = .identical
        default: throw invalid
        }
    }

    /// Key (two characters) and value of each setting; several values of one key are joined.
    private static func settings(_ subtags: ArraySlice<Substring>, invalid: CityError) throws(CityError) -> [String: String] {
        var settings: [String: String] = [:]
        var key: String?
        for subtag in subtags {
            guard subtag.utf8.count > 1 else { throw invalid }
            if subtag.utf8.count == 2 {
                key = String(subtag)
                settings[String(subtag)] = ""
            } else if let key {
                settings[key] = settings[key].map { $0.isEmpty ? String(subtag) : "\($0)-\(subtag)" }
            }
        }
        return settings
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (97...122).contains(byte) }

    /// Numbers whose lexicographic order is the order of the texts.
    func key(for text: String) -> [UInt32] {
        guard isLinguistic else { return text.unicodeScalars.map(\.value) }
        var letters: [UInt32] = [], accents: [UInt32] = [], cases: [UInt32] = []
        let isASCII = text.utf8.allSatisfy { $0 < 0x80 }
        var scalars = Array((isASCII ? text : text.decomposedStringWithCanonicalMapping).unicodeScalars)[...]
        while let scalar = scalars.popFirst() {
            if scalar.value >= 0x80, scalar.properties.generalCategory == .nonspacingMark {
                accents.append(scalar.value)
                let isUmlaut = scalar.value == 0x308 && letters.last.map(Self.umlautBases.contains) ?? false
                if isPhoneBook, isUmlaut { letters.append(Self.weight("e")) }
                continue
            }
            accents.append(1)  // a letter without accent comes before the same letter with one
            if isNumeric, let digits = Self.number(startingWith: scalar, rest: &scalars) {
                letters += digits
                continue
            }
            if scalar.value < 0x80 {
                let isUpper = (65...90).contains(scalar.value)
                letters.append(Self.weight(isUpper ? Unicode.Scalar(UInt8(scalar.value) + 32) : scalar))
                cases.append(isUpper ? 1 : 0)
                continue
            }
            for base in Self.expansion(of: scalar) { letters.append(Self.weight(base)) }
            cases.append(scalar.properties.isUppercase ? 1 : 0)
        }
        // 0 separates the levels; no weight is 0.
        var key = letters
        if strength >= .accents { key += [0] + accents }
        if strength >= .cases { key += [0] + cases }
        if strength >= .identical { key += [0] + text.unicodeScalars.map(\.value) }
        return key
    }

    private static let umlautBases = Set("aou".unicodeScalars.map(weight))

    /// The lower-case letters that a scalar sorts as; most are one.
    private static func expansion(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        switch scalar {
        case "ß", "ẞ": ["s", "s"]
        case "æ", "Æ": ["a", "e"]
        case "œ", "Œ": ["o", "e"]
        case "ø", "Ø": ["o"]
        case "đ", "Đ", "ð", "Ð": ["d"]
        case "ł", "Ł": ["l"]
        case "þ", "Þ": ["t", "h"]
        case "ı": ["i"]
        default: Array(scalar.properties.lowercaseMapping.unicodeScalars)
        }
    }

    /// Spaces, punctuation and symbols come before digits, digits before letters.
    private static func weight(_ scalar: Unicode.Scalar) -> UInt32 {
        if scalar.isLetter { return scalar.value + 0x40_0000 }
        if scalar.value < 0x80 { return scalar.value + ((48...57).contains(scalar.value) ? 0x20_0000 : 1) }
        switch scalar.properties.generalCategory {
        case .decimalNumber, .letterNumber, .otherNumber: return scalar.value + 0x20_0000
        default: return scalar.value + 1
        }
    }

    /// A run of ASCII digits as its length and its digits without leading zeros; nil when no digit begins it.
    private static func number(startingWith first: Unicode.Scalar, rest: inout ArraySlice<Unicode.Scalar>) -> [UInt32]? {
        func isDigit(_ scalar: Unicode.Scalar) -> Bool { (48...57).contains(scalar.value) }
        guard isDigit(first) else { return nil }
        var digits = [first]
        while let next = rest.first, isDigit(next) {
            digits.append(next)
            rest.removeFirst()
        }
        let significant = digits.drop { $0 == "0" }
        return [0x20_0000 + UInt32(significant.count)] + significant.map { 0x20_0000 + $0.value }
    }
}
