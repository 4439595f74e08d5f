internal import AsyncHTTPClient
internal import Broker
internal import Logging
internal import ServiceLifecycle
internal import Store
internal import Subscriptions

/// Runs the service that delivers notifications, with the means to send them.
struct Notifying: Service {
    private let service: NotificationService
    private let client: HTTPClient

    init(store: Store, contexts: ContextLibrary, limits: ServerLimits, egress: EgressPolicy, logger: Logger) {
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: egress.guarding(HTTPNotifier.clientConfiguration))
        let http = HTTPNotifier(client: client, egress: egress)
        let mqtt = MQTTNotifier(egress: egress)
        service = NotificationService(
            store: store, contexts: contexts,
            limits: NotificationLimits(
                queuedCountMax: limits.queuedNotificationCountMax, attemptCountMax: limits.notificationAttemptCountMax,
                inFlightCountMax: limits.notifiedEndpointCountMax)
        ) { endpoint, headers, body in
            switch endpoint.binding {
            case .http: await http.send(endpoint, headers, body)
            case .mqtt: await mqtt.send(endpoint, headers, body)
            }
        } report: { municipality, error in
            logger.error("notifications stand still", metadata: ["municipality": "\(municipality)", "error": "\(error)"])
        }
    }

    /// What was begun is finished; what waits is delivered after the next start.
    func run() async throws {
        try await withGracefulShutdownHandler {
            try await service.run()
        } onGracefulShutdown: {
            service.stop()
        }
    }

    /// Endpoints for which something waits or is on its way.
    var waitingEndpointCount: Int { service.waitingEndpointCount }

    func close() async throws { try await client.shutdown() }
}
