package import CityModel
package import Store

extension WriteTransaction {
    /// Puts messages that no matcher made into the queues of their subscriptions, and tells the couriers.
    package func mail(_ messages: [NewMessage], _ limits: NotificationLimits, at now: Instant) throws {
        for subscription in try Outbox(limits: limits).post(messages, self, at: now) { announceMail(for: subscription) }
    }
}

/// A name for one notification alone, by which a receiver can tell a repetition.
package func newNotificationID() -> String {
    "urn:ngsi-ld:Notification:" + String(UInt64.random(in: .min ... .max), radix: 36) + String(UInt64.random(in: .min ... .max), radix: 36)
}
