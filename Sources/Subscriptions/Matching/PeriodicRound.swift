internal import Broker
package import CityModel
internal import OrderedCollections
internal import Query
package import Store

/// Tells one subscription to registrations of context sources which there are: done by a room above.
/// - Returns: whether something was added to its queue.
package typealias TellOfSources = @Sendable (SubscriptionRecord, MunicipalityFile, Instant) async throws -> Bool

/// Tells subscriptions with a `timeInterval` what is, when they are due (clause 5.8.6).
struct PeriodicRound: Sendable {
    let store: Store
    let contexts: ContextLibrary
    let cache: CompiledCache
    let outbox: Outbox
    let tellOfSources: TellOfSources
    /// Told of what is passed over.
    let report: @Sendable (MunicipalityName, any Error) -> Void

    struct Outcome: Sendable {
        /// The subscriptions that something was added for, and where it goes.
        var queues: [String: String] = [:]
        /// When the next subscription is due; nil when none is periodic.
        var nextDue: Instant?
    }

    private static let roundCountMax = 100
    /// After it one that can't be made ready is looked at again.
    private static let pauseSeconds = 60.0
    /// Entities of one notification, and of all notifications of one round of a subscription.
    private static let groupCountMax = 500
    private static let entityCountMax = 10_000

    func tellDue(in name: MunicipalityName, at now: Instant) async throws -> Outcome {
        let file = try store.file(name)
        var outcome = Outcome()
        for record in try await file.read({ try $0.dueSubscriptions(at: now, limit: Self.roundCountMax) }) {
            if try await tell(record, file, at: now) { outcome.queues[record.id] = record.endpoint }
        }
        outcome.nextDue = try await file.read { try $0.nextDue() }
        return outcome
    }

    /// - Returns: whether something was added to its queue.
    private func tell(_ record: SubscriptionRecord, _ file: MunicipalityFile, at now: Instant) async throws -> Bool {
        if record.isAboutSources { return try await tellSources(record, file, at: now) }
        guard let compiled = try await cache.compiled([record.id], of: file, contexts, at: now)[record.id], let due = record.due,
            let seconds = compiled.subscription.timeIntervalSeconds
        else {
            // One that can't be made ready is looked at again later and holds up no other.
            try await file.write { try $0.setDue(record.id, now.adding(seconds: Self.pauseSeconds)) }
            return false
        }
        guard compiled.isActive(at: now) else {
            try await file.write { try $0.setDue(record.id, nil) }
            return false
        }
        // A query that can't be answered, for it costs too much, is a notification that failed, and holds up nobody else.
        var hasFailed = false
        var (messages, consents) = ([NewMessage](), Int64?.none)
        do { (messages, consents) = try await round(of: compiled, file, at: now) } catch where !error.isOfFile { hasFailed = true }
        let (posted, isFailure, revision) = (messages, hasFailed, consents)
        return try await file.write { transaction in
            // What rests on a consent that was withdrawn since is told anew, at once.
            if let revision, try transaction.consentRevision() != revision { return false }
            try transaction.setDue(record.id, Period(seconds: seconds).next(after: due, now: now))
            if isFailure { try transaction.addDelivery(.oneFailure(at: now), to: record.id) }
            return try !outbox.post(posted, transaction, at: now).isEmpty
        }
    }

    private func tellSources(_ record: SubscriptionRecord, _ file: MunicipalityFile, at now: Instant) async throws -> Bool {
        do { return try await tellOfSources(record, file, now) } catch where !error.isOfFile {
            report(file.name, PassedOver(subscription: record.id, change: nil, reason: error))
            try await file.write { try $0.setDue(record.id, now.adding(seconds: Self.pauseSeconds)) }
            return false
        }
    }

    private func round(of compiled: CompiledSubscription, _ file: MunicipalityFile, at now: Instant) async throws -> ([NewMessage], Int64?) {
        try await file.seen(by: compiled.sight).read { snapshot in
            let consents = try snapshot.consentRevision()
            // A round that was not delivered yet is not followed by another: its receiver would get both at once, later.
            guard try snapshot.outboxSize(of: compiled.id)?.count == 0 else { return ([], consents) }
            return (try messages(of: compiled, snapshot, at: now), consents)
        }
    }

    private func messages(of compiled: CompiledSubscription, _ snapshot: ReadSnapshot, at now: Instant) throws -> [NewMessage] {
        let search = EntitySearch(
            filter: compiled.filter, classificationMax: compiled.sight.classificationMax, limit: Self.entityCountMax, now: now)
        let found = try snapshot.search(search).entities
        let entities = OrderedDictionary(grouping: found, by: \.stored.sealingKey)
        return try entities.flatMap { key, found in
            try stride(from: 0, to: found.count, by: Self.groupCountMax).compactMap { start in
                let group = try found[start..<min(start + Self.groupCountMax, found.count)].map { found in
                    NotifiedEntity(try found.entity ?? snapshot.entity(found.stored), isPersonal: found.stored.classification.isPersonal)
                }
                return try compiled.message(of: group, keys: key.map { [$0] } ?? [], at: now, in: snapshot)
            }
        }
    }
}
