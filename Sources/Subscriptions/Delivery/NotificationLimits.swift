/// What notifications may take.
package struct NotificationLimits: Sendable {
    /// Notifications that wait for one subscription, and the bytes of their bodies; one more is dropped and counted as failed.
    package var queuedCountMax: Int
    package var queuedByteCountMax: Int
    /// Attempts for one notification.
    package var attemptCountMax: Int
    /// Subscriptions whose notifications are sent at the same time.
    package var inFlightCountMax: Int
    /// How long what is on its way may take when the program ends. What is not accepted by then is sent again after the next start.
    package var endingDuration: Duration

    package init(
        queuedCountMax: Int = 10_000, queuedByteCountMax: Int = 256 << 20, attemptCountMax: Int = 20, inFlightCountMax: Int = 256,
        endingDuration: Duration = .seconds(5)
    ) {
        (self.queuedCountMax, self.queuedByteCountMax) = (queuedCountMax, queuedByteCountMax)
        (self.attemptCountMax, self.inFlightCountMax, self.endingDuration) = (attemptCountMax, inFlightCountMax, endingDuration)
    }

    /// What context sources may fill of a queue: a quarter is left to what happens here.
    package var shareOfSources: NotificationLimits {
        var limits = self
        (limits.queuedCountMax, limits.queuedByteCountMax) = (queuedCountMax - queuedCountMax / 4, queuedByteCountMax - queuedByteCountMax / 4)
        return limits
    }

    /// Whether a queue of a size takes one more notification. An empty one takes one of any size.
    package func hasRoom(for byteCount: Int, in size: (count: Int, byteCount: Int)) -> Bool {
        size.count == 0 || (size.count < queuedCountMax && size.byteCount + byteCount <= queuedByteCountMax)
    }
}
