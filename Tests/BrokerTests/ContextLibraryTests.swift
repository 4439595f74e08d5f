@testable import Broker
import CityModel
import LinkedData
import OrderedCollections
import Store
import Synchronization
import Testing
import Trust

/// An origin of contexts, and the time there.
final class ContextOrigin: Sendable {
    private struct State {
        var now = noon
        var documents: [String: DownloadedContext] = [:]
        var secondsToFail: Double = 0
        var secondsToAnswer: Double = 0
        var requestCount = 0
    }

    private let state = Mutex(State())

    var now: Instant { state.withLock(\.now) }
    var requestCount: Int { state.withLock(\.requestCount) }

    func wait(seconds: Double) { state.withLock { $0.now = $0.now.adding(seconds: seconds) } }
    func put(_ document: JSON?, lifetimeSeconds: Double? = nil) {
        state.withLock { $0.documents["https://a.example/c"] = document.map { DownloadedContext(document: $0, lifetimeSeconds: lifetimeSeconds) } }
    }
    func failSlowly(seconds: Double) { state.withLock { $0.secondsToFail = seconds } }
    /// A chain of documents, each of which refers to the next.
    func putChain(length: Int, secondsToAnswer: Double) {
        state.withLock { state in
            state.secondsToAnswer = secondsToAnswer
            for number in 0..<length {
                let name = number == 0 ? "c" : "c\(number)"
                let next: JSON = number == length - 1 ? ["x": "https://a.example/1"] : .string("https://a.example/c\(number + 1)")
                state.documents["https://a.example/\(name)"] = DownloadedContext(document: ["@context": next])
            }
        }
    }

    func download(_ url: String) throws -> DownloadedContext {
        try state.withLock { state in
            state.requestCount += 1
            if let document = state.documents[url] {
                state.now = state.now.adding(seconds: state.secondsToAnswer)
                return document
            }
            state.now = state.now.adding(seconds: state.secondsToFail)
            throw CityError.contextNotAvailable("\(url) is away")
        }
    }
}

@Suite struct ContextLibraryTests {
    private let city: TemporaryBroker
    private let origin = ContextOrigin()
    private let library: ContextLibrary
    private static let url: JSON = "https://a.example/c"

    init() throws {
        city = try TemporaryBroker(isOpen: true)
        library = ContextLibrary(broker: city.broker, overrides: [:], now: { [origin] in origin.now }) { [origin] in try origin.download($0) }
    }

    private func expanded(_ name: String = "x") async throws -> String? {
        try await library.context(Self.url, in: .standard).expand(name)?.text
    }

    private func context(_ iri: String) -> JSON { ["@context": ["x": .string(iri)]] }

    /// Clauses 5.13.1, 6.3.16.
    @Test(arguments: [(300.0, 299.0, 301.0), (nil, 86_399, 86_401), (0, 59, 61)] as [(Double?, Double, Double)])
    func `a downloaded context is used until it expires and is downloaded anew then`(lifetime: Double?, before: Double, after: Double) async throws {
        origin.put(context("https://a.example/1"), lifetimeSeconds: lifetime)
        #expect(try await expanded() == "https://a.example/1")
        origin.put(context("https://a.example/2"), lifetimeSeconds: lifetime)
        origin.wait(seconds: before)
        #expect(try await expanded() == "https://a.example/1")
        origin.wait(seconds: after - before)
        #expect(try await expanded() == "https://a.example/2")
        #expect(origin.requestCount == 2)
    }

    @Test func `an expired context serves on while its origin is away`() async throws {
        origin.put(context("https://a.example/1"), lifetimeSeconds: 300)
        _ = try await expanded()
        origin.put(nil)
        origin.wait(seconds: 301)
        #expect(try await expanded() == "https://a.example/1")
        #expect(try await expanded() == "https://a.example/1")
        #expect(origin.requestCount == 2)
        origin.put(context("https://a.example/2"))
        origin.wait(seconds: 61)
        #expect(try await expanded() == "https://a.example/2")
    }

