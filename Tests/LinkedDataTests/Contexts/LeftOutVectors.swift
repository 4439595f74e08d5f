import CityModel
import OrderedCollections

/// Which of the W3C's vectors say nothing about NGSI-LD, and why.
enum LeftOutVectors {
    /// They are refused.
    static let scopedContexts = "scoped contexts, which clause 5.5.7 forbids: they are refused"

    /// Nil for a vector that runs.
    static func reason(for vector: JSONLDVector) -> String? {
        if vector.isOfVersion10 { return "rules of JSON-LD 1.0, which 1.1 changed" }
        if let reason = byName[vector.id] { return reason }
        if vector.context == nil { return "documents without a context" }
        let body = vector.input.arrayValue?.count == 1 ? vector.input.arrayValue?[0] : vector.input
        if has("@context", in: body.map(withoutContext)) { return "contexts within a document's body, which clause 5.5.7 forbids" }
        if vector.id.hasPrefix("compact"), vector.input["@context"] != nil { return "documents that have to be expanded first" }
        if let code = vector.errorCode { return contextErrors.contains(code) ? nil : "faults of a document's body, not of its context" }
        if has("@context", in: vector.context) { return scopedContexts }
        if containers(in: vector.context).contains(where: mapContainers.contains) { return "maps by language, identifier, type or graph" }
        if vector.id.hasPrefix("compact"), has("@vocab", in: vector.context) { return "names in a vocabulary of the user's" }
        let used = [vector.context, vector.input, vector.output].compactMap { $0 }
        for (keyword, reason) in unusedKeywords where used.contains(where: { mentions(keyword, $0) }) { return reason }
        return nil
    }

    static let byName: [String: String] = {
        let groups: [(String, [String])] = [
            (scopedContexts, ["expand#t0126", "expand#t0127", "expand#t0128", "expand#tc031"]),
            (
                "names that the core context defines, which wins (clause 5.5.7)",
                ["expand#t0006", "expand#t0014", "expand#tjs16", "expand#tjs20", "expand#tpr31", "compact#t0008"]
            ),
            (
                "names without a definition, which are of the default vocabulary (clause 5.5.5)",
                ["expand#ter20", "expand#ter23", "expand#t0029", "expand#t0062", "compact#t0003"]
            ),
            ("relative references as names or as a vocabulary", ["expand#t0092", "expand#t0110", "expand#t0111", "expand#t0112"]),
            ("a base that is relative to the document's address, which a request has none of", ["expand#t0089", "expand#t0090"]),
            ("blank nodes as names", ["expand#t0068"]),
            (
                "faults of a document's body, not of its context",
                ["expand#ten01", "expand#ten02", "expand#ten03", "expand#ten04", "compact#ten01", "expand#tpi05"]
            ),
            ("values that JSON-LD drops", ["expand#t0008", "expand#t0019", "expand#tjs18", "compact#tjs11"]),
            (
                "terms chosen by their values; clause 5.5.7 compacts names",
                [
                    "compact#t0006", "compact#t0015", "compact#t0017", "compact#t0024", "compact#t0027", "compact#t0048", "compact#t0061",
                    "compact#tdi03", "compact#tjs06", "compact#tjs07", "compact#tjs09", "compact#tla01",
                ]
            ),
        ]
        return Dictionary(uniqueKeysWithValues: groups.flatMap { reason, names in names.map { ($0, reason) } })
    }()

    /// What JSON-LD calls the faults that a context can have.
    private static let contextErrors: Set<String> = [
        "cyclic IRI mapping", "invalid @import value", "invalid @nest value", "invalid @prefix value",
        "invalid @propagate value", "invalid @version value", "invalid IRI mapping", "invalid base IRI", "invalid base direction",
        "invalid container mapping", "invalid context entry", "invalid context nullification", "invalid default language",
        "invalid keyword alias", "invalid language mapping", "invalid local context", "invalid remote context", "invalid reverse property",
        "invalid scoped context", "invalid term definition", "invalid type mapping", "invalid vocab mapping", "keyword redefinition",
        "loading remote context failed", "protected term redefinition", "recursive context inclusion",
    ]

    /// Shapes of documents that NGSI-LD has none of: its entities and attributes have a shape of their own.
    private static let unusedKeywords: [(String, String)] = [
        ("@graph", "graphs"), ("@included", "included nodes"), ("@nest", "nested properties"), ("@reverse", "reverse properties"),
        ("@index", "maps by index"), ("@propagate", "contexts that hold for one node alone"),
    ]

    private static let mapContainers: Set<String> = ["@graph", "@id", "@language", "@type"]

    /// What the terms of a context say of the shape of their values.
    private static func containers(in value: JSON?) -> Set<String> {
        switch value {
        case .object(let members):
            members.reduce(into: []) { found, member in
                if member.key == "@container" { found.formUnion((member.value.arrayValue ?? [member.value]).compactMap(\.stringValue)) }
                found.formUnion(containers(in: member.value))
            }
        case .array(let elements): elements.reduce(into: []) { $0.formUnion(containers(in: $1)) }
        default: []
        }
    }

    private static func withoutContext(_ document: JSON) -> JSON {
        guard case .object(var members) = document else { return document }
        members["@context"] = nil
        return .object(members)
    }

    /// Whether a member of this name stands anywhere within.
    private static func has(_ name: String, in value: JSON?) -> Bool {
        switch value {
        case .object(let members): members[name] != nil || members.values.contains { has(name, in: $0) }
        case .array(let elements): elements.contains { has(name, in: $0) }
        default: false
        }
    }

    /// Whether the word stands anywhere within, as a name or as a value.
    private static func mentions(_ word: String, _ value: JSON) -> Bool {
        switch value {
        case .object(let members): members.contains { $0.key == word || mentions(word, $0.value) }
        case .array(let elements): elements.contains { mentions(word, $0) }
        case .string(let text): text == word
        default: false
        }
    }
}
