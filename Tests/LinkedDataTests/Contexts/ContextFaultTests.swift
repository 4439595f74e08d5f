import CityModel
import LinkedData
import OrderedCollections
import Testing

struct ContextFaultTests {
    /// Clauses 5.2.3, 5.5.7.
    @Test(arguments: [
        // The value
        (#"5"#, "number"), (#"true"#, "boolean"), (#"["https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld", 7]"#, "number"),
        (#""ContextURI""#, "ContextURI"), (#"[""]"#, "absolute URL"),
        // Keywords of a context
        (#"{"@version": 1.0}"#, "@version"), (#"{"@version": "1.1"}"#, "@version"),
        (#"{"@propagate": false}"#, "@propagate"), (#"{"@protected": "yes"}"#, "@protected"),
        (#"{"@language": 5}"#, "@language"), (#"{"@direction": "up"}"#, "@direction"),
        (#"{"@base": "relative/"}"#, "@base"), (#"{"@base": 5}"#, "@base"),
        (#"{"@vocab": "two words"}"#, "@vocab"), (#"{"@vocab": 5}"#, "@vocab"), (#"{"@import": 5}"#, "@import"),
        // Keywords as terms
        (#"{"@id": "https://a.example/"}"#, "@id"), (#"{"@context": {}}"#, "@context"),
        (#"{"@type": "https://a.example/"}"#, "@type"), (#"{"@type": {"@container": "@list"}}"#, "@type"), (#"{"@type": {}}"#, "@type"),
        // Term definitions
        (#"{"": "https://a.example/"}"#, "empty"), (#"{"x": 5}"#, #""x""#), (#"{"x": []}"#, #""x""#),
        (#"{"x": {"@id": 5}}"#, "@id"), (#"{"x": {"@comment": "a"}}"#, "@comment"), (#"{"x": "@context"}"#, "@context"),
        (#"{"x": {"@id": "https://a.example/", "@type": 5}}"#, "@type"), (#"{"x": {"@type": "@set"}}"#, "@type"),
        (#"{"x": {"@container": "@bag"}}"#, "@container"), (#"{"x": {"@container": ["@list", "@set"]}}"#, "@container"),
        (#"{"x": {"@container": 5}}"#, "@container"),
        (#"{"x": {"@language": 5}}"#, "@language"), (#"{"x": {"@index": 5}}"#, "@index"), (#"{"x": {"@nest": []}}"#, "@nest"),
        (#"{"x": {"@prefix": "yes"}}"#, "@prefix"), (#"{"a:x": {"@id": "a:x", "@prefix": true}}"#, "@prefix"),
        (#"{"x": {"@id": "@type", "@prefix": true}}"#, "prefix"),
        (#"{"x": {"@protected": 1}}"#, "@protected"),
        (#"{"x": {"@reverse": "https://a.example/", "@id": "https://a.example/"}}"#, "@reverse"),
        (#"{"x": {"@id": "https://a.example/", "@nest": "@id"}}"#, "@nest"), (#"{"x": {"@id": "https://a.example/", "@index": "y"}}"#, "@index"),
        (#"{"x": {"@id": "https://a.example/", "@container": "@index", "@index": "@index"}}"#, "@index"),
        (#"{"x": {"@id": "https://a.example/", "@type": "_:b"}}"#, "@type"),
        (#"{"x": {"@id": "https://a.example/", "@type": "y", "@container": "@type"}}"#, "@type"), (#"{"x": {"@reverse": "no IRI"}}"#, "@reverse"),
        (#"[{"@type": {"@container": "@set", "@protected": true}}, {"@type": {"@protected": true}}]"#, "protected"),
        (#"{"x": {"@reverse": 5}}"#, "@reverse"), (#"{"x": {"@reverse": "https://a.example/", "@container": "@list"}}"#, "@reverse"),
        (#"{"a": "https://a.example/", "a:x": "https://other.example/x"}"#, "reads as"),
        (#"{"https://a.example/x": "https://other.example/x"}"#, "reads as"), (#"{"x/y": "https://a.example/x"}"#, "reads as"),
        // Clause 5.5.7: no scoped contexts
        (#"{"x": {"@id": "https://a.example/x", "@context": {"y": "https://a.example/y"}}}"#, "scoped"),
        (#"{"x": {"@id": "https://a.example/x", "@context": null}}"#, "scoped"),
        // Cycles
        (#"{"x": "x:y"}"#, "back to itself"), (#"{"a": "b:1", "b": "c:2", "c": "a:3"}"#, "back to itself"),
        (#"{"a": "b", "b": "a"}"#, "back to itself"), (#"{"x": {"@id": "https://a.example/", "@type": "x"}}"#, "back to itself"),
        // Protection
        (#"[{"x": {"@id": "https://a.example/", "@protected": true}}, {"x": "https://b.example/"}]"#, "protected"),
        (#"[{"@protected": true, "x": "https://a.example/"}, {"x": null}]"#, "protected"),
        (#"[{"@protected": true, "x": "https://a.example/"}, {"x": {"@id": "https://a.example/", "@type": "@id"}}]"#, "protected"),
        (#"[{"@protected": true, "x": "https://a.example/"}, null]"#, "protected"),
    ])
    func `an invalid context is refused and the fault named`(source: String, word: String) async throws {
        let error = await #expect(throws: CityError.self) { _ = try await context(source) }
        guard case .badRequestData(let detail) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(detail.contains("@context"))
        #expect(detail.contains(word), "\(detail)")
    }

    /// Clauses 4.4, 5.5.7.
    @Test(arguments: [
        #"[{"@protected": true, "x": "https://a.example/"}, {"x": "https://a.example/"}]"#,
        #"[{"@protected": true, "x": "https://a.example/"}, {"@protected": true, "x": {"@id": "https://a.example/", "@prefix": true}}]"#,
        #"[{"@protected": true, "x": {"@id": "https://a.example/", "@protected": false}}, {"x": "https://b.example/"}]"#,
        #"[{"@protected": true, "title": "https://a.example/"}, {"title": "https://b.example/"}]"#,
        #"["https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld", {"title": "https://b.example/"}, null]"#,
        #"{"@import": "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.9.jsonld", "x": "ngsi-ld:x"}"#,
    ])
    func `protection does not refuse the same definition again, nor another one of a core term`(source: String) async throws {
        _ = try await context(source)
    }

    @Test(arguments: [(64, true), (200, false), (20_000, false)])
    func `definitions may lean on each other, but not without end`(length: Int, isAccepted: Bool) async throws {
        let members = (0..<length).map { (index) -> (String, JSON) in
            ("t\(index)", .string(index == length - 1 ? "https://a.example/" : "t\(index + 1)"))
        }
        await expect(isAccepted, word: "lean on each other") {
            try await ContextResolver.finding().resolve(.object(JSONObject(uniqueKeysWithValues: members)))
        }
    }

    @Test(arguments: [(20_000, true), (20_001, false)])
    func `a context may have 20 000 terms and no more`(count: Int, isAccepted: Bool) async throws {
        let members = (0..<count).map { ("t\($0)", JSON.string("https://a.example/\($0)")) }
        await expect(isAccepted, word: "20000 terms") {
            try await ContextResolver.finding().resolve(.object(JSONObject(uniqueKeysWithValues: members)))
        }
    }

    @Test(arguments: [(40, true), (39, false)])
    func `names and IRIs have a limit in bytes`(byteCountMax: Int, isAccepted: Bool) async throws {
        let source: JSON = ["aa": "https://a.example/", "bb": "https://b.example/"]  // 2 times 2 and 18 bytes
        await expect(isAccepted, word: "39 bytes") {
            try await ContextResolver.finding(limits: ContextLimits(textByteCountMax: byteCountMax)).resolve(source)
        }
    }

    @Test(arguments: [(8, true), (9, false)])
    func `arrays may nest 8 deep`(depth: Int, isAccepted: Bool) async throws {
        let source = (0..<depth).reduce(JSON.object(["x": "https://a.example/x"])) { inner, _ in .array([inner]) }
        await expect(isAccepted, word: "deep") { try await ContextResolver.finding().resolve(source) }
    }

    private func expect(_ isAccepted: Bool, word: String, _ resolve: () async throws -> Context) async {
        do {
            _ = try await resolve()
            #expect(isAccepted)
        } catch {
            #expect(!isAccepted)
            guard case CityError.badRequestData(let detail) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(detail.contains(word), "\(detail)")
        }
    }
}
