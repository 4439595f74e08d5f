/// Text with fields in braces: `urn:ngsi-ld:Streetlight:montpellier:{id}`. A field may be followed by filters:
/// `{name|lower|slug}`. `{{` and `}}` stand for the braces themselves.
public struct Template: Hashable, Sendable {
    public enum Filter: Hashable, Sendable {
        case lower, upper
        /// Letters `a-z`, digits and single hyphens; accents dropped.
        case slug
        /// Not escaped: the field holds a whole IRI or an escaped part of one.
        case raw
        /// `or=text`: stands in for a field that is missing.
        case fallback(String)

        init?(_ text: Substring) {
            switch text {
            case "lower": self = .lower
            case "upper": self = .upper
            case "slug": self = .slug
            case "raw": self = .raw
            case _ where text.hasPrefix("or="): self = .fallback(String(text.dropFirst(3)))
            default: return nil
            }
        }
    }

    public enum Part: Hashable, Sendable {
        case literal(String)
        case field(FieldName, [Filter])
    }

    public let parts: [Part]
    public let text: String

    /// Why a text is not a template.
    public struct Invalid: Error, Hashable, Sendable {
        public let reason: String
    }

    public init(_ text: String) throws(Invalid) {
        var parts: [Part] = []
        var literal = ""
        var rest = Substring(text)
        while let character = rest.popFirst() {
            if character == rest.first, character == "{" || character == "}" {
                rest.removeFirst()
                literal.append(character)
            } else if character == "{" {
                guard let end = rest.firstIndex(of: "}") else { throw Invalid(reason: "a brace is not closed") }
                if !literal.isEmpty { parts.append(.literal(literal)) }
                literal = ""
                parts.append(try Self.field(rest[..<end]))
                rest = rest[rest.index(after: end)...]
            } else if character == "}" {
                throw Invalid(reason: "a brace is closed that was not opened")
            } else {
                literal.append(character)
            }
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        guard !parts.isEmpty else { throw Invalid(reason: "a template is not empty") }
        self.parts = parts
        self.text = text
    }

    public var fields: [FieldName] {
        parts.compactMap { if case .field(let name, _) = $0 { name } else { nil } }
    }

    private static func field(_ text: Substring) throws(Invalid) -> Part {
        let pieces = text.split(separator: "|", omittingEmptySubsequences: false)
        guard let name = pieces.first, !name.isEmpty else { throw Invalid(reason: "braces hold the name of a field") }
        var filters: [Filter] = []
        for piece in pieces.dropFirst() {
            guard let filter = Filter(piece) else {
                throw Invalid(reason: "\(piece) is not a filter; there are lower, upper, slug, raw and or=text")
            }
            filters.append(filter)
        }
        return .field(FieldName(String(name)), filters)
    }
}
