package import CityModel
package import LinkedData
internal import OrderedCollections
internal import Store
package import Trust

/// How a stored @context came to be (clause 5.13.1).
package enum ContextKind: String, CaseIterable, Hashable, Sendable {
    case cached = "Cached"
    case hosted = "Hosted"
    case implicitlyCreated = "ImplicitlyCreated"
}

/// A stored @context (clause 5.13.3.5).
package struct StoredContext: Hashable, Sendable {
    /// Names it within the municipality: for a cached one its URL.
    package let id: String
    package let kind: ContextKind
    /// Where a cached one was downloaded from; nil for the others, which are served here.
    package let url: String?
    /// The whole document, with its `@context`.
    package let body: JSON
    package let createdAt: Instant
    /// When a cached one is downloaded anew; nil for all that nobody downloaded.
    package var expiresAt: Instant?
}

/// The JSON-LD contexts that a municipality's requests use: downloaded, hosted, or given on the command line. A context
/// that was had once is kept in the municipality's file, so that it is there without a network after a restart. It is
/// downloaded anew when it expires (clause 6.3.16); as long as that fails the old copy serves on, for names must not change
/// because another server is away.
package actor ContextLibrary {
    package typealias Download = @Sendable (String) async throws -> DownloadedContext

    private let broker: Broker
    private let download: Download
    private let overrides: [String: JSON]
    private let startedAt: Instant
    /// Bytes of all contexts of a municipality, beyond which no downloaded one is kept in its file: whoever may read can name
    /// any context, and must not fill the disk with them.
    private let keptByteCountMax: Int
    private let now: @Sendable () -> Instant
    private var resolvers: [MunicipalityName: ContextResolver] = [:]
    private var expiries: [MunicipalityName: ContextExpiries] = [:]
    private var unavailable = UnavailableContexts()

    /// Municipalities whose processed contexts are kept in memory.
    private static let resolverCountMax = 64
    /// Contexts that one municipality keeps.
    package static let countMax = 10_000
    /// When there are so many no downloaded one is added: whoever may only read takes no room from those who store.
    package static let cachedCountMax = countMax / 2
    /// No document is asked for any more for a context that has taken this long; each document has a shorter time of its own.
    private static let resolutionSecondsMax: Double = 10
    @TaskLocal private static var deadline: Instant?
    /// How long an expired copy serves on before its origin is asked again.
    private static let staleSeconds: Double = 60

    /// - Parameter overrides: documents to use instead of the network, by URL.
    /// - Parameter download: fetches a JSON document; throws `badRequestData` when what is there is not JSON.
    /// - Parameter now: the time, by which copies expire.
    package init(
        broker: Broker, overrides: [String: JSON], startedAt: Instant = .now, keptByteCountMax: Int = 64 << 20,
        now: @escaping @Sendable () -> Instant = { .now }, download: @escaping Download
    ) {
        (self.broker, self.overrides, self.startedAt, self.now, self.download) = (broker, overrides, startedAt, now, download)
        self.keptByteCountMax = keptByteCountMax
    }

    /// The context that an `@context` value stands for; nil is the core context alone.
    /// - Throws: `contextNotAvailable`, `badRequestData`.
    package func context(_ value: JSON?, in municipality: MunicipalityName) async throws(CityError) -> Context {
        guard let value else { return .core }
        // Contexts are the municipality's, also for its snapshots.
        let municipality = municipality.city
        let resolver = resolver(municipality)
        for url in expiries[municipality]?.passed(at: now()) ?? [] { await resolver.forget(url: url) }
        return try await resolve(value, by: resolver)
    }

    /// The same for whoever can't wait so long as documents may take. They are loaded on behalf of all who need them, so the load
    /// goes on without him: it ends by itself, for every document has its time.
    package nonisolated func context(_ value: JSON?, in municipality: MunicipalityName, secondsMax: Double) async throws(CityError) -> Context {
        let (answers, continuation) = AsyncStream<Result<Context, CityError>>.makeStream(bufferingPolicy: .bufferingOldest(1))
        Task {
            do throws(CityError) { continuation.yield(.success(try await context(value, in: municipality))) } catch { continuation.yield(.failure(error)) }
        }
        let clock = Task {
            try await Task.sleep(for: .seconds(secondsMax))
            continuation.yield(.failure(.contextNotAvailable("@context: it could not be had in the time that was left")))
        }
        defer { clock.cancel() }
        for await answer in answers { return try answer.get() }
        throw .contextNotAvailable("@context: the request was broken off")
    }

    private func resolve(_ value: JSON, by resolver: ContextResolver) async throws(CityError) -> Context {
        let deadline = Self.deadline ?? now().adding(seconds: Self.resolutionSecondsMax)
        do {
            return try await Self.$deadline.withValue(deadline) { try await resolver.resolve(value) }
        } catch {
            throw error as? CityError ?? .contextNotAvailable("@context: \(error)")
        }
    }

    private func resolver(_ municipality: MunicipalityName) -> ContextResolver {
        if let known = resolvers[municipality] { return known }
        if resolvers.count >= Self.resolverCountMax { (resolvers, expiries) = ([:], [:]) }
        // Weak, for the resolver is kept here.
        let resolver = ContextResolver { [weak self] url in
            guard let self else { throw CityError.contextNotAvailable("\(url): the program ends") }
            return try await document(at: url, in: municipality)
        }
        resolvers[municipality] = resolver
        return resolver
    }

    private func document(at url: String, in municipality: MunicipalityName) async throws -> JSON {
        if let id = Self.hostedID(url), let hosted = try await stored(id, in: municipality) { return hosted.body }
        let cached = try await stored(url, in: municipality)
        if let cached, cached.expiresAt.map({ $0 > now() }) ?? true {
            note(url, in: municipality, expiry: cached.expiresAt)
            return cached.body
        }
        if let override = overrides[url] {
            try await keep(url, override, until: nil, in: municipality)
            return override
        }
        do { return try await downloaded(url, in: municipality) } catch {
            guard let cached else { throw error }
            note(url, in: municipality, expiry: now().adding(seconds: Self.staleSeconds))
            return cached.body
        }
    }

    private func downloaded(_ url: String, in municipality: MunicipalityName) async throws -> JSON {
        let start = now()
        if let error = unavailable.error(url, at: start) { throw error }
        if let deadline = Self.deadline, start >= deadline {
            throw CityError.contextNotAvailable("@context: what it refers to could not be had within \(Int(Self.resolutionSecondsMax)) s")
        }
        let context: DownloadedContext
        do { context = try await download(url) } catch {
            let known = error as? CityError ?? .contextNotAvailable("@context: \(url) could not be had")
            unavailable.note(url, known, from: start, to: now())
            throw known
        }
        guard context.document["@context"] != nil else { throw CityError.badRequestData("@context \(url): the document has no @context") }
        let expiry = context.expiry(from: now())
        try await keep(url, context.document, until: expiry, in: municipality)
        note(url, in: municipality, expiry: expiry)
        return context.document
    }

    /// Remembers when a copy expires. When there are too many, for each request may name another, all begins anew: what was
    /// processed goes with its expiry and is had from the file again.
    private func note(_ url: String, in municipality: MunicipalityName, expiry: Instant?) {
        if expiries[municipality].map({ !$0.hasRoom(for: url) }) ?? false { (resolvers[municipality], expiries[municipality]) = (nil, nil) }
        expiries[municipality, default: .init()].note(url, expiry)
    }

    /// The identifier in the URL of a context that this program serves.
    private static func hostedID(_ url: String) -> String? {
        guard let range = url.firstRange(of: "/ngsi-ld/v1/jsonldContexts/") else { return nil }
        let id = url[range.upperBound...].split(separator: "?").first.map(String.init)
        return id
    }

    // MARK: - The file

    private func file(_ municipality: MunicipalityName) throws -> MunicipalityFile? {
        guard municipality == .standard || broker.store.exists(municipality) else { return nil }
        return try broker.store.file(municipality, creating: municipality == .standard)
    }

    private func stored(_ id: String, in municipality: MunicipalityName) async throws -> StoredContext? {
        try await file(municipality)?.read { try $0.document(.context, id).flatMap(StoredContext.init) }
    }

    private func keep(_ url: String, _ document: JSON, until expiry: Instant?, in municipality: MunicipalityName) async throws {
        guard let file = try file(municipality) else { return }
        let now = now()
        let context = StoredContext(id: url, kind: .cached, url: url, body: document, createdAt: now, expiresAt: expiry)
        try await file.write { [keptByteCountMax] transaction in
            // What finds no room is used and not kept.
            let totals = try transaction.documentTotals(.context)
            let hasRoom = totals.count < Self.cachedCountMax && totals.byteCount < keptByteCountMax
            guard try hasRoom || transaction.document(.context, context.id) != nil else { return }
            try transaction.put(.context, context.id, context.json, at: now)
        }
    }
}

