internal import CityModel
internal import Store
internal import Synchronization

/// Remembers how requests to sources went until it is written down: a reading request writes nothing itself. What a crash takes
/// from it are counts of a second or so.
package final class ForwardingBook: Sendable {
    private let state = Mutex<[MunicipalityName: [String: DeliveryState]]>([:])
    private static let registrationCountMax = 100_000

    package init() {}

    func note(_ succeeded: Bool, _ registration: IRI, in municipality: MunicipalityName, at now: Instant) {
        var news = DeliveryState()
        news.timesSent = 1
        if succeeded { news.lastSuccess = now } else { (news.timesFailed, news.lastFailure) = (1, now) }
        state.withLock { state in
            guard state[municipality, default: [:]].count < Self.registrationCountMax else { return }
            state[municipality, default: [:]][registration.text, default: DeliveryState()].add(news)
        }
    }

    func news(of registration: String, in municipality: MunicipalityName) -> DeliveryState? {
        state.withLock { $0[municipality]?[registration] }
    }

    func take(from municipality: MunicipalityName) -> [String: DeliveryState] { state.withLock { $0.removeValue(forKey: municipality) ?? [:] } }
}
