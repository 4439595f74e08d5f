internal import CityModel
internal import OrderedCollections
internal import Store

/// Delivers what waits for one subscription, in its order, a few messages a turn.
struct Courier: Sendable {
    let store: Store
    let send: Send
    let plan: DeliveryPlan
    /// Whether the program ends: then a turn does as well, after the message that is on its way.
    let isStopping: @Sendable () -> Bool

    /// How a turn ended, and how the endpoint showed itself in it.
    struct Turn: Sendable {
        var next = DeliveryBoard.Next.idle
        var reach: DeliveryBoard.Reach?
    }

    private static let messageCountMax = 16
    private static let byteCountMax = 4 << 20
    /// What a turn may take before others have theirs; the message that is on its way then is the last.
    private static let turnSecondsMax = 2.0
    /// An answer that takes longer makes an endpoint a slow one.
    private static let slowSeconds = 1.0

    /// What the attempts of a turn lead to, to be written down together.
    private struct Report: Sendable {
        var removed: [Int64] = []
        var postponed: (id: Int64, attemptCount: Int, due: Instant, createdAt: Instant)?
        var news = DeliveryState()
        var reach: DeliveryBoard.Reach?
    }

    private enum Step { case goOn, endTurn, interrupted }

    func deliver(_ queue: DeliveryBoard.Queue, now: @Sendable () -> Instant) async throws -> Turn {
        let (file, id) = (try store.file(queue.municipality), queue.subscription)
        let consents = file.consents.revision
        let (messages, record) = try await file.read { snapshot in
            (try snapshot.outbox(of: id, limit: Self.messageCountMax, byteCountMax: Self.byteCountMax), try snapshot.subscription(id))
        }
        guard let first = messages.first else { return Turn() }
        // Only active subscriptions are told (clause 5.8.6); what can't be read can't be sent either.
        guard let record, record.isActive, !record.hasExpired(at: now()), let endpoint = try? Self.endpoint(record) else {
            try await file.write { try $0.removeOutbox(of: id) }
            return Turn()
        }
        func isDue(_ due: Instant) -> Bool { plan.isDue(due, cooldownSeconds: endpoint.cooldownSeconds, at: now()) }
        guard isDue(first.due) else { return Turn(next: .at(first.due)) }
        let began = now()
        var report = Report()
        var step = Step.goOn
        for message in messages where step == .goOn {
            // What somebody withdrew their consent to is not in the queue any more: the next turn reads it anew.
            guard isDue(message.due), now() < began.adding(seconds: Self.turnSecondsMax), !isStopping(), file.consents.revision == consents
            else { break }
            step = await deliver(message, to: endpoint, &report, now)
        }
        var turn = try await write(report, record, file, isInterrupted: step == .interrupted || isStopping())
        // The clock may have been set back during the turn.
        if case .at(let due) = turn.next, isDue(due) { turn.next = .more }
        return turn
    }

    private func deliver(
        _ message: OutboxMessage, to endpoint: Endpoint, _ report: inout Report, _ now: @Sendable () -> Instant
    ) async -> Step {
        let began = now()
        let result = await send(endpoint, message.headers + endpoint.receiverInfo, message.body)
        let moment = now()
        guard result != .interrupted else { return .interrupted }
        report.news.add(Self.news(result, at: moment))
        report.reach = result == .unreachable ? .unreachable : moment > began.adding(seconds: Self.slowSeconds) ? .slow : .answered
        switch result {
        case .accepted, .acceptedOtherwise, .refused, .interrupted:
            report.removed.append(message.id)
            return .goOn
        case .failed, .unreachable:
            let attemptCount = message.attemptCount + 1
            let createdAt = plan.began(createdAt: message.createdAt, attemptCount: message.attemptCount, due: message.due, at: began)
            switch plan.failed(attemptCount: attemptCount, createdAt: createdAt, cooldownSeconds: endpoint.cooldownSeconds, at: moment) {
            case .again(let due): report.postponed = (message.id, attemptCount, due, createdAt)
            case .giveUp: report.removed.append(message.id)
            }
            return .endTurn
        }
    }

    private func write(_ report: Report, _ record: SubscriptionRecord, _ file: MunicipalityFile, isInterrupted: Bool) async throws -> Turn {
        let isUnchanged = try await file.write { transaction in
            for id in report.removed { try transaction.removeMessage(id) }
            if report.news.timesSent > 0 { try transaction.addDelivery(report.news, to: record.id) }
            // Who changed the subscription meanwhile let its queue begin anew: it does not wait for what failed before.
            let isUnchanged = try transaction.subscriptionRevision(record.id) == record.revision
            if isUnchanged, let postponed = report.postponed {
                try transaction.postpone(postponed.id, attemptCount: postponed.attemptCount, until: postponed.due, createdAt: postponed.createdAt)
            }
            return isUnchanged
        }
        if isInterrupted { return Turn(reach: report.reach) }
        let due = isUnchanged ? report.postponed?.due : nil
        return Turn(next: due.map { .at($0) } ?? .more, reach: report.reach)
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
