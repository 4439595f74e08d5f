/// What became of an attempt.
package enum DeliveryResult: Hashable, Sendable {
    /// The receiver said 200 OK, or the MQTT broker took it.
    case accepted
    /// The receiver took it and said so with another status of success: clause 5.8.6 counts that as failed; to send it again would
    /// only repeat it.
    case acceptedOtherwise
    /// The receiver wants this notification neither now nor later.
    case refused
    /// It may be accepted later.
    case failed
    /// There was nobody to speak to.
    case unreachable
    /// The program ends; nothing is known.
    case interrupted

    /// What an answer with this HTTP status means. Of those that blame the request, three ask for patience.
    package init(status: Int) {
        self =
            switch status {
            case 200: .accepted
            case 201...299: .acceptedOtherwise
            case 408, 425, 429: .failed
            case 400...499: .refused
            default: .failed
            }
    }
}

/// Carries one message to its endpoint: an effect, passed down by the server. Ends soon when its task is cancelled.
package typealias Send = @Sendable (Endpoint, _ headers: [(name: String, value: String)], _ body: [UInt8]) async -> DeliveryResult