// MARK: - Operations on stored contexts (clauses 5.13.2 to 5.13.5)

extension ContextLibrary {
    /// Stores a context that will be served from here. The document was checked to be a valid context.
    /// - Returns: its identifier.
    package func add(_ document: JSON, kind: ContextKind = .hosted, _ access: WriteAccess, at now: Instant) async throws -> String {
        guard let content = document["@context"] else { throw CityError.invalidRequest("@context: the document has no @context") }
        // Before anything is fetched for a context that can't be one.
        guard Self.hasShape(content) else { throw CityError.badRequestData("@context: a text, an object or an array of them") }
        _ = try await context(content, in: access.municipality.city)
        // All that stands beside the @context is discarded (clause 5.13.2.3).
        let context = StoredContext(id: Self.randomID(), kind: kind, url: nil, body: ["@context": content], createdAt: now)
        try await broker.file(toWrite: access.city).write { transaction in
            guard try transaction.documentTotals(.context).count < Self.countMax else {
                throw CityError.tooManyResults("a municipality keeps at most \(Self.countMax) contexts")
            }
            try transaction.put(.context, context.id, context.json, at: now)
        }
        return context.id
    }

    /// Stores a context that nobody hosts, so that notifications can name it (clause 5.13.1). Equal ones are stored once.
    /// - Returns: its identifier.
    package func addImplicit(_ document: JSON, _ access: WriteAccess, at now: Instant) async throws -> String {
        let known = try await list(access.reading).first { $0.kind == .implicitlyCreated && $0.body["@context"] == document["@context"] }
        if let known { return known.id }
        return try await add(document, kind: .implicitlyCreated, access, at: now)
    }

