import CityModel
import OrderedCollections
import Testing

import LinkedData

struct CoreContextTests {
    private static let stem = "://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context"

    /// Clause 4.4.
    @Test(.enabled(if: SharedData.hasCoreContexts), arguments: 3...9, ["https", "http"])
    func `a core document is known without a network and equals the published one`(version: Int, scheme: String) throws {
        let published = try SharedData.json("ngsi-ld-core-contexts/ngsi-ld-core-context-v1.\(version).jsonld")
        let known = try #require(CoreContext.document(for: "\(scheme)\(Self.stem)-v1.\(version).jsonld"))
        #expect(known.objectValue?.keys.elements == ["@context"])
        let publishedMembers = try #require(published["@context"]?.objectValue)
        let members = try #require(known["@context"]?.objectValue)
        #expect(Set(members.keys) == Set(publishedMembers.keys))
        for (name, definition) in publishedMembers {
            #expect(members[name].map(Self.sorted) == Self.sorted(definition), "\(name)")
        }
    }

    @Test(arguments: [CoreContext.latestURL, "http\(stem).jsonld", "http\(stem)-v1.9.jsonld"])
    func `the address without a version stands for version 1.9`(url: String) {
        #expect(CoreContext.document(for: url) == CoreContext.document(for: CoreContext.url))
        #expect(CoreContext.isKnown(url))
    }

    @Test(arguments: ["https\(stem)-v1.2.jsonld", "https\(stem)-v1.10.jsonld", "https\(stem)-non-existing.jsonld", "https\(stem)", ""])
    func `other addresses are not known`(url: String) {
        #expect(CoreContext.document(for: url) == nil)
        #expect(!CoreContext.isKnown(url))
    }

    /// Clauses 4.4, 5.5.7.
    @Test(arguments: [
        ("location", "https://uri.etsi.org/ngsi-ld/location"),
        ("value", "https://uri.etsi.org/ngsi-ld/hasValue"),
        ("Point", "https://purl.org/geojson/vocab#Point"),
        ("coordinates", "https://purl.org/geojson/vocab#coordinates"),
        ("title", "http://purl.org/dc/terms/title"),
        ("langString", "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"),
        ("json", "https://uri.etsi.org/ngsi-ld/hasJSON"),
        ("ngsildproof", "https://uri.etsi.org/ngsi-ld/ngsildproof"),
    ])
    func `core terms expand and compact`(term: String, iri: String) {
        #expect(Context.core.expand(term)?.text == iri)
        #expect(Context.core.compact(IRI(known: iri)) == term)
    }

    @Test func `every term of version 1.9 can be read back`() throws {
        let members = try #require(CoreContext.document(for: CoreContext.url)?["@context"]?.objectValue)
        let terms = members.keys.filter { !$0.hasPrefix("@") }
        #expect(terms.count == 209)
        #expect(Set(terms) == CoreContext.termNames)
        for term in terms where !["id", "type"].contains(term) {
            let iri = try #require(Context.core.expand(term), "\(term)")
            #expect(Context.core.compact(iri) == term)
        }
    }

    @Test func `id and type are keywords and no names`() {
        #expect(Context.core.keyword("id") == "@id")
        #expect(Context.core.keyword("type") == "@type")
        #expect(Context.core.keyword("@id") == "@id")
        #expect(Context.core.keyword("location") == nil)
        #expect(Context.core.keyword("@other") == nil)
        for name in ["id", "type", "@id", "@type", "@other"] { #expect(Context.core.expand(name) == nil) }
    }

    /// The same value with the members of all objects in alphabetical order.
    private static func sorted(_ value: JSON) -> JSON {
        switch value {
        case .array(let elements): return .array(elements.map(sorted))
        case .object(var members):
            members.sort { $0.key < $1.key }
            return .object(members.mapValues(sorted))
        default: return value
        }
    }
}
