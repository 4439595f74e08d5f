import AsyncHTTPClient
import CityModel
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Server
import ServiceLifecycle
import Store

/// What went wrong on the server's side of a command.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
}

/// Speaks to the server of a data directory over its control socket. When no server runs there, one is started inside this
/// process for the length of the command, without a network address: so a command does the same either way.
struct ControlClient: Sendable {
    private let client: HTTPClient
    private let socketPath: String

    init(client: HTTPClient = .shared, socketPath: String) { (self.client, self.socketPath) = (client, socketPath) }

    /// - Parameter creating: whether a folder that is not there is made. What only looks must not take a mistyped folder for an
    /// empty one.
    static func with<Result: Sendable>(
        _ directory: String, creating: Bool = false, _ body: @escaping @Sendable (ControlClient) async throws -> Result
    ) async throws -> Result {
        guard creating || FileManager.default.fileExists(atPath: directory) else {
            throw CommandFailure(description: "--data: there is no folder \(directory)")
        }
        var configuration = ServerConfiguration(dataDirectory: directory)
        configuration.listens = false
        configuration.keysDirectory = DataOption.keysDirectory
        let socketPath = configuration.controlSocketPath
        let server: ConurbServer
        do {
            server = try ConurbServer(configuration, logger: Logs.logger(.text, level: "warning"))
        } catch StoreError.locked {
            return try await speak(to: socketPath, body)
        }
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            let services = ServiceGroup(configuration: .init(services: [.init(service: server)], logger: Logs.logger(.text, level: "warning")))
            group.addTask {
                try await services.run()
                return nil
            }
            group.addTask {
                await server.untilReady()
                return try await speak(to: socketPath, body)
            }
            var result: Result?
            do {
                while let ended = try await group.next() {
                    if let ended {
                        result = ended
                        await services.triggerGracefulShutdown()
                    }
                }
            } catch {
                await services.triggerGracefulShutdown()
                while (try? await group.next()) != nil {}
                throw error
            }
            guard let result else { throw CommandFailure(description: "the server stopped before the command was done") }
            return result
        }
    }

    private static func speak<Result>(to socketPath: String, _ body: (ControlClient) async throws -> Result) async throws -> Result {
        let client = HTTPClient(eventLoopGroupProvider: .singleton)
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(ControlClient(client: client, socketPath: socketPath))) } catch { result = .failure(error) }
        try await client.shutdown()
        return try result.get()
    }

    private func request(_ method: HTTPMethod, _ path: String, municipality: String?) -> HTTPClientRequest {
        let allowed = CharacterSet.alphanumerics
        let socket = socketPath.addingPercentEncoding(withAllowedCharacters: allowed) ?? socketPath
        var request = HTTPClientRequest(url: "http+unix://\(socket)\(path)")
        request.method = method
        if let municipality { request.headers.add(name: "NGSILD-Tenant", value: municipality) }
        return request
    }

    /// Sends a request and hands over the answer; one that is a problem is thrown with its detail.
    func send<Result>(
        _ method: HTTPMethod, _ path: String, municipality: String? = nil, contentType: String? = nil, accept: String? = nil,
        body: HTTPClientRequest.Body? = nil, timeout: TimeAmount = .hours(24), _ read: (HTTPClientResponse) async throws -> Result
    ) async throws -> Result {
        var request = request(method, path, municipality: municipality)
        if let contentType { request.headers.add(name: "Content-Type", value: contentType) }
        if let accept { request.headers.add(name: "Accept", value: accept) }
        request.body = body
        let response = try await client.execute(request, timeout: timeout)
        guard (200..<300).contains(response.status.code) else {
            let text = try await response.body.collect(upTo: 1 << 20)
            let problem = try? JSON(parsing: text.readableBytesView)
            throw CommandFailure(description: problem?["detail"]?.stringValue ?? problem?["title"]?.stringValue ?? "\(response.status)")
        }
        return try await read(response)
    }

    /// The JSON that an answer holds; null for an empty one.
    func json(
        _ method: HTTPMethod, _ path: String, municipality: String? = nil, contentType: String? = nil, body: HTTPClientRequest.Body? = nil
    ) async throws -> JSON {
        try await send(method, path, municipality: municipality, contentType: contentType, body: body) { response in
            let bytes = try await response.body.collect(upTo: 64 << 20)
            return bytes.readableBytes == 0 ? .null : try JSON(parsing: bytes.readableBytesView)
        }
    }
}

/// Runs the body of a command and turns what it throws into a line on standard error and exit code 1.
func reportingFailure<Result>(_ body: () async throws -> Result) async throws -> Result {
    do { return try await body() } catch let failure as CommandFailure {
        tell("conurb: \(failure.description)")
        throw ExitCodes.failure
    }
}
