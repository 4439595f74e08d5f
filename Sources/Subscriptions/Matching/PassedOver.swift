/// Something that could not be told of, for what it was made of is damaged or too costly: it was left out, so that everything after
/// it goes on.
package struct PassedOver: Error, CustomStringConvertible {
    /// Nil when the change can't be read at all.
    package let subscription: String?
    /// A registration of a context source that can't be read; nil when it is about something else.
    package let registration: String?
    /// The number of the change; nil for what throttling held back.
    package let change: Int64?
    package let reason: any Error
    /// Whether the subscription itself can't be read, so that it was left out of a list.
    private var isUnreadable = false

    package init(subscription: String?, change: Int64?, reason: any Error) {
        (self.subscription, registration, self.change, self.reason) = (subscription, nil, change, reason)
    }

    package init(registration: String, reason: any Error) {
        (subscription, self.registration, change, self.reason) = (nil, registration, nil, reason)
    }

    package init(unreadable subscription: String, reason: any Error) {
        self.init(subscription: subscription, change: nil, reason: reason)
        isUnreadable = true
    }

    package var description: String {
        if let registration { return "registration \(registration) is passed over: \(reason)" }
        if isUnreadable, let subscription { return "subscription \(subscription) is passed over: \(reason)" }
        let what = change.map { "change \($0)" } ?? "a change"
        return "\(what) is passed over\(subscription.map { " for subscription \($0)" } ?? ""): \(reason)"
    }
}
