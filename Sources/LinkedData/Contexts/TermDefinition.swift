internal import CityModel
internal import OrderedCollections

/// A term of an active context, as JSON-LD 1.1 API section 4.1 describes it. Two definitions are the same when all but
/// their protection is equal.
struct TermDefinition: Sendable {
    var meaning: TermMeaning
    /// What takes the place of the term and the colon after it in a compact IRI; nil if the term is no prefix. A scheme
    /// with its colon (`urn:`) will do, though it is no IRI.
    var prefix: String?
    var isProtected = false
    var coercion = TermCoercion()

    var iri: IRI? { if case .iri(let iri) = meaning { iri } else { nil } }

    func isSame(as other: TermDefinition) -> Bool {
        meaning == other.meaning && prefix == other.prefix && coercion == other.coercion
    }
}

/// What a term says about its values. NGSI-LD fixes the shape of values itself, so this is checked, kept to recognize a
/// redefinition of a protected term, and has no effect on names.
struct TermCoercion: Hashable, Sendable {
    var type: String?
    var containers: Set<String> = []
    /// `@language`, `@direction`, `@index`, `@nest` and `@reverse` as they were written.
    var others: JSONObject = [:]
}
