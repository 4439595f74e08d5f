import CityModel
import LinkedData
import OrderedCollections
import RandomEntities
import Testing

private let defaults = "https://uri.etsi.org/ngsi-ld/default-context/"

struct ContextCompactionTests {
    /// Clause 5.5.7.
    @Test(arguments: [
        (#"{}"#, defaults + "speed", "speed"),
        (#"{}"#, "https://a.example/x", "https://a.example/x"),
        (#"{}"#, "https://uri.etsi.org/ngsi-ld/unknown", "ngsi-ld:unknown"),
        (#"{}"#, defaults + "id", "ngsi-ld:default-context/id"),
        (#"{}"#, defaults + "location", "ngsi-ld:default-context/location"),
        (#"{}"#, defaults + "urn:x", "ngsi-ld:default-context/urn:x"),
        (#"{}"#, defaults, "ngsi-ld:default-context/"),
        (#"{"speed": "https://a.example/v#speed"}"#, "https://a.example/v#speed", "speed"),
        (#"{"speed": "https://a.example/v#speed"}"#, defaults + "speed", "ngsi-ld:default-context/speed"),
        (#"{"speed": null}"#, defaults + "speed", "ngsi-ld:default-context/speed"),
        (#"{"speed": {"@id": "https://a.example/speed", "@type": "https://a.example/T"}}"#, "https://a.example/speed", "speed"),
        // The shortest term, then the first; a core term before all others
        (#"{"velocity": "https://a.example/v", "speed": "https://a.example/v"}"#, "https://a.example/v", "speed"),
        (#"{"b": "https://a.example/v", "a": "https://a.example/v"}"#, "https://a.example/v", "a"),
        (#"{"loc": "https://uri.etsi.org/ngsi-ld/location"}"#, "https://uri.etsi.org/ngsi-ld/location", "location"),
        // Prefixes
        (#"{"a": "https://a.example/"}"#, "https://a.example/v", "a:v"),
        (#"{"a": "https://a.example/", "ab": "https://a.example/b/"}"#, "https://a.example/b/c", "ab:c"),
        (#"{"a": "https://a.example/"}"#, "https://a.example/", "a"),
        (#"{"a": "https://a.example/"}"#, "https://a.example///x", "https://a.example///x"),
        (#"{"a": {"@id": "https://a.example/"}}"#, "https://a.example/v", "https://a.example/v"),
        (#"{"a": "https://a.example/", "a:v": "https://a.example/v"}"#, "https://a.example/v", "a:v"),
        (#"{"a": "https://a.example/", "n": {"@id": null}}"#, "https://a.example/n", "a:n"),
    ])
    func `an IRI compacts to its best name`(source: String, iri: String, name: String) async throws {
        let context = try await context(source)
        #expect(context.compact(try #require(IRI(iri))) == name)
        #expect(context.expand(name)?.text == iri)
    }

    @Test(arguments: [(256, true), (257, false)])
    func `a prefix of 256 bytes is used to compact, a longer one only to expand`(byteCount: Int, isUsed: Bool) async throws {
        let prefix = "urn:" + String(repeating: "a", count: byteCount - 5) + ":"
        let context = try await ContextResolver.finding().resolve(["p": .string(prefix)])
        #expect(context.expand("p:x")?.text == prefix + "x")
        #expect(context.compact(IRI(known: prefix + "x")) == (isUsed ? "p:x" : prefix + "x"))
    }

    /// Clause 5.5.7.
    @Test(arguments: UInt64(0)..<150)
    func `expansion gives back what compaction made, in any context`(seed: UInt64) async throws {
        var random = SplitMix(state: seed)
        let source = RandomContext.make(using: &random)
        let context = try await ContextResolver.finding().resolve(source)
        for _ in 0..<60 {
            let iri = RandomContext.iri(using: &random)
            let name = context.compact(iri)
            #expect(context.expand(name) == iri, "seed \(seed): \(iri) compacts to \(name) in \(source)")
        }
        // What a name stands for is written in a way that stands for the same.
        for name in RandomContext.names {
            guard let iri = context.expand(name) else { continue }
            #expect(context.expand(context.compact(iri)) == iri, "seed \(seed): \(name) in \(source)")
        }
    }
}

/// Contexts out of few names and few IRIs, so that terms, prefixes and vocabularies meet.
private enum RandomContext {
    static let names = ["a", "b", "ab", "a-b", "speed", "location", "title", "id", "ngsi-ld", "x", "x/y"]
    private static let stems = [
        "https://a.example/", "https://a.example/b", "https://a.example/b#", "https://é.example/", "urn:a:", IRI.ngsildNamespace,
        IRI.defaultContextNamespace, "https://purl.org/geojson/vocab#",
    ]

    static func make(using random: inout SplitMix) -> JSON {
        let contexts = (0...Int.random(in: 0..<3, using: &random)).map { _ in object(using: &random) }
        return .array(contexts)
    }

    static func iri(using random: inout SplitMix) -> IRI {
        let suffix = ["", "a", "b", "b/a", "b#x", "speed", "location", "a:b", "//x"].randomElement(using: &random) ?? ""
        return IRI(known: (stems.randomElement(using: &random) ?? "urn:a:") + suffix)
    }

    private static func object(using random: inout SplitMix) -> JSON {
        var members: [(String, JSON)] = []
        for name in names where !name.contains("/") && Int.random(in: 0..<3, using: &random) == 0 {
            members.append((name, definition(using: &random)))
        }
        if Int.random(in: 0..<4, using: &random) == 0 { members.append(("@vocab", "https://a.example/")) }
        return .object(JSONObject(uniqueKeysWithValues: members))
    }

    private static func definition(using random: inout SplitMix) -> JSON {
        let text = iri(using: &random).text
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return .null
        case 1: return ["@id": .string(text), "@prefix": true]
        case 2: return ["@id": .string(text), "@type": "@id"]
        case 3: return ["@type": "@vocab"]
        default: return .string(text)
        }
    }
}