    private static func hasShape(_ content: JSON) -> Bool {
        switch content {
        case .string, .object: true
        case .array(let elements): elements.allSatisfy { $0 == .null || $0.stringValue != nil || $0.objectValue != nil }
        default: false
        }
    }

    /// Those of a municipality that is not there yet are none.
    package func list(_ access: ReadAccess) async throws -> [StoredContext] {
        guard access.municipality.city == .standard || broker.store.exists(access.municipality.city) else { return [] }
        return try await broker.file(toRead: access.city).read { try $0.documents(.context).compactMap(StoredContext.init) }
    }

    /// The core contexts are always there, as if they had been downloaded.
    /// - Throws: `resourceNotFound`.
    package func retrieve(_ id: String, _ access: ReadAccess) async throws -> StoredContext {
        if let core = CoreContext.document(for: id) {
            return StoredContext(id: id, kind: .cached, url: id, body: core, createdAt: startedAt)
        }
        let file = try broker.file(toRead: access.city)
        let found = try await file.read { snapshot in
            try snapshot.document(.context, id).flatMap(StoredContext.init)
        }
        guard let found else { throw CityError.resourceNotFound("there is no @context \(id)") }
        return found
    }

    /// - Throws: `resourceNotFound`, `badRequestData` for a core context.
    package func delete(_ id: String, _ access: WriteAccess) async throws {
        guard !CoreContext.isKnown(id) else { throw CityError.badRequestData("contextId: a core @context can't be deleted") }
        let context = try await retrieve(id, access.reading)
        _ = try await broker.file(toWrite: access.city).write { try $0.removeDocument(.context, context.id) }
        await forget(context, in: access.municipality.city)
    }

