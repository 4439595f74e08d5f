internal import AsyncHTTPClient
internal import Broker
internal import Logging
internal import ServiceLifecycle
internal import Store
internal import Subscriptions
internal import Trust

/// Runs the service that delivers notifications, with the means to send them.
struct Notifying: Service {
    private let service: NotificationService
    private let client: HTTPClient
    private let mqtt: MQTTNotifier

    init(
        store: Store, gatekeeper: Gatekeeper, contexts: ContextLibrary, limits: NotificationLimits, tellOfSources: @escaping TellOfSources, egress: EgressPolicy,
        passedOver: PassedOverLog, logger: Logger
    ) {
        let configuration = HTTPNotifier.clientConfiguration(connectionCountMax: limits.inFlightCountMax)
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: egress.guarding(configuration))
        let http = HTTPNotifier(client: client, egress: egress)
        let mqtt = MQTTNotifier(egress: egress)
        self.mqtt = mqtt
        service = NotificationService(
            store: store, gatekeeper: gatekeeper, contexts: contexts, limits: limits, tellOfSources: tellOfSources
        ) { endpoint, headers, body in
            switch endpoint.binding {
            case .http: await http.send(endpoint, headers, body)
            case .mqtt: await mqtt.send(endpoint, headers, body)
            }
        } report: { municipality, error in
            if let passed = error as? PassedOver { return passedOver.note(municipality, passed) }
            logger.error("notifications stand still", metadata: ["municipality": "\(municipality)", "error": "\(error)"])
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

    func close() async throws {
        mqtt.close()
        try await client.shutdown()
    }
}
