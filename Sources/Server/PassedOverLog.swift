internal import CityModel
internal import Logging
internal import Subscriptions
internal import Synchronization

/// Logs and counts changes and subscriptions that notifications left out, for they could not be read or cost too much.
final class PassedOverLog: Sendable {
    private let logger: Logger
    private let number = Atomic(0)

    init(_ logger: Logger) { self.logger = logger }

    var count: Int { number.load(ordering: .relaxed) }

    func note(_ municipality: MunicipalityName, _ passed: PassedOver) {
        number.add(1, ordering: .relaxed)
        logger.error("something was not told of", metadata: ["municipality": "\(municipality)", "error": "\(passed)"])
    }
}
