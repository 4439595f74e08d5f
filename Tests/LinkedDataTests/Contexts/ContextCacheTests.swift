import CityModel
import OrderedCollections
import Testing

import LinkedData

struct ContextCacheTests {
    private let a = "https://a.example/", b = "https://a.example/b"

    @Test func `a context and its documents are had once`() async throws {
        let shelf = DocumentShelf([a: ["@context": "b"], b: ["@context": ["x": "https://x.example/"]]])
        let resolver = ContextResolver { url in try await shelf.document(at: url) }
        let first = try await resolver.resolve(url: a)
        #expect(try await resolver.resolve(.array([.string(a), .string(CoreContext.url)])).key == first.key)
        let other = try await resolver.resolve(.array([.string(a), .string(b)]))
        #expect(other.key != first.key)
        #expect(await shelf.loadCounts == [a: 1, b: 1])
    }

    @Test func `callers at the same time share one load`() async throws {
        let gate = Gate()
        let shelf = DocumentShelf([a: ["@context": ["x": "https://x.example/"]]])
        let resolver = ContextResolver { url in
            await gate.pass()
            return try await shelf.document(at: url)
        }
        try await withThrowingTaskGroup(of: Context.self) { group in
            for _ in 0..<20 { group.addTask { [a] in try await resolver.resolve(url: a) } }
            await gate.open()
            for try await context in group { #expect(context.expand("x")?.text == "https://x.example/") }
        }
        #expect(await shelf.loadCounts == [a: 1])
    }

    @Test(arguments: [true, false])
    func `after forgetting, the document and all contexts made with it are new`(forgetsNested: Bool) async throws {
        let shelf = DocumentShelf([a: ["@context": "b"], b: ["@context": ["x": "https://old.example/"]]])
        let resolver = ContextResolver { url in try await shelf.document(at: url) }
        let old = try await resolver.resolve(url: a)
        await shelf.put(["@context": ["x": "https://new.example/"]], at: b)
        #expect(try await resolver.resolve(url: a).expand("x")?.text == "https://old.example/")
        await resolver.forget(url: b)
        let new = try await resolver.resolve(url: a)
        #expect(new.expand("x")?.text == "https://new.example/")
        #expect(new.key != old.key)
    }

    @Test func `a document that is forgotten while it loads does not stay`() async throws {
        let gate = Gate()
        let shelf = DocumentShelf([a: ["@context": ["x": "https://old.example/"]]])
        let resolver = ContextResolver { url in
            let document = try await shelf.document(at: url)
            await gate.pass()
            return document
        }
        async let early = resolver.resolve(url: a)
        await gate.waitForVisitor()
        await shelf.put(["@context": ["x": "https://new.example/"]], at: a)
        await resolver.forget(url: a)
        await gate.open()
        _ = try await early
        #expect(try await resolver.resolve(url: a).expand("x")?.text == "https://new.example/")
    }

    @Test func `keys of different resolvers differ`() async throws {
        let one = try await ContextResolver.finding([a: ["@context": ["x": "https://one.example/"]]]).resolve(url: a)
        let two = try await ContextResolver.finding([a: ["@context": ["x": "https://two.example/"]]]).resolve(url: a)
        #expect(one.key != two.key)
        #expect(one.key.hasPrefix(a))
    }

    @Test func `the cache keeps what was used last, within its weight`() {
        var cache = WeightedCache<String, Int>(weightMax: 10)
        cache.keep(1, for: "a", weight: 4)
        cache.keep(2, for: "b", weight: 4)
        #expect(cache.value(for: "a") == 1)
        cache.keep(3, for: "c", weight: 4)
        #expect(cache.value(for: "b") == nil)
        #expect(cache.value(for: "a") == 1)
        cache.keep(4, for: "huge", weight: 11)
        #expect(cache.value(for: "huge") == nil)
        cache.keep(5, for: "a", weight: 10)
        #expect(cache.count == 1)
        cache.remove { $0 == 5 }
        cache.keep(6, for: "d", weight: 10)
        #expect(cache.value(for: "d") == 6)
        #expect(cache.value(for: "a") == nil)
    }

    @Test func `many different contexts do not fill the memory`() async throws {
        let byteCountMax = 4 * Context.core.approximateByteCount + 4_000
        let resolver = ContextResolver.finding(limits: ContextLimits(cachedContextByteCountMax: byteCountMax))
        var keys: Set<String> = []
        for index in 0..<20 {
            keys.insert(try await resolver.resolve(["x\(index)": "https://x.example/"]).key)
        }
        #expect(keys.count == 20)
        #expect(await resolver.keptContextCount == 4)
    }

    @Test func `a context that says little with many words is not kept`() async throws {
        let resolver = ContextResolver.finding(limits: ContextLimits(cachedContextByteCountMax: 1_000_000))
        let source: JSON = ["@language": .string(String(repeating: "a", count: 1_000_000)), "x": "https://x.example/"]
        #expect(try await resolver.resolve(source).expand("x")?.text == "https://x.example/")
        #expect(await resolver.keptContextCount == 0)
    }
}

/// Holds visitors until it is opened.
private actor Gate {
    private var isOpen = false
    private var hasVisitor = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var watchers: [CheckedContinuation<Void, Never>] = []

    func pass() async {
        hasVisitor = true
        for watcher in watchers { watcher.resume() }
        watchers = []
        if !isOpen { await withCheckedContinuation { waiting.append($0) } }
    }

    func waitForVisitor() async {
        if !hasVisitor { await withCheckedContinuation { watchers.append($0) } }
    }

    func open() {
        isOpen = true
        for visitor in waiting { visitor.resume() }
        waiting = []
    }
}
