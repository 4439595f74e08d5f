internal import Broker
internal import CityModel
internal import OrderedCollections
internal import Store

/// Tells subscriptions what throttling held back, when the time between two notifications is over.
struct ThrottledRound: Sendable {
    let store: Store
    let contexts: ContextLibrary
    let cache: CompiledCache
    let outbox: Outbox
    /// Told of what is passed over.
    let report: @Sendable (MunicipalityName, any Error) -> Void

    struct Outcome: Sendable {
        var queues: [String: String] = [:]
        /// When the next subscription may be told; nil when nothing is held back.
        var nextDue: Instant?
    }

    private static let roundCountMax = 100
    private static let groupCountMax = 100
    private static let groupByteCountMax = 1 << 20

    func tellDue(in name: MunicipalityName, at now: Instant) async throws -> Outcome {
        let file = try store.file(name)
        var outcome = Outcome()
        let ids = try await file.read { try $0.subscriptionsWithHeldDue(at: now, limit: Self.roundCountMax) }
        let compiled = try await cache.compiled(Set(ids), of: file, contexts, at: now)
        for id in ids {
            if try await tell(id, compiled[id], file, at: now), let endpoint = compiled[id]?.endpoint { outcome.queues[id] = endpoint }
        }
        outcome.nextDue = try await file.read { try $0.nextHeldDue() }
        return outcome
    }

    /// - Returns: whether something waits in its queue now.
    private func tell(_ id: String, _ compiled: CompiledSubscription?, _ file: MunicipalityFile, at now: Instant) async throws -> Bool {
        // One that is not active, or can't be made ready, is told nothing (clause 5.8.6).
        guard let compiled, compiled.isActive(at: now) else {
            try await file.write { try $0.removeHeld(of: id) }
            return false
        }
        // One whose throttling was taken off is told what was held back before.
        let seconds = compiled.subscription.throttlingSeconds ?? 0
        let (rendered, consents) = try await file.read { snapshot in (try render(compiled, snapshot, at: now), try snapshot.consentRevision()) }
        let (messages, entities, faults) = rendered
        for fault in faults { report(file.name, fault) }
        return try await file.write { transaction in
            // What rests on a consent that was withdrawn since is left to the next round.
            guard try transaction.consentRevision() == consents else { return false }
            for _ in faults { try transaction.addDelivery(.oneFailure(at: now), to: id) }
            let isMore = try transaction.heldChanges(of: id, limit: entities.count + 1, byteCountMax: .max).count > entities.count
            try transaction.removeHeld(entities, of: id, due: isMore ? now.adding(seconds: seconds) : nil)
            try transaction.setLastMatch(id, now)
            return try !outbox.post(messages, transaction, at: now).isEmpty
        }
    }

    private func render(
        _ compiled: CompiledSubscription, _ snapshot: ReadSnapshot, at now: Instant
    ) throws -> (messages: [NewMessage], entities: [String], faults: [PassedOver]) {
        let held = try snapshot.heldChanges(of: compiled.id, limit: Self.groupCountMax, byteCountMax: Self.groupByteCountMax)
        var (notified, faults) = (OrderedDictionary<[KeyID], [NotifiedEntity]>(), [PassedOver]())
        for (_, change) in held {
            do {
                guard let change = try change.get().seen(by: compiled.sight, in: snapshot) else { continue }
                notified[change.keys, default: []].append(NotifiedEntity(change, ChangeKinds(change), for: compiled.subscription))
            } catch where !error.isOfFile { faults.append(PassedOver(subscription: compiled.id, change: nil, reason: error)) }
        }
        var messages: [NewMessage] = []
        for (keys, notified) in notified {
            do { if let message = try compiled.message(of: notified, keys: keys, at: now, in: snapshot) { messages.append(message) } } catch where !error.isOfFile {
                faults.append(PassedOver(subscription: compiled.id, change: nil, reason: error))
            }
        }
        return (messages, held.map(\.entity), faults)
    }
}
