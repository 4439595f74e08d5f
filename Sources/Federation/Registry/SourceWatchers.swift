package import Broker
package import CityModel
internal import LinkedData
package import Store
package import Subscriptions

/// What happened to one registration.
package struct RegistrationChange: Sendable {
    /// Nil when it was created.
    let before: RegistrationRecord?
    /// Nil when it was removed.
    let after: RegistrationRecord?
}

/// The same with the registrations read: once for all subscriptions that it is held against.
struct ReadChange {
    let change: RegistrationChange
    let before: Registration?
    let after: Registration?

    /// What can't be read any more was told to nobody, and may be removed.
    init(_ change: RegistrationChange) throws {
        (self.change, before) = (change, change.before.flatMap { try? Registration($0) })
        after = try change.after.map(Registration.init)
    }
}

/// Tells subscribers of changes to registrations (clause 5.11.7). What they are told is put into the outbox in the transaction of
/// the change itself: none is missed, and none is told of what did not come to be.
package struct SourceWatchers: Sendable {
    private let contexts: ContextLibrary
    private let limits: NotificationLimits
    private let report: @Sendable (MunicipalityName, PassedOver) -> Void

    /// - Parameter report: told of subscriptions that can't be read.
    package init(contexts: ContextLibrary, limits: NotificationLimits, report: @escaping @Sendable (MunicipalityName, PassedOver) -> Void) {
        (self.contexts, self.limits, self.report) = (contexts, limits, report)
    }

    /// The subscriptions of a municipality, made ready.
    private struct Ready: Sendable {
        var subscriptions: [SourceSubscription] = []
        /// Of all of them, also those that can't be read.
        var revisions: [String: Int64] = [:]
    }

    /// The subscriptions are others than when they were made ready: to be done once more.
    private struct Outdated: Error {}
    private static let attemptCountMax = 10

    /// Runs a write that changes registrations.
    /// - Parameter body: returns what it changed.
    func write(
        _ file: MunicipalityFile, at now: Instant, _ body: @escaping @Sendable (WriteTransaction) throws -> [RegistrationChange]
    ) async throws {
        for _ in 0..<Self.attemptCountMax {
            let ready = try await ready(of: file)
            do { return try await write(file, at: now, ready, body) } catch is Outdated {}
        }
        throw CityError.overloaded("subscriptions to registrations change too quickly")
    }

    private func write(
        _ file: MunicipalityFile, at now: Instant, _ ready: Ready,
        _ body: @escaping @Sendable (WriteTransaction) throws -> [RegistrationChange]
    ) async throws {
        let limits = limits
        try await file.write { transaction in
            let revisions = try transaction.sourceSubscriptionRevisions()
            guard revisions.allSatisfy({ ready.revisions[$0.key] == $0.value }) else { throw Outdated() }
            let written = try body(transaction)
            let changes = ready.subscriptions.isEmpty ? [] : try written.map(ReadChange.init)
            for subscription in ready.subscriptions {
                guard let record = try transaction.subscription(subscription.record.id), record.isActive, !record.hasExpired(at: now) else { continue }
                // Whoever is to be told of all of them soon is told of this one then.
                guard record.due == nil, subscription.subscription.timeIntervalSeconds == nil else { continue }
                try transaction.mail(changes.compactMap { try subscription.message(of: $0, at: now) }, limits, at: now)
            }
        }
    }

    /// One that can't be read is passed over: it keeps nobody from writing.
    private func ready(of file: MunicipalityFile) async throws -> Ready {
        let records = try await file.read { snapshot in
            guard try !snapshot.sourceSubscriptionRevisions().isEmpty else { return [] }
            return try snapshot.subscriptions(offset: 0, limit: Int(Int32.max), aboutSources: true)
        } as [SubscriptionRecord]
        var ready = Ready()
        for record in records {
            ready.revisions[record.id] = record.revision
            do { ready.subscriptions.append(try await SourceSubscription(record, file.name, contexts)) } catch {
                report(file.name, PassedOver(subscription: record.id, change: nil, reason: error))
            }
        }
        return ready
    }

    /// Tells a subscription which registrations there are: at first, after it was changed, and periodically where it says so.
    package func tell(_ record: SubscriptionRecord, _ file: MunicipalityFile, at now: Instant) async throws -> Bool {
        let subscription = try await SourceSubscription(record, file.name, contexts)
        let limits = limits
        try await file.write { transaction in
            // Changed since: it is looked at again.
            guard let current = try transaction.subscription(record.id), current.revision == record.revision, let due = current.due else { return }
            let next = subscription.subscription.timeIntervalSeconds.map { Period(seconds: $0).next(after: due, now: now) }
            try transaction.setDue(record.id, next)
            guard current.isActive, !current.hasExpired(at: now), try next == nil || transaction.outboxSize(of: record.id)?.count == 0 else { return }
            let registrations = try transaction.registrations().filter { $0.expiresAt.map { now < $0 } ?? true }
            if let message = try subscription.message(of: registrations, at: now) { try transaction.mail([message], limits, at: now) }
        }
        return false
    }
}
