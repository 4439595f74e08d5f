internal import AsyncHTTPClient
internal import Broker
internal import Logging
internal import ServiceLifecycle
internal import Store
internal import Subscriptions
internal import Synchronization

/// Runs the service that delivers notifications, with the means to send them.
struct Notifying: Service {
    private let service: NotificationService
    private let client: HTTPClient
    private let mqtt: MQTTNotifier
    private let passedOver = Count()

    init(
        store: Store, contexts: ContextLibrary, limits: NotificationLimits, tellOfSources: @escaping TellOfSources, egress: EgressPolicy,
        logger: Logger
    ) {
        let configuration = HTTPNotifier.clientConfiguration(connectionCountMax: limits.inFlightCountMax)
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: egress.guarding(configuration))
        let http = HTTPNotifier(client: client, egress: egress)
        let mqtt = MQTTNotifier(egress: egress)
        self.mqtt = mqtt
        let passedOver = passedOver
        service = NotificationService(
            store: store, contexts: contexts, limits: limits, tellOfSources: tellOfSources
        ) { endpoint, headers, body in
            switch endpoint.binding {
            case .http: await http.send(endpoint, headers, body)
            case .mqtt: await mqtt.send(endpoint, headers, body)
            }
        } report: { municipality, error in
            let metadata: Logger.Metadata = ["municipality": "\(municipality)", "error": "\(error)"]
            if error is PassedOver {
                passedOver.add()
                logger.error("something was not told of", metadata: metadata)
            } else {
                logger.error("notifications stand still", metadata: metadata)
            }
        }
    }

    /// What is on its way has a few seconds to arrive; what waits is delivered after the next start.
    func run() async throws {
        try await withGracefulShutdownHandler {
            try await service.run()
        } onGracefulShutdown: {
            service.stop()
        }
    }

    /// Endpoints for which something waits or is on its way.
    var waitingEndpointCount: Int { service.waitingEndpointCount }

    /// Changes and subscriptions that were left out, for they could not be read or cost too much.
    var passedOverCount: Int { passedOver.value }

    func close() async throws {
        mqtt.close()
        try await client.shutdown()
    }
}

private final class Count: Sendable {
    private let number = Atomic(0)
    var value: Int { number.load(ordering: .relaxed) }
    func add() { number.add(1, ordering: .relaxed) }
}
