public import CityModel

/// A processed JSON-LD `@context`: the user's context or contexts with the NGSI-LD core context after them, ready to
/// expand names to IRIs and to compact IRIs to names. Immutable and cheap to copy: all tables are shared.
///
/// The core comes last and wins (ETSI GS CIM 009 clauses 4.4 and 5.5.7): a core term always has its core meaning, and a
/// name that no context defines belongs to the core's `@vocab`, also when the user's context sets another one. A user's
/// `@vocab` counts for the terms which that context defines.
public struct Context: Sendable {
    /// Identity for caches: equal keys mean equal contexts, for the lifetime of the process.
    public let key: String
    /// What a response conveys as its `@context`: the user's context, then the core context's URL.
    public let source: JSON

    private let tables: ContextTables

    init(key: String, source: JSON, tables: ContextTables) {
        self.key = key
        self.source = source
        self.tables = tables
    }

    /// The core context alone.
    public static let core = Context(key: "core", source: .string(CoreContext.url), tables: ContextTables(userTerms: [:], base: nil))

    /// What the tables take in memory, roughly: enough to bound a cache.
    package var approximateByteCount: Int { tables.approximateByteCount }

    /// The IRI that `name` stands for in the place of a type or attribute name: a term, a compact IRI, an absolute IRI, or
    /// else a name in the default vocabulary. Nil for a keyword or its alias, for a term that a context took the meaning
    /// from, and where the result is no IRI (a name with a space).
    public func expand(_ name: String) -> IRI? { tables.iris[name] ?? tables.expandWithoutTerm(name) }

    /// The shortest right way to write `iri` in the place of a type or attribute name: a core term, else the shortest
    /// other term, else a name in the default vocabulary, else a compact IRI, else the IRI itself.
    ///
    /// `expand` gives the IRI back, with one exception that JSON-LD cannot avoid either: an absolute IRI that no other form
    /// fits, whose scheme (`urn`) or whole text a user's context took for something else.
    public func compact(_ iri: IRI) -> String { tables.names[iri] ?? tables.compactUnnamed(iri) }

    /// The IRI that `text` stands for as the value of an identifier: a compact IRI, an absolute IRI, or a reference relative
    /// to the user's `@base`. Nil where it is none of these.
    public func expandIdentifier(_ text: String) -> String? { tables.expandIdentifier(text) }

    /// The JSON-LD keyword that `name` is or is an alias of: `@id` for `id` and `@id`. Nil for all other names.
    public func keyword(_ name: String) -> String? {
        if case .keyword(let keyword) = tables.others[name] { return keyword }
        return JSONLDKeyword.all.contains(name) ? name : nil
    }
}
