/// What data may be asked for: a declared list, the narrower below the broader. Identifiers are those of the W3C Data Privacy
/// Vocabulary (https://w3id.org/dpv, version 2.1) or a municipality's own, in their short form such as `dpv:PublicBenefit`.
package struct Purposes: Hashable, Sendable {
    package struct Purpose: Hashable, Sendable {
        /// The short form: a prefix that the list declares, a colon and a name.
        package let id: String
        package let title: String
        package let description: String?
        /// Those that include this one, one step up.
        package let broader: [String]
    }

    /// In the order of the list.
    package let all: [Purpose]
    /// Of each purpose itself and all that include it.
    private let lineage: [String: Set<String>]
    /// What each prefix stands for.
    let prefixes: [String: String]

    package static let empty = Purposes(known: [], lineage: [:], prefixes: [:])

    /// - Parameter lineage: of each purpose itself and all that include it.
    init(known all: [Purpose], lineage: [String: Set<String>], prefixes: [String: String]) {
        (self.all, self.lineage, self.prefixes) = (all, lineage, prefixes)
    }

    package var ids: [String] { all.map(\.id) }
    package subscript(id: String) -> Purpose? { all.first { $0.id == id } }
    package func contains(_ id: String) -> Bool { lineage[id] != nil }

    /// The short form of what a request names, by its short form or by its IRI; nil for what the list does not have.
    package func id(naming text: String) -> String? {
        if contains(text) { return text }
        for (prefix, iri) in prefixes where text.hasPrefix(iri) {
            let id = prefix + ":" + text.dropFirst(iri.count)
            if contains(id) { return id }
        }
        return nil
    }

    /// The whole identifier of a purpose, from its short form.
    package func iri(of id: String) -> String {
        guard let colon = id.firstIndex(of: ":"), let prefix = prefixes[String(id[..<colon])] else { return id }
        return prefix + id[id.index(after: colon)...]
    }

    /// The purpose itself and all that include it; empty for one that the list does not have.
    package func lineage(of id: String) -> Set<String> { lineage[id] ?? [] }
}
