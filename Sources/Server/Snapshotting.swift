internal import AsyncHTTPClient
internal import Broker
internal import Federation
internal import Logging
internal import NGSILD
internal import ServiceLifecycle
internal import Trust

/// Runs the service that prepares snapshots, with the means to tell their endpoints.
struct Snapshotting: Service {
    private let service: SnapshotService
    private let client: HTTPClient

    init(broker: Broker, gatekeeper: Gatekeeper, contexts: ContextLibrary, federation: Federation, egress: EgressPolicy, logger: Logger) {
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: egress.guarding(HTTPNotifier.clientConfiguration(connectionCountMax: 8)))
        let http = HTTPNotifier(client: client, egress: egress)
        service = SnapshotService(
            broker: broker, gatekeeper: gatekeeper, contexts: contexts, federation: federation, send: http.send
        ) { municipality, error in
            logger.error("snapshots stand still", metadata: ["municipality": "\(municipality)", "error": "\(error)"])
        }
    }

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await service.run()
        } onGracefulShutdown: {
            service.stop()
        }
    }

    func close() async throws { try await client.shutdown() }
}
