package import Broker
internal import CityModel
internal import LinkedData
internal import Query
package import Store

/// A subscription ready to be held against changes: its predicates parsed, its context processed.
struct CompiledSubscription: Sendable {
    let id: String
    let revision: Int64
    let subscription: Subscription
    let filter: EntityFilter
    /// What whoever subscribed may see. Where rules decide, it is asked anew for every round.
    var sight: Sight
    let claimant: JSON?
    /// The number of the change after which it wants others.
    let since: Int64
    let expiresAt: Instant?
    let writer: NotificationWriter
    /// Set when its context could not be had.
    let retry: ContextRetry?

    /// When a context that could not be had is asked for again.
    struct ContextRetry: Hashable, Sendable {
        let failureCount: Int
        let due: Instant

        /// Pauses double from 5 seconds to a quarter of an hour.
        init(failureCount: Int, at now: Instant) {
            self.failureCount = failureCount
            due = now.adding(seconds: min(5 * Double(1 << min(failureCount - 1, 10)), 900))
        }
    }

    /// - Parameter failureCount: how often in a row its context could not be had before.
    init(
        _ record: SubscriptionRecord, _ file: MunicipalityFile, _ contexts: ContextLibrary, failureCount: Int, at now: Instant
    ) async throws {
        let body = try SubscriptionBody(record.body)
        subscription = try body.subscription()
        filter = subscription.filter
        (id, revision, since) = (record.id, record.revision, record.since)
        (sight, claimant, expiresAt) = (.upTo(record.classificationMax), record.claimant, record.expiresAt)
        let parameters = subscription.notification
        // When it can't be had, names go out whole, as the core context writes them: an alert must not wait for a document on
        // some other server.
        let context = try? await contexts.context(.string(body.contextURL), in: file.name)
        retry = context == nil ? ContextRetry(failureCount: failureCount + 1, at: now) : nil
        let view = EntityView(
            projection: parameters.projection, datasets: subscription.datasets,
            languages: try subscription.language.map { text throws(CityError) in try LanguagePreference(text) },
            version: subscription.conformance.flatMap { PreferredVersion(conformance: $0) }, context: context ?? .core)
        writer = NotificationWriter(
            subscription: subscription, subscriptionID: record.id, view: view,
            contextURL: context == nil ? CoreContext.url : body.contextURL, municipality: file.name, snapshotID: file.snapshotID)
    }

    func isActive(at now: Instant) -> Bool { expiresAt.map { now < $0 } ?? true }
}

extension NotificationWriter {
    /// For what comes of no change here: what context sources tell.
    package init(_ record: SubscriptionRecord, _ file: MunicipalityFile, _ contexts: ContextLibrary) async throws {
        self = try await CompiledSubscription(record, file, contexts, failureCount: 0, at: .now).writer
    }
}
