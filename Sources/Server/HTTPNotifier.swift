internal import AsyncHTTPClient
internal import CityModel
internal import NIOCore
internal import NIOHTTP1
internal import Subscriptions

/// Sends notifications to HTTP endpoints (clause 6.3.8).
struct HTTPNotifier: Sendable {
    let client: HTTPClient
    let egress: EgressPolicy

    private static let timeoutSeconds = 10.0
    /// An endpoint may ask for less time or more, but for no more than this.
    private static let timeoutSecondsMax = 30.0
    /// Of an answer's body only so much is read as lets the connection be used again.
    private static let answerByteCountMax = 1 << 16
    private static let answerSecondsMax = 2

    static var clientConfiguration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: .seconds(5))
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }

    func send(_ endpoint: Endpoint, _ headers: [(name: String, value: String)], _ body: [UInt8]) async -> DeliveryResult {
        do {
            try await egress.check(endpoint.uri)
            var request = HTTPClientRequest(url: endpoint.uri)
            request.method = .POST
            request.headers = HTTPHeaders(headers.map { ($0.name, $0.value) })
            request.body = .bytes(ByteBuffer(bytes: body))
            let seconds = min(endpoint.timeoutSeconds ?? Self.timeoutSeconds, Self.timeoutSecondsMax)
            let response = try await client.execute(request, timeout: .milliseconds(max(1, Int64(seconds * 1000))))
            await Self.passOver(response.body)
            if response.status == .ok { return .accepted }
            return (200...299).contains(response.status.code) ? .acceptedOtherwise : .failed
        } catch {
            return Task.isCancelled ? .interrupted : .failed
        }
    }

    /// Reads an answer's body to its end, so that the connection can be used again, and only as far and as long as that is
    /// worth: a receiver that sends drop by drop holds up nothing.
    private static func passOver(_ body: HTTPClientResponse.Body) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = try? await body.collect(upTo: answerByteCountMax) }
            group.addTask { try? await Task.sleep(for: .seconds(answerSecondsMax)) }
            await group.next()
            group.cancelAll()
        }
    }
}