    /// Downloads a cached context anew; what is there stays when that fails. A core context is part of this program and stays
    /// what it is.
    /// - Throws: `badRequestData` for a context that was not downloaded, `contextNotAvailable` also when what is there now is no
    ///   context (clause 5.13.5.4).
    package func reload(_ id: String, _ access: WriteAccess) async throws {
        if CoreContext.isKnown(id) { return }
        let context: StoredContext
        do { context = try await retrieve(id, access.reading) } catch CityError.resourceNotFound {
            throw CityError.badRequestData("reload: there is no cached @context \(id)")
        }
        guard context.kind == .cached, let url = context.url else {
            throw CityError.badRequestData("reload: only a cached @context can be reloaded, this one is \(context.kind.rawValue)")
        }
        unavailable.forget(url)
        let fresh: DownloadedContext
        do {
            if let override = overrides[url] { fresh = DownloadedContext(document: override) } else { fresh = try await download(url) }
            try await check(fresh.document, at: url, in: access.municipality.city)
        } catch {
            throw CityError.contextNotAvailable("reload: \(url) could not be had, or is no @context")
        }
        let expiry = overrides[url] == nil ? fresh.expiry(from: now()) : nil
        try await keep(url, fresh.document, until: expiry, in: access.municipality.city)
        note(url, in: access.municipality.city, expiry: expiry)
        await forget(context, in: access.municipality.city)
    }

    /// Whether a document is a context, with those that it refers to as they are known.
    private func check(_ document: JSON, at url: String, in municipality: MunicipalityName) async throws {
        let resolver = ContextResolver { [weak self] other in
            if other == url { return document }
            guard let self else { throw CityError.contextNotAvailable("\(other): the program ends") }
            return try await self.document(at: other, in: municipality)
        }
        _ = try await resolve(.string(url), by: resolver)
    }

    /// Keeps a document for a URL, to be used instead of the network.
    package func put(_ document: JSON, for url: String, _ access: AdministerAccess, at now: Instant) async throws {
        guard document["@context"] != nil else { throw CityError.badRequestData("@context: the document has no @context") }
        let context = StoredContext(id: url, kind: .cached, url: url, body: document, createdAt: now)
        try await broker.file(toWrite: access.writing.city).write { transaction in
            try transaction.put(.context, context.id, context.json, at: now)
            try transaction.record(Act(.contextKept, url), access, at: now)
        }
        await forget(context, in: access.municipality.city)
    }

    /// To be called when a municipality's file is another one, or gone.
    package func forget(_ municipality: MunicipalityName) {
        (resolvers[municipality], expiries[municipality]) = (nil, nil)
        (try? file(municipality))?.endMoment()
    }

    private func forget(_ context: StoredContext, in municipality: MunicipalityName) async {
        // A hosted context is known by as many URLs as the server has addresses: all processed contexts go.
        if let url = context.url { await resolvers[municipality]?.forget(url: url) } else { resolvers[municipality] = nil }
        // An answer may have been made with it since it was written.
        (try? file(municipality))?.endMoment()
    }

    private static func randomID() -> String {
        var generator = SystemRandomNumberGenerator()
        return String(UInt64.random(in: .min ... .max, using: &generator), radix: 36)
            + String(UInt64.random(in: .min ... .max, using: &generator), radix: 36)
    }
}

extension StoredContext {
    fileprivate init?(_ document: Document) {
        guard let kind = document.body["kind"]?.stringValue.flatMap(ContextKind.init), let body = document.body["body"],
            let createdAt = document.body["createdAt"]?.stringValue.flatMap({ Instant($0) })
        else { return nil }
        self.init(
            id: document.id, kind: kind, url: document.body["url"]?.stringValue, body: body, createdAt: createdAt,
            expiresAt: document.body["expiresAt"]?.stringValue.flatMap { Instant($0) })
    }

    fileprivate var json: JSON {
        var members: JSONObject = ["kind": .string(kind.rawValue), "body": body, "createdAt": .string(createdAt.description)]
        if let url { members["url"] = .string(url) }
        if let expiresAt { members["expiresAt"] = .string(expiresAt.description) }
        return .object(members)
    }
}
