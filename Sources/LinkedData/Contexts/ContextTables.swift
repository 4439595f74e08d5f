internal import CityModel

/// What a term stands for.
enum TermMeaning: Hashable, Sendable {
    case iri(IRI)
    /// An alias of this JSON-LD keyword.
    case keyword(String)
    /// The term is defined to mean nothing, or something that cannot name an attribute: a reverse property, a blank node.
    case nothing
}

/// The lookup tables behind a `Context`, computed once. Terms are found with one hash of the name and one of the IRI.
final class ContextTables: Sendable {
    let iris: [String: IRI]
    /// Terms that stand for a keyword or for nothing.
    let others: [String: TermMeaning]
    /// The term for an IRI: the core's where it has one, else the shortest, else the first in Unicode order.
    let names: [IRI: String]
    /// Terms that may stand before a colon, with the text that replaces them.
    private let prefixes: [Substring: String]
    /// The reverse of the shorter `prefixes`, and the distinct lengths of its keys in UTF-8 bytes.
    private let prefixNames: [Substring: String]
    private let prefixByteCounts: [Int]
    private let base: String?
    /// Texts, and 200 bytes for the places of each term in the tables.
    let approximateByteCount: Int

    private static let vocabulary = IRI.defaultContextNamespace

    /// Compaction tries each distinct length of a prefix once. Longer ones only expand, so that a hostile context with
    /// prefixes of 2000 lengths cannot make each long IRI of an answer cost 2000 hashes of its text.
    private static let compactedPrefixByteCountMax = 256

    /// - Parameters:
    ///   - userTerms: what the user's contexts define; core terms in it are ignored.
    ///   - base: the user's `@base`, absolute.
    init(userTerms: [String: TermDefinition], base: String?) {
        let terms = userTerms.merging(CoreContext.terms) { _, core in core }
        iris = terms.compactMapValues(\.iri)
        others = terms.filter { $0.value.iri == nil }.mapValues(\.meaning)
        names = ContextTables.names(of: terms)
        let prefixed = terms.compactMap { name, definition in definition.prefix.map { (name: name, text: $0) } }
        prefixes = Dictionary(prefixed.map { (Substring($0.name), $0.text) }, uniquingKeysWith: { first, _ in first })
        let compacted = prefixed.filter { $0.text.utf8.count <= ContextTables.compactedPrefixByteCountMax }
        prefixNames = Dictionary(compacted.map { (Substring($0.text), $0.name) }, uniquingKeysWith: ContextTables.better)
        prefixByteCounts = Set(prefixNames.keys.map(\.utf8.count)).sorted()
        self.base = base
        approximateByteCount = terms.reduce(0) { $0 + 200 + $1.key.utf8.count + ($1.value.iri?.text.utf8.count ?? 0) }
    }

    /// A name that no term gives an IRI.
    func expandWithoutTerm(_ name: String) -> IRI? {
        if others[name] != nil { return nil }
        if name.isPlainName { return IRI(known: ContextTables.vocabulary + name) }
        // Neither what later versions of JSON-LD may reserve nor a blank node is a name.
        if name.isEmpty || JSONLDKeyword.hasForm(name) || name.utf8.starts(with: "_:".utf8) { return nil }
        if let text = expandPrefixed(name) { return IRI(text) }
        return IRI(name) ?? (name.isBareScheme ? nil : IRI(ContextTables.vocabulary + name))
    }

    func expandIdentifier(_ text: String) -> String? {
        if JSONLDKeyword.hasForm(text) { return nil }
        if let expanded = expandPrefixed(text) { return IRI(expanded)?.text }
        if let iri = IRI(text) { return iri.text }
        return base.flatMap { URLReference.resolve(text, against: $0) }.flatMap(IRI.init)?.text
    }

    /// An IRI that has no term.
    func compactUnnamed(_ iri: IRI) -> String {
        if let suffix = iri.text.dropping(prefix: ContextTables.vocabulary), !isTerm(suffix),
            suffix.isPlainName || expandWithoutTerm(suffix) == iri
        {
            return suffix
        }
        return compactPrefixed(iri) ?? iri.text
    }