    @Test func `nobody waits again for what took long to fail, for a while`() async throws {
        origin.failSlowly(seconds: 5)
        for _ in 1...3 { await #expect(throws: CityError.contextNotAvailable("https://a.example/c is away")) { try await expanded() } }
        #expect(origin.requestCount == 1)
        origin.put(context("https://a.example/1"))
        origin.wait(seconds: 31)
        #expect(try await expanded() == "https://a.example/1")
    }

    @Test(arguments: [(3.0, true), (6.0, false)])
    func `documents that lead to others are not followed for longer than ten seconds`(seconds: Double, isHad: Bool) async throws {
        origin.putChain(length: 4, secondsToAnswer: seconds)
        let iri = try? await expanded()
        #expect(iri == (isHad ? "https://a.example/1" : nil))
        #expect(origin.requestCount == (isHad ? 4 : 2))
    }

    @Test func `what fails at once is asked for again at once`() async throws {
        await #expect(throws: CityError.self) { try await expanded() }
        origin.put(context("https://a.example/1"))
        #expect(try await expanded() == "https://a.example/1")
    }

    /// Clause 5.5.6.
    @Test func `a document that is no context is refused and not kept`() async throws {
        origin.put(["x": 1])
        await #expect(throws: CityError.badRequestData("@context https://a.example/c: the document has no @context")) { try await expanded() }
        origin.put(context("https://a.example/1"))
        #expect(try await expanded() == "https://a.example/1")
    }

    @Test(arguments: [(1_000_000, 2), (200, 1)])
    func `what finds no room in the file is used and not kept`(byteCountMax: Int, keptCount: Int) async throws {
        let small = ContextLibrary(broker: city.broker, overrides: [:], keptByteCountMax: byteCountMax, now: { [origin] in origin.now }) { _ in
            DownloadedContext(document: ["@context": ["x": .string("https://a.example/" + String(repeating: "y", count: 300))]])
        }
        for url in ["https://a.example/1", "https://a.example/2"] {
            #expect(try await small.context(.string(url), in: .standard).expand("x") != nil)
        }
        let access = try await city.gatekeeper.writing(.standard, .program)
        #expect(try await small.list(access.reading).count == keptCount)
    }

    @Test func `contexts that readers name take no room from those who store`() async throws {
        try await city.store.file(.standard, creating: true).write { transaction in
            for number in 0..<ContextLibrary.cachedCountMax { try transaction.put(.context, "https://b.example/\(number)", [:], at: noon) }
        }
        origin.put(context("https://a.example/1"))
        #expect(try await expanded() == "https://a.example/1")
        let access = try await city.gatekeeper.writing(.standard, .program)
        let id = try await library.add(context("https://a.example/2"), access, at: noon)
        // The one that was downloaded was not kept.
        #expect(try await library.list(access.reading).map(\.id) == [id])
    }

    @Test func `only so many expiries are remembered, and the first of them is found`() {
        var expiries = ContextExpiries()
        for number in 0..<ContextExpiries.countMax { expiries.note("https://a.example/\(number)", noon.adding(seconds: Double(number))) }
        #expect(!expiries.hasRoom(for: "https://b.example/") && expiries.hasRoom(for: "https://a.example/7"))
        expiries.note("https://a.example/0", noon.adding(seconds: 9_000))
        #expect(expiries.passed(at: noon.adding(seconds: 0.5)) == [])
        #expect(expiries.passed(at: noon.adding(seconds: 1)) == ["https://a.example/1"])
        #expect(expiries.passed(at: noon.adding(seconds: 1)) == [] && expiries.hasRoom(for: "https://b.example/"))
    }

    /// Clause 5.13.5.4.
    @Test(arguments: [nil, ["x": 1], ["@context": 5], ["@context": ["x": 5]]] as [JSON?])
    func `a reload that brings no context leaves the one that is there`(document: JSON?) async throws {
        origin.put(context("https://a.example/1"))
        _ = try await expanded()
        let access = try await city.gatekeeper.writing(.standard, .program)
        origin.put(document)
        await #expect(throws: CityError.contextNotAvailable("reload: https://a.example/c could not be had, or is no @context")) {
            try await library.reload("https://a.example/c", access)
        }
        #expect(try await expanded() == "https://a.example/1")
        origin.put(context("https://a.example/2"))
        try await library.reload("https://a.example/c", access)
        #expect(try await expanded() == "https://a.example/2")
    }

    /// Clause 5.13.2.3.
    @Test func `of a hosted document its context is kept and nothing else`() async throws {
        let access = try await city.gatekeeper.writing(.standard, .program)
        let id = try await library.add(["@context": ["x": "https://a.example/1"], "note": "secret"], access, at: noon)
        #expect(try await library.retrieve(id, access.reading).body == context("https://a.example/1"))
    }

    @Test func `a municipality that takes the name of another has none of its contexts`() async throws {
        let name = TemporaryBroker.name, administering = try city.gatekeeper.installation(.program)
        for _ in 0..<2 {
            try await city.broker.createMunicipality(name, administering, at: noon)
            let id = try await library.add(["@context": ["x": "https://a.example/1"]], try await city.writing(), at: noon)
            let url = JSON.string("http://localhost/ngsi-ld/v1/jsonldContexts/\(id)")
            #expect(try await library.context(url, in: name).expand("x")?.text == "https://a.example/1")
            try await city.broker.removeMunicipality(name, administering, at: noon)
            await library.forget(name)
            try await city.broker.createMunicipality(name, administering, at: noon)
            await #expect(throws: CityError.self) { try await library.context(url, in: name) }
            try await city.broker.removeMunicipality(name, administering, at: noon)
        }
    }
}
