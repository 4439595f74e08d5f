public import CityModel
internal import Synchronization

/// Resolves `@context` values to processed contexts, and keeps both those and the remote documents, within limits.
///
/// A document is kept until it is forgotten or pushed out by others; how long a copy stays valid is for the caller to
/// know, who calls `forget(url:)` when it is not. Several callers that need the same document at once share one load.
public actor ContextResolver {
    private struct Entry {
        let context: Context
        /// The remote documents it was made from.
        let urls: Set<String>
    }

    /// A document on its way. Its task ends when `load` does, which has a timeout of its own; every caller awaits it.
    private struct Load {
        let number: Int
        let task: Task<JSON, any Error>
    }

    private nonisolated let limits: ContextLimits
    private let load: @Sendable (String) async throws -> JSON
    private var contexts: WeightedCache<[JSON], Entry>
    private var documents: WeightedCache<String, JSON>
    private var loads: [String: Load] = [:]
    private var loadNumber = 0
    private var forgetCount = 0

    /// Numbers all processed contexts of the process, so that their keys differ also between resolvers.
    private static let contextNumber = Mutex(0)

    /// - Parameter load: the JSON document at a URL. A `CityError` that it throws reaches the caller of `resolve` as it is
    ///   (`badRequestData` for a document that is not JSON, clause 5.5.6); any other error becomes `contextNotAvailable`.
    public init(limits: ContextLimits = .init(), load: @escaping @Sendable (String) async throws -> JSON) {
        self.limits = limits
        self.load = load
        contexts = WeightedCache(weightMax: limits.cachedContextByteCountMax)
        documents = WeightedCache(weightMax: limits.cachedDocumentByteCountMax)
    }

    /// The context that `value`, the content of a `@context` member, describes. Nil and null are the core context.
    /// - Throws: `contextNotAvailable` when a document cannot be had, `badRequestData` when a context is invalid.
    public func resolve(_ value: JSON?) async throws(CityError) -> Context {
        let elements = try ContextResolver.elements(of: value)
        if elements.isEmpty { return .core }
        if let entry = contexts.value(for: elements) { return entry.context }
        let forgetCountBefore = forgetCount
        let gathered = try await gather(elements)
        let context = try await process(gathered, of: elements)
        // A document that was forgotten in the meantime may have gone into this context: it must not stay.
        if forgetCount == forgetCountBefore {
            let byteCount = context.approximateByteCount + JSON.array(elements).approximateByteCount
            contexts.keep(Entry(context: context, urls: gathered.urls), for: elements, weight: byteCount)
        }
        return context
    }

    /// The context at one URL, as a Link header names it.
    public func resolve(url: String) async throws(CityError) -> Context { try await resolve(.string(url)) }

    /// Drops the document at `url` and every context made with it, after it was deleted, replaced or became stale.
    public func forget(url: String) {
        forgetCount += 1
        documents.remove(url)
        loads[url] = nil
        contexts.remove { $0.urls.contains(url) }
    }

    /// How many processed contexts are kept at the moment.
    package var keptContextCount: Int { contexts.count }

    /// The elements of the `@context` array, without the core contexts at its end, which are there anyway.
    private static func elements(of value: JSON?) throws(CityError) -> [JSON] {
        var elements: [JSON]
        switch value {
        case nil, .null: return []
        case .array(let array): elements = array
        case .string, .object: elements = value.map { [$0] } ?? []
        case .some(let other): throw .badRequestData("@context must be a text, an object or an array of them, not a \(other.kindName).")
        }
        while let last = elements.last?.stringValue, CoreContext.isKnown(last) { elements.removeLast() }
        return elements
    }

    private func gather(_ elements: [JSON]) async throws(CityError) -> GatheredContexts {
        var gatherer = ContextGatherer(limits: limits) { url async throws(CityError) in try await self.document(at: url) }
        try await gatherer.gather(.array(elements))
        return gatherer.gathered
    }

    /// Runs outside the actor: a large context must not hold up those whose context is at hand.
    private nonisolated func process(_ gathered: GatheredContexts, of elements: [JSON]) async throws(CityError) -> Context {
        var builder = ContextBuilder(limits: limits, leniently: CoreContext.termNames)
        for step in gathered.steps {
            switch step {
            case .reset: try builder.reset()
            case .core: builder.addCore()
            case .object(let members, let documentURL): try builder.add(members, from: documentURL)
            }
        }
        let number = ContextResolver.contextNumber.withLock { number in
            number += 1
            return number
        }
        let name = elements.count == 1 ? elements[0].stringValue : nil
        let ownElements = elements.filter { !CoreContext.isKnown($0.stringValue ?? "") }
        return Context(
            key: "\(name ?? "context")#\(number)", source: .array(ownElements + [.string(CoreContext.url)]),
            tables: ContextTables(userTerms: builder.terms, base: builder.base))
    }

    /// The document at `url`: kept, on its way, or loaded now.
    private func document(at url: String) async throws(CityError) -> JSON {
        if let document = documents.value(for: url) { return document }
        let loading = loads[url] ?? startLoad(of: url)
        do {
            let document = try await loading.task.value
            if loads[url]?.number == loading.number {
                loads[url] = nil
                documents.keep(document, for: url, weight: document.approximateByteCount)
            }
            return document
        } catch {
            if loads[url]?.number == loading.number { loads[url] = nil }
            if let error = error as? CityError { throw error }
            throw .contextNotAvailable("@context: the document \(url) could not be had.")
        }
    }

    private func startLoad(of url: String) -> Load {
        loadNumber += 1
        let loading = Load(number: loadNumber, task: Task { [load] in try await load(url) })
        loads[url] = loading
        return loading
    }
}