    private func isTerm(_ name: String) -> Bool { iris[name] != nil || others[name] != nil }

    /// The replacement of a compact IRI's prefix; nil if `text` has no prefix that is defined.
    private func expandPrefixed(_ text: String) -> String? {
        guard let (prefix, suffix) = text.splitAtColon(), !suffix.utf8.starts(with: "//".utf8),
            let replacement = prefixes[prefix]
        else { return nil }
        return replacement + suffix
    }

    private func compactPrefixed(_ iri: IRI) -> String? {
        let utf8 = iri.text.utf8
        var best: String?
        for byteCount in prefixByteCounts where byteCount < utf8.count {
            let end = utf8.index(utf8.startIndex, offsetBy: byteCount)
            guard let name = prefixNames[iri.text[..<end]] else { continue }
            let candidate = "\(name):\(iri.text[end...])"
            guard !isTerm(candidate), expandWithoutTerm(candidate) == iri else { continue }
            best = best.map { ContextTables.better($0, candidate) } ?? candidate
        }
        return best
    }

    private static func names(of terms: [String: TermDefinition]) -> [IRI: String] {
        var names: [IRI: String] = [:]
        for (name, definition) in terms {
            guard let iri = definition.iri else { continue }
            guard let rival = names[iri] else {
                names[iri] = name
                continue
            }
            let isCore = CoreContext.terms[name] != nil, rivalIsCore = CoreContext.terms[rival] != nil
            names[iri] = isCore == rivalIsCore ? better(name, rival) : isCore ? name : rival
        }
        return names
    }

    /// JSON-LD's order of preference: shorter, then first (JSON-LD 1.1 API, inverse context creation).
    private static func better(_ left: String, _ right: String) -> String {
        (left.unicodeScalars.count, left) <= (right.unicodeScalars.count, right) ? left : right
    }
}

/// The reserved words of JSON-LD 1.1.
enum JSONLDKeyword {
    static let all: Set<String> = [
        "@base", "@container", "@context", "@direction", "@graph", "@id", "@import", "@included", "@index", "@json",
        "@language", "@list", "@nest", "@none", "@prefix", "@propagate", "@protected", "@reverse", "@set", "@type", "@value",
        "@version", "@vocab",
    ]

    /// An at sign and letters: what later versions of JSON-LD may reserve, so that it is never a term.
    static func hasForm(_ text: String) -> Bool {
        let utf8 = text.utf8
        guard utf8.first == UInt8(ascii: "@"), utf8.count > 1 else { return false }
        return utf8.dropFirst().allSatisfy { (65...90).contains($0) || (97...122).contains($0) }
    }
}

extension String {
    /// What stands before and after the first colon; nil without a colon or with nothing before it.
    func splitAtColon() -> (prefix: Substring, suffix: Substring)? {
        guard let colon = utf8.firstIndex(of: UInt8(ascii: ":")), colon > startIndex else { return nil }
        return (self[..<colon], self[utf8.index(after: colon)...])
    }

    /// A short name of ASCII letters, digits, hyphens and underscores: what most names are. In the vocabulary it gives an
    /// IRI without a closer look, and it is neither keyword nor compact IRI.
    var isPlainName: Bool {
        (1...256).contains(utf8.count)
            && utf8.allSatisfy { (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 95 || $0 == 45 }
    }

    /// A scheme and its colon with nothing after it: JSON-LD takes it for an absolute IRI, so that it is no plain name.
    var isBareScheme: Bool { utf8.last == UInt8(ascii: ":") && IRI(self + "x") != nil }

    /// The rest after `prefix`, byte for byte; nil if the text does not begin with it or nothing is left.
    func dropping(prefix: String) -> String? {
        guard utf8.count > prefix.utf8.count, beginsWithCodePoints(of: prefix) else { return nil }
        return String(self[utf8.index(startIndex, offsetBy: prefix.utf8.count)...])
    }
}
