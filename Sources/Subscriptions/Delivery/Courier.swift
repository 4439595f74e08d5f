internal import CityModel
internal import OrderedCollections
internal import Store

/// What became of an attempt.
package enum DeliveryResult: Hashable, Sendable {
    /// The receiver said 200 OK, or the MQTT broker took it.
    case accepted
    /// The receiver took it and said so with another status of success: clause 5.8.6 counts that as failed; to send it again would
    /// only repeat it.
    case acceptedOtherwise
    case failed
    /// The program ends; nothing is known.
    case interrupted
}

/// Carries one message to its endpoint: an effect, passed down by the server.
package typealias Send = @Sendable (Endpoint, _ headers: [(name: String, value: String)], _ body: [UInt8]) async -> DeliveryResult

/// Delivers what waits for one endpoint, in its order.
struct Courier: Sendable {
    let store: Store
    let send: Send
    let plan: DeliveryPlan

    enum Next: Hashable, Sendable {
        case idle, more
        case at(Instant)
    }

    private static let pageCountMax = 16

    /// What one attempt leads to, to be written down together.
    private struct Report: Sendable {
        var removed: [Int64] = []
        var postponed: (id: Int64, attemptCount: Int, due: Instant)?
        var news: [String: DeliveryState] = [:]
    }

    /// Delivers the first messages of an endpoint's queue, up to the first that fails.
    func deliver(to endpoint: String, of name: MunicipalityName, now: @Sendable () -> Instant) async throws -> Next {
        let file = try store.file(name)
        let (messages, records) = try await file.read { snapshot in
            let messages = try snapshot.outbox(of: endpoint, limit: Self.pageCountMax)
            let records = try Set(messages.map(\.subscription)).compactMap { try snapshot.subscription($0) }
            return (messages, Dictionary(records.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first }))
        }
        guard let first = messages.first else { return .idle }
        guard first.due <= now() else { return .at(first.due) }
        var report = Report()
        var isInterrupted = false
        for message in messages {
            guard message.due <= now(), await deliver(message, records[message.subscription], &report, &isInterrupted, now) else { break }
        }
        let written = report
        try await file.write { transaction in
            for id in written.removed { try transaction.removeMessage(id) }
            if let postponed = written.postponed {
                try transaction.postpone(postponed.id, attemptCount: postponed.attemptCount, until: postponed.due)
            }
            for (subscription, news) in written.news { try transaction.addDelivery(news, to: subscription) }
        }
        if isInterrupted { return .idle }
        return report.postponed.map { .at($0.due) } ?? .more
    }

    /// - Returns: whether the next message may follow.
    private func deliver(
        _ message: OutboxMessage, _ record: SubscriptionRecord?, _ report: inout Report, _ isInterrupted: inout Bool,
        _ now: @Sendable () -> Instant
    ) async -> Bool {
        // Only active subscriptions are told (clause 5.8.6); what can't be read can't be sent either.
        guard let record, record.isActive, !record.hasExpired(at: now()), let endpoint = try? Self.endpoint(record) else {
            report.removed.append(message.id)
            return true
        }
        let result = await send(endpoint, message.headers, message.body)
        let moment = now()
        guard result != .interrupted else {
            isInterrupted = true
            return false
        }
        report.news[message.subscription, default: DeliveryState()].add(Self.news(result, at: moment))
        guard result == .failed else {
            report.removed.append(message.id)
            return true
        }
        let attemptCount = message.attemptCount + 1
        switch plan.failed(
            attemptCount: attemptCount, createdAt: message.createdAt, cooldownSeconds: endpoint.cooldownSeconds, at: moment)
        {
        case .again(let due): report.postponed = (message.id, attemptCount, due)
        case .giveUp: report.removed.append(message.id)
        }
        return false
    }

    private static func endpoint(_ record: SubscriptionRecord) throws -> Endpoint {
        guard let members = try SubscriptionBody(record.body).document["notification"]?["endpoint"]?.objectValue else {
            throw CityError.internalFault("a stored subscription has no endpoint")
        }
        return try Endpoint(members)
    }

    private static func news(_ result: DeliveryResult, at moment: Instant) -> DeliveryState {
        var news = DeliveryState()
        (news.timesSent, news.lastNotification) = (1, moment)
        if result == .accepted { news.lastSuccess = moment } else { (news.timesFailed, news.lastFailure) = (1, moment) }
        return news
    }
}
