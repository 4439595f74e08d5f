internal import Broker
internal import CityModel
internal import LinkedData
internal import Query
internal import Store
internal import Synchronization

/// A subscription ready to be held against changes: its predicates parsed, its context processed.
struct CompiledSubscription: Sendable {
    let id: String
    let revision: Int64
    let subscription: Subscription
    let filter: EntityFilter
    let classificationMax: Classification
    /// The number of the change after which it wants others.
    let since: Int64
    let expiresAt: Instant?
    let writer: NotificationWriter

    init(_ record: SubscriptionRecord, _ municipality: MunicipalityName, _ contexts: ContextLibrary) async throws {
        let body = try SubscriptionBody(record.body)
        subscription = try body.subscription()
        filter = subscription.filter
        (id, revision, since) = (record.id, record.revision, record.since)
        (classificationMax, expiresAt) = (record.classificationMax, record.expiresAt)
        let parameters = subscription.notification
        let (context, contextURL) = await Self.context(body.contextURL, municipality, contexts)
        let view = EntityView(
            projection: parameters.projection, datasets: subscription.datasets,
            languages: try subscription.language.map { text throws(CityError) in try LanguagePreference(text) },
            version: subscription.conformance.flatMap { PreferredVersion(conformance: $0) }, context: context)
        writer = NotificationWriter(
            subscription: subscription, subscriptionID: record.id, view: view, contextURL: contextURL, municipality: municipality)
    }

    /// The context at a URL. When it can't be had any more, names go out whole, as the core context writes them: an alert must
    /// not wait for a document on some other server.
    private static func context(_ url: String, _ municipality: MunicipalityName, _ contexts: ContextLibrary) async -> (Context, String) {
        if let context = try? await contexts.context(.string(url), in: municipality) { return (context, url) }
        return (.core, CoreContext.url)
    }

    func isActive(at now: Instant) -> Bool { expiresAt.map { now < $0 } ?? true }
}

/// Keeps compiled subscriptions of recent municipalities. Which of them are still what the file says, the caller knows.
final class CompiledCache: Sendable {
    private let state = Mutex<[MunicipalityName: [String: CompiledSubscription]]>([:])
    private static let municipalityCountMax = 64
    /// Told of subscriptions that can't be read: they are passed over, and hold up nobody else.
    private let report: @Sendable (MunicipalityName, any Error) -> Void

    init(report: @escaping @Sendable (MunicipalityName, any Error) -> Void) { self.report = report }

    func find(_ id: String, revision: Int64, in municipality: MunicipalityName) -> CompiledSubscription? {
        state.withLock { $0[municipality]?[id] }.flatMap { $0.revision == revision ? $0 : nil }
    }

    func keep(_ compiled: CompiledSubscription, in municipality: MunicipalityName) {
        state.withLock { state in
            if state[municipality] == nil, state.count >= Self.municipalityCountMax { state.removeAll() }
            state[municipality, default: [:]][compiled.id] = compiled
        }
    }

    func forget(_ municipality: MunicipalityName) { state.withLock { $0[municipality] = nil } }
}

extension CompiledCache {
    /// The subscriptions with these identifiers that are there, as the file has them now.
    func compiled(
        _ ids: Set<String>, of file: MunicipalityFile, _ contexts: ContextLibrary
    ) async throws -> [String: CompiledSubscription] {
        var found: [String: CompiledSubscription] = [:]
        let stale = try await file.read { [self] snapshot in
            try ids.compactMap { id -> SubscriptionRecord? in
                guard let revision = try snapshot.subscriptionRevision(id), find(id, revision: revision, in: file.name) == nil else { return nil }
                return try snapshot.subscription(id)
            }
        }
        for record in stale {
            do { keep(try await CompiledSubscription(record, file.name, contexts), in: file.name) } catch { report(file.name, error) }
        }
        let revisions = try await file.read { snapshot in try ids.map { ($0, try snapshot.subscriptionRevision($0)) } }
        for (id, revision) in revisions {
            if let revision, let compiled = find(id, revision: revision, in: file.name) { found[id] = compiled }
        }
        return found
    }
}
