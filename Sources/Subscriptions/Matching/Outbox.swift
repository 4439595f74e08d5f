internal import CityModel
internal import Store
internal import Trust

/// Puts notifications into the queues of their subscriptions.
struct Outbox: Sendable {
    let limits: NotificationLimits

    /// Bytes of notifications that are made, and written, at once.
    static let partByteCountMax = 16 << 20

    /// Puts notifications into queues. One that is full takes no more: that counts as failed.
    /// - Returns: the subscriptions that something was added for.
    func post(_ messages: [NewMessage], _ transaction: WriteTransaction, at now: Instant) throws -> Set<String> {
        var subscriptions: Set<String> = []
        for message in messages {
            // Gone since it was matched.
            guard let size = try transaction.outboxSize(of: message.subscription) else { continue }
            if limits.hasRoom(for: message.body.count, in: size) {
                try transaction.append(message, at: now)
                try account(for: message, transaction, at: now)
                subscriptions.insert(message.subscription)
            } else {
                try transaction.addDelivery(.oneFailure(at: now), to: message.subscription)
            }
        }
        return subscriptions
    }
}

extension Outbox {
    /// Who subscribed uses what they are told of people, whether or not it reaches them.
    private func account(for message: NewMessage, _ transaction: WriteTransaction, at now: Instant) throws {
        guard !message.use.isEmpty, let record = try transaction.subscription(message.subscription),
            let note = UseNote(message.use, subscriber: record.claimant)
        else { return }
        try transaction.record(note, at: now)
    }
}

extension DeliveryState {
    /// A notification that was lost before it could be sent.
    static func oneFailure(at now: Instant) -> DeliveryState {
        var news = DeliveryState()
        (news.timesFailed, news.lastFailure) = (1, now)
        return news
    }
}
