/// An absolute IRI: identifies an entity, or names a type or an attribute after JSON-LD expansion.
public struct IRI: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let text: String

    /// The longest text that is accepted, in UTF-8 bytes.
    public static let byteCountMax = 2048

    /// Nil unless `text` is a scheme, a colon and something after it, free of spaces, controls, the characters that
    /// RFC 3987 excludes (`<`, `>`, `"`, `{`, `}`, `|`, `\`, `^`, a backtick), and those that nobody can see: an identifier
    /// that looks like another is a trap.
    public init?(_ text: String) {
        let utf8 = text.utf8
        guard utf8.count <= IRI.byteCountMax, let first = utf8.first, IRI.isLetter(first) else { return nil }
        var schemeEnded = false
        var hasBody = false
        var allBits: UInt8 = 0
        for byte in utf8 {
            if IRI.isExcluded(byte) { return nil }
            allBits |= byte
            if schemeEnded {
                hasBody = true
            } else if byte == UInt8(ascii: ":") {
                schemeEnded = true
            } else if !(IRI.isLetter(byte) || (48...57).contains(byte) || [43, 45, 46].contains(byte)) {
                return nil
            }
        }
        guard schemeEnded, hasBody else { return nil }
        if allBits >= 0x80, text.unicodeScalars.contains(where: IRI.isInvisible) { return nil }
        self.text = text
    }

    /// An IRI that is known to be one: a constant of this program, or text this program has checked before.
    public init(known text: String) { self.text = text }

    public var description: String { text }

    /// What stands after the last `/`, `#` or `:`, those at the end left aside; the whole text where there is none.
    public var lastWord: Substring {
        func isMark(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "/") || byte == UInt8(ascii: "#") || byte == UInt8(ascii: ":") }
        let utf8 = text.utf8
        guard let last = utf8.lastIndex(where: { !isMark($0) }) else { return text[...] }
        let start = utf8[...last].lastIndex(where: isMark).map(utf8.index(after:)) ?? utf8.startIndex
        return text[start...last]
    }

    public static func == (left: IRI, right: IRI) -> Bool { left.text.hasSameCodePoints(as: right.text) }
    public func hash(into hasher: inout Hasher) { hasher.combine(text.digest) }
    public static func < (left: IRI, right: IRI) -> Bool { left.text < right.text }

    /// Controls, space and `<` `>` `"` `{` `}` `|` `\` `^` `` ` ``.
    private static func isExcluded(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, 0x7F, 0x22, 0x3C, 0x3E, 0x5C, 0x5E, 0x60, 0x7B, 0x7C, 0x7D: true
        default: false
        }
    }

    /// Beyond ASCII: controls, spaces, separators, directional marks, fillers, variation selectors and noncharacters.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value >= 0x80 else { return false }
        let properties = scalar.properties
        if properties.isDefaultIgnorableCodePoint || properties.isNoncharacterCodePoint || scalar == "\u{2800}" { return true }
        return switch properties.generalCategory {
        case .control, .format, .spaceSeparator, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }
}

extension IRI {
    /// The vocabulary of the NGSI-LD core (ETSI GS CIM 009, annex B).
    public static let ngsildNamespace = "https://uri.etsi.org/ngsi-ld/"
    /// Where a term that no context defines ends up (clause 5.2.2 of JSON-LD 1.1 with the core context's `@vocab`).
    public static let defaultContextNamespace = "https://uri.etsi.org/ngsi-ld/default-context/"

    /// The attribute that places an entity on the map when a query names no other (`location`).
    public static let location = IRI(known: "https://uri.etsi.org/ngsi-ld/location")
    public static let observationSpace = IRI(known: "https://uri.etsi.org/ngsi-ld/observationSpace")
    public static let operationSpace = IRI(known: "https://uri.etsi.org/ngsi-ld/operationSpace")
}
