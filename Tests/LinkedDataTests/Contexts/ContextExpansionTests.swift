import CityModel
import LinkedData
import Testing

private let defaults = "https://uri.etsi.org/ngsi-ld/default-context/"

struct ContextExpansionTests {
    /// Clauses 4.4, 5.5.7.
    @Test(arguments: [
        // Names without a definition
        (#"{}"#, "speed", defaults + "speed"),
        (#"{}"#, "https://a.example/x", "https://a.example/x"),
        (#"{}"#, "urn:a:b", "urn:a:b"),
        (#"{}"#, "ngsi-ld:speed", "https://uri.etsi.org/ngsi-ld/speed"),
        (#"{}"#, "open311:type", "open311:type"),
        (#"{}"#, "é", defaults + "é"),
        (#"{}"#, ":x", defaults + ":x"),
        (#"{}"#, "1a:b", defaults + "1a:b"),
        // A term's own name goes by what stands before its colon, though that is no prefix elsewhere
        (#"{"a": {"@id": "https://a.example/", "@type": "@id"}, "a:x": {"@container": "@set"}}"#, "a:x", "https://a.example/x"),
        (#"{"a": {"@id": "https://a.example/", "@type": "@id"}}"#, "a:x", "a:x"),
        // Simple and expanded definitions
        (#"{"speed": "https://a.example/v#speed"}"#, "speed", "https://a.example/v#speed"),
        (#"{"speed": {"@id": "https://a.example/v#speed", "@type": "@id"}}"#, "speed", "https://a.example/v#speed"),
        (#"{"speed": {"@type": "@id"}}"#, "speed", defaults + "speed"),
        (#"{"speed": "velocity"}"#, "speed", defaults + "velocity"),
        (#"{"speed": "speed"}"#, "speed", defaults + "speed"),
        // Prefixes, before and after their use
        (#"{"a": "https://a.example/", "speed": "a:v"}"#, "speed", "https://a.example/v"),
        (#"{"speed": "a:v", "a": "https://a.example/"}"#, "speed", "https://a.example/v"),
        (#"{"a": "https://a.example/"}"#, "a:speed", "https://a.example/speed"),
        (#"{"a": "https://a.example/"}"#, "a://speed", "a://speed"),
        (#"{"a": "https://a.example/v"}"#, "a:speed", "a:speed"),
        (#"{"a": "urn:"}"#, "a:b:c", "urn:b:c"),
        (#"{"a": "https://a.example/"}"#, "a:", "https://a.example/"),
        (#"{"a": {"@id": "https://a.example/"}}"#, "a:speed", "a:speed"),
        (#"{"a": {"@id": "https://a.example/v", "@prefix": true}}"#, "a:speed", "https://a.example/vspeed"),
        (#"{"a": {"@id": "https://a.example/", "@prefix": false}}"#, "a:speed", "a:speed"),
        (#"{"a": "https://a.example/", "b": "a:b#", "c": "b:c"}"#, "c", "https://a.example/b#c"),
        (#"{"a": "https://a.example/", "a:b": {"@type": "@id"}}"#, "a:b", "https://a.example/b"),
        (#"{"a:b": "https://a.example/other"}"#, "a:b", "https://a.example/other"),
        // One term in terms of another
        (#"{"speed": "velocity", "velocity": "https://a.example/v"}"#, "speed", "https://a.example/v"),
        // Vocabularies: a user's counts inside its own context, the core's for all other names
        (#"{"@vocab": "https://a.example/", "speed": {"@type": "@id"}}"#, "speed", "https://a.example/speed"),
        (#"{"@vocab": "https://a.example/"}"#, "speed", defaults + "speed"),
        (#"[{"@vocab": "https://a.example/"}, {"@vocab": "b/", "speed": {"@type": "@id"}}]"#, "speed", "https://a.example/b/speed"),
        (#"[{"@vocab": "https://a.example/"}, {"@vocab": null, "speed": {"@type": "@id"}}]"#, "speed", defaults + "speed"),
        // The core wins, wherever it stands
        (#"{"location": "https://a.example/location"}"#, "location", "https://uri.etsi.org/ngsi-ld/location"),
        (#"{"value": null}"#, "value", "https://uri.etsi.org/ngsi-ld/hasValue"),
        (#"{"ngsi-ld": "https://a.example/"}"#, "ngsi-ld:x", "https://uri.etsi.org/ngsi-ld/x"),
        (#"{"@protected": true, "title": "https://a.example/title"}"#, "title", "http://purl.org/dc/terms/title"),
        // A core context in front lends its prefixes; without it an unknown prefix is a scheme
        (#"["https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.3.jsonld", {"x": "ngsi-ld:x"}]"#, "x", "https://uri.etsi.org/ngsi-ld/x"),
        (#"{"x": "ngsi-ld:x"}"#, "x", "ngsi-ld:x"),
        // Order and null
        (#"[{"x": "https://a.example/x"}, {"x": "https://b.example/x"}]"#, "x", "https://b.example/x"),
        (#"[{"x": "https://a.example/x"}, null]"#, "x", defaults + "x"),
        (#"[[{"x": "https://a.example/x"}], []]"#, "x", "https://a.example/x"),
        // What is read and has no effect on names
        (#"{"@version": 1.1, "@language": "fr", "@direction": "ltr", "@propagate": true, "x": "https://a.example/x"}"#, "x", "https://a.example/x"),
        (#"{"x": {"@id": "https://a.example/x", "@container": ["@set", "@index"], "@index": "a", "@language": null}}"#, "x", "https://a.example/x"),
        (#"{"@type": {"@container": "@set"}, "@ignored": 5, "x": "https://a.example/x"}"#, "x", "https://a.example/x"),
    ])
    func `a name expands by the user's context and the core`(source: String, name: String, iri: String) async throws {
        #expect(try await context(source).expand(name)?.text == iri)
    }

    /// Clause 5.5.7.
    @Test(arguments: [
        (#"{}"#, ""), (#"{}"#, "two words"), (#"{}"#, "a<b"), (#"{}"#, "@id"), (#"{}"#, "_:b0"), (#"{}"#, "urn:"),
        (#"{"x": null}"#, "x"),
        (#"{"x": {"@id": null}}"#, "x"),
        (#"[{"x": "https://a.example/x"}, {"x": null}]"#, "x"),
        (#"{"x": {"@reverse": "https://a.example/x"}}"#, "x"),
        (#"{"x": "_:b0"}"#, "x"),
        (#"{"x": "https://a.example/with space"}"#, "x"),
        (#"{"identifier": "@id"}"#, "identifier"),
        (#"{"identifier": "@id", "again": "identifier"}"#, "again"),
    ])
    func `some names have no IRI`(source: String, name: String) async throws {
        #expect(try await context(source).expand(name) == nil)
    }

    @Test func `an alias of a keyword is known as one`() async throws {
        let context = try await context(#"{"identifier": "@id", "kind": "@type", "x": "https://a.example/x"}"#)
        #expect(context.keyword("identifier") == "@id")
        #expect(context.keyword("kind") == "@type")
        #expect(context.keyword("x") == nil)
    }

    /// Clause 5.5.7.
    @Test(arguments: [
        (#"{}"#, "urn:ngsi-ld:Vehicle:1", "urn:ngsi-ld:Vehicle:1"),
        (#"{"a": "https://a.example/"}"#, "a:1", "https://a.example/1"),
        (#"{"speed": "https://a.example/speed"}"#, "speed", nil),
        (#"{"@base": "https://a.example/things/"}"#, "1", "https://a.example/things/1"),
        (#"{"@base": "https://a.example/things/"}"#, "../2", "https://a.example/2"),
        (#"[{"@base": "https://a.example/"}, {"@base": "b/"}]"#, "1", "https://a.example/b/1"),
        (#"[{"@base": "https://a.example/"}, {"@base": null}]"#, "1", nil),
        (#"{}"#, "1", nil), (#"{}"#, "", nil), (#"{}"#, "@id", nil), (#"{}"#, "urn:a b", nil),
    ])
    func `an identifier expands without the vocabulary`(source: String, text: String, expected: String?) async throws {
        #expect(try await context(source).expandIdentifier(text) == expected)
    }
}
