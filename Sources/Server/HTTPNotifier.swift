internal import AsyncHTTPClient
internal import CityModel
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Subscriptions

/// Sends notifications to HTTP endpoints (clause 6.3.8).
struct HTTPNotifier: Sendable {
    let client: HTTPClient
    let egress: EgressPolicy

    private static let timeoutSeconds = 10.0
    /// An endpoint may ask for less time or more, but for no more than this.
    private static let timeoutSecondsMax = 30.0
    /// Addresses of one name that are tried.
    private static let addressCountMax = 4
    /// Of an answer's body only so much is read as lets the connection be used again.
    private static let answerByteCountMax = 1 << 16
    private static let answerSecondsMax = 2

    /// - Parameter connectionCountMax: connections to one address. Who sends when is decided before a message comes here: with
    ///   fewer than are on their way at a time, those of one municipality would wait for those of another.
    static func clientConfiguration(connectionCountMax: Int) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: .seconds(5))
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, connectionCountMax)
        return configuration
    }

    func send(_ endpoint: Endpoint, _ headers: [(name: String, value: String)], _ body: [UInt8]) async -> DeliveryResult {
        let seconds = min(endpoint.timeoutSeconds ?? Self.timeoutSeconds, Self.timeoutSecondsMax)
        let deadline = NIODeadline.now() + .milliseconds(max(1, Int64(seconds * 1000)))
        for target in (try? await targets(endpoint.uri)) ?? [] {
            var request = HTTPClientRequest(url: target.url)
            request.method = .POST
            request.headers = HTTPHeaders(headers.map { ($0.name, $0.value) })
            if let host = target.host { request.headers.replaceOrAdd(name: "Host", value: host) }
            request.body = .bytes(ByteBuffer(bytes: body))
            do {
                let response = try await client.execute(request, deadline: deadline)
                await Self.passOver(response.body)
                return DeliveryResult(status: Int(response.status.code))
            } catch {
                if Task.isCancelled { return .interrupted }
                guard Self.isWithoutConnection(error) else { return .failed }
            }
        }
        return Task.isCancelled ? .interrupted : .unreachable
    }

    /// Where to send: to the addresses that were checked, one after another. Where a certificate must be held against a name the
    /// client looks that up itself, and what it reached is checked once more (`EgressPolicy.guarding`).
    private func targets(_ uri: String) async throws -> [HTTPTarget] {
        guard let url = URL(string: uri), let host = url.host() else { return [] }
        let addresses = try await egress.addresses(of: host)
        guard url.scheme?.lowercased() == "http" else { return [HTTPTarget(url: uri, host: nil)] }
        return addresses.prefix(Self.addressCountMax).compactMap { address in address.ipAddress.flatMap { HTTPTarget(url, at: $0) } }
    }

    private static func isWithoutConnection(_ error: any Error) -> Bool {
        if error is NIOConnectionError || error is EgressPolicy.Refused { return true }
        if let error = error as? HTTPClientError { return error == .connectTimeout }
        guard let error = error as? IOError else { return false }
        return [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, EADDRNOTAVAIL].contains(error.errnoCode)
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

/// A URL whose host is the address to connect to, and the host it stands for.
struct HTTPTarget: Hashable, Sendable {
    let url: String
    /// Nil when the URL says it.
    let host: String?

    init(url: String, host: String?) { (self.url, self.host) = (url, host) }

    /// The same URL at one address of its host.
    init?(_ url: URL, at address: String) {
        guard let host = url.host(), var components = URLComponents(url: url, resolvingAgainstBaseURL: false) else { return nil }
        components.encodedHost = address.contains(":") ? "[\(address)]" : address
        guard let text = components.string else { return nil }
        let name = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        self.init(url: text, host: url.port.map { "\(name):\($0)" } ?? name)
    }
}
