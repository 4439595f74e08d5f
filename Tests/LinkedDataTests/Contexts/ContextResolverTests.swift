import CityModel
import LinkedData
import OrderedCollections
import Testing

private let core = CoreContext.url

struct ContextResolverTests {
    /// Clauses 4.4, 5.5.5.
    @Test(arguments: [
        nil, JSON.null, .string(core), .string(CoreContext.latestURL), .array([]), .array([.string(core)]),
        .array([.string("http://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.3.jsonld"), .string(core)]),
    ])
    func `no context and core contexts alone are the core context`(value: JSON?) async throws {
        let context = try await ContextResolver.finding().resolve(value)
        #expect(context.key == Context.core.key)
        #expect(context.source == .string(core))
    }

    /// Clause 4.4.
    @Test(arguments: [
        (#"{"x": "https://a.example/x"}"#, #"[{"x": "https://a.example/x"}, "CORE"]"#),
        (#""https://a.example/c.jsonld""#, #"["https://a.example/c.jsonld", "CORE"]"#),
        (#"["https://a.example/c.jsonld"]"#, #"["https://a.example/c.jsonld", "CORE"]"#),
        (#"["https://a.example/c.jsonld", "http://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld"]"#, #"["https://a.example/c.jsonld", "CORE"]"#),
        (#"["https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld", "https://a.example/c.jsonld"]"#, #"["https://a.example/c.jsonld", "CORE"]"#),
    ])
    func `a response conveys the user's context and the core last`(source: String, expected: String) async throws {
        let context = try await context(source, documents: ["https://a.example/c.jsonld": ["@context": [:]]])
        #expect(context.source == (try JSON(parsing: expected.replacing("CORE", with: core))))
    }

    /// Clauses 4.4, 5.5.7.
    @Test func `remote contexts take effect in their order`() async throws {
        let context = try await context(
            #"["https://a.example/1", {"y": "https://inline.example/y"}, "https://a.example/2"]"#,
            documents: [
                "https://a.example/1": ["@context": ["x": "https://one.example/x", "y": "https://one.example/y", "p": "https://p.example/"]],
                "https://a.example/2": ["@context": ["x": "https://two.example/x", "z": "p:z"], "other": "is not read"],
            ])
        #expect(context.expand("x")?.text == "https://two.example/x")
        #expect(context.expand("y")?.text == "https://inline.example/y")
        #expect(context.expand("z")?.text == "https://p.example/z")
    }

    @Test(arguments: [
        ("b.jsonld", "https://a.example/c/b.jsonld"), ("../b.jsonld", "https://a.example/b.jsonld"),
        ("/d/b", "https://a.example/d/b"), ("//b.example/b", "https://b.example/b"), ("https://b.example/b", "https://b.example/b"),
    ])
    func `a reference in a document is relative to the document`(reference: String, url: String) async throws {
        let context = try await context(
            #""https://a.example/c/a.jsonld""#,
            documents: [
                "https://a.example/c/a.jsonld": ["@context": [.string(reference), ["y": "https://y.example/"]]],
                url: ["@context": ["x": "https://x.example/"]],
            ])
        #expect(context.expand("x")?.text == "https://x.example/")
        #expect(context.expand("y")?.text == "https://y.example/")
    }

    @Test func `an imported context lies below the one that imports it`() async throws {
        let context = try await context(
            #"{"@import": "https://a.example/1", "y": "https://own.example/y", "z": "p:z"}"#,
            documents: [
                "https://a.example/1": ["@context": ["x": "y", "y": "https://one.example/y", "p": "https://p.example/"]]
            ])
        #expect(context.expand("x")?.text == "https://own.example/y")
        #expect(context.expand("y")?.text == "https://own.example/y")
        #expect(context.expand("z")?.text == "https://p.example/z")
    }

    @Test func `a base in a remote document is not read`() async throws {
        let context = try await context(
            #""https://a.example/1""#, documents: ["https://a.example/1": ["@context": ["@base": "https://b.example/"]]])
        #expect(context.expandIdentifier("x") == nil)
    }

    /// Clause 5.5.6.
    @Test(arguments: [
        // Documents that lead back to themselves
        ["https://a.example/": #"{"@context": "https://a.example/"}"#],
        ["https://a.example/": #"{"@context": ["b"]}"#, "https://a.example/b": #"{"@context": [{}, "./"]}"#],
        ["https://a.example/": #"{"@context": {"@import": "https://a.example/"}}"#],
        // Imports that are no single object, or import again
        ["https://a.example/": #"{"@context": {"@import": "b"}}"#, "https://a.example/b": #"{"@context": [{}]}"#],
        ["https://a.example/": #"{"@context": {"@import": "b"}}"#, "https://a.example/b": #"{"@context": {"@import": "https://c.example/"}}"#],
        // Documents that are no contexts
        ["https://a.example/": #"{"note": "no context"}"#],
        ["https://a.example/": #"[]"#], ["https://a.example/": #""text""#], ["https://a.example/": #"{"@context": 5}"#],
        ["https://a.example/": #"{"@context": {"x": 5}}"#],
    ])
    func `an invalid document is bad request data that names it`(documents: [String: String]) async throws {
        let parsed = try documents.mapValues { try JSON(parsing: $0) }
        let error = await #expect(throws: CityError.self) { _ = try await context(#""https://a.example/""#, documents: parsed) }
        guard case .badRequestData(let detail) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(detail.contains("https://a.example/"), "\(detail)")
    }

    /// Clauses 5.5.2, 5.5.6.
    @Test func `a document that cannot be had is named, and asked for again the next time`() async throws {
        let shelf = DocumentShelf()
        let resolver = ContextResolver { url in try await shelf.document(at: url) }
        await #expect(throws: CityError.contextNotAvailable("@context: the document https://a.example/ could not be had.")) {
            _ = try await resolver.resolve(url: "https://a.example/")
        }
        await shelf.put(["@context": ["x": "https://x.example/"]], at: "https://a.example/")
        #expect(try await resolver.resolve(url: "https://a.example/").expand("x")?.text == "https://x.example/")
    }

    @Test func `what the loader finds wrong with a document reaches the caller`() async throws {
        let resolver = ContextResolver { _ in throw CityError.badRequestData("not JSON") }
        await #expect(throws: CityError.badRequestData("not JSON")) { _ = try await resolver.resolve(url: "https://a.example/") }
    }

    @Test(arguments: [(8, true), (9, false)])
    func `documents may lead to others 8 deep`(depth: Int, isAccepted: Bool) async throws {
        var documents = [String: JSON]()
        for index in 0..<depth {
            let next = JSON.string("https://a.example/\(index + 1)")
            documents["https://a.example/\(index)"] = ["@context": index == depth - 1 ? [:] : next]
        }
        await expect(isAccepted) { try await context(#""https://a.example/0""#, documents: documents) }
    }

    @Test(arguments: [(31, true), (32, false)])
    func `one context may need 32 documents`(count: Int, isAccepted: Bool) async throws {
        var documents = ["https://a.example/": JSON.object(["@context": .array((0..<count).map { .string("https://b.example/\($0)") })])]
        for index in 0..<count { documents["https://b.example/\(index)"] = ["@context": [:]] }
        await expect(isAccepted) { try await context(#""https://a.example/""#, documents: documents) }
    }

    @Test func `documents that refer to others twice each cannot multiply`() async throws {
        var documents: [String: JSON] = ["https://a.example/7": ["@context": ["x": "https://a.example/x"]]]
        for index in 0..<7 {
            let next = JSON.string("https://a.example/\(index + 1)")
            documents["https://a.example/\(index)"] = ["@context": [next, next]]
        }
        await expect(false) { try await context(#""https://a.example/0""#, documents: documents) }
    }

    private func expect(_ isAccepted: Bool, _ resolve: () async throws(any Error) -> Context) async {
        do {
            _ = try await resolve()
            #expect(isAccepted)
        } catch {
            #expect(!isAccepted, "\(error)")
            guard case CityError.badRequestData = error else {
                Issue.record("\(error)")
                return
            }
        }
    }
}
