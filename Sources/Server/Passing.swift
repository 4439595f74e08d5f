internal import Federation
internal import Logging
internal import ServiceLifecycle
internal import Trust

/// Runs the service that passes subscriptions on to context sources.
struct Passing: Service {
    private let passing: SubscriptionPassing

    init(_ federation: Federation, _ gatekeeper: Gatekeeper, logger: Logger) {
        passing = SubscriptionPassing(federation, gatekeeper) { municipality, error in
            logger.error("subscriptions are not passed on", metadata: ["municipality": "\(municipality)", "error": "\(error)"])
        }
    }

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await passing.run()
        } onGracefulShutdown: {
            passing.stop()
        }
    }
}
