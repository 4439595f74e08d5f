public import CityModel
internal import OrderedCollections

/// The NGSI-LD core contexts 1.3 to 1.9 (ETSI GS CIM 009, annex B), known without a network. Version 1.9 is the one that
/// names are processed with; the others are documents for those who ask for them.
public enum CoreContext {
    /// The version that this program implements.
    public static let url = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.9.jsonld"
    /// Stands for the newest version 1.x.
    public static let latestURL = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld"

    /// Whether `url` is the address of a core context that is known here, in its https or its http spelling.
    public static func isKnown(_ url: String) -> Bool { minorVersions[url] != nil }

    /// The document at the address of a core context: an object with the one member `@context`. Nil for other addresses.
    public static func document(for url: String) -> JSON? { minorVersions[url].flatMap { documents[$0] } }

    /// The terms of version 1.9.
    static let terms: [String: TermDefinition] = {
        var builder = ContextBuilder(limits: ContextLimits(), leniently: ["ngsildproof"])
        let members = documents[newestMinorVersion]?["@context"]?.objectValue ?? [:]
        // The tables are constants of this program; a test reads every term back, so a failure cannot go unseen.
        try? builder.add(members, from: url)
        return builder.terms
    }()

    package static let termNames: Set<String> = Set(terms.keys)

    private static let newestMinorVersion = 9

    private static let minorVersions: [String: Int] = {
        var versions: [String: Int] = [:]
        for scheme in ["https", "http"] {
            let stem = "\(scheme)://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context"
            versions["\(stem).jsonld"] = newestMinorVersion
            for edition in CoreContextEdition.all { versions["\(stem)-v1.\(edition.minorVersion).jsonld"] = edition.minorVersion }
        }
        return versions
    }()

    private static let documents: [Int: JSON] = {
        var documents: [Int: JSON] = [:]
        var terms: [String: JSON] = [:]
        for edition in CoreContextEdition.all {
            for name in edition.removed { terms[name] = nil }
            terms.merge(edition.defined) { _, new in new }
            documents[edition.minorVersion] = document(terms: terms, minorVersion: edition.minorVersion)
        }
        return documents
    }()

    private static func document(terms: [String: JSON], minorVersion: Int) -> JSON {
        var members: JSONObject = [:]
        if minorVersion >= 8 {
            members["@version"] = 1.1
            members["@protected"] = true
        }
        members["ngsi-ld"] = .string(IRI.ngsildNamespace)
        members["geojson"] = "https://purl.org/geojson/vocab#"
        members["id"] = "@id"
        members["type"] = "@type"
        for (name, definition) in terms.sorted(by: { $0.key < $1.key }) { members[name] = definition }
        members["@vocab"] = .string(IRI.defaultContextNamespace)
        return ["@context": .object(members)]
    }
}
