internal import AsyncHTTPClient
internal import CityModel
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import Trust

/// Asks an identity provider: bounded in time and size, without redirections, and kept away from private addresses unless allowed.
struct IssuerDownload: Sendable {
    let client: HTTPClient
    let egress: EgressPolicy

    private static let byteCountMax = 1 << 20
    private static let secondsMax = 10

    var issuerClient: IssuerClient {
        IssuerClient(
            get: { try await send(HTTPClientRequest(url: $0)) },
            post: { address, form, credentials in
                var request = HTTPClientRequest(url: address)
                request.method = .POST
                request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
                if let credentials {
                    // Both are encoded as in a form first (RFC 6749, section 2.3.1).
                    let text = "\(Self.escaped(credentials.user)):\(Self.escaped(credentials.password))"
                    request.headers.add(name: "Authorization", value: "Basic " + Data(text.utf8).base64EncodedString())
                }
                request.body = .bytes(ByteBuffer(string: form.map { "\($0.name)=\(Self.escaped($0.value))" }.joined(separator: "&")))
                return try await send(request)
            })
    }

    private func send(_ request: HTTPClientRequest) async throws -> JSON {
        try await egress.check(request.url)
        var request = request
        request.headers.add(name: "Accept", value: "application/json")
        let prepared = request
        return try await withThrowingTaskGroup(of: JSON.self) { group in
            group.addTask {
                let response = try await client.execute(prepared, timeout: .seconds(Int64(Self.secondsMax)))
                guard response.status == .ok else { throw CityError.sourceFailed("the identity provider answers \(response.status.code)") }
                return try JSON(parsing: try await response.body.collect(upTo: Self.byteCountMax).readableBytesView)
            }
            group.addTask {
                try await Task.sleep(for: .seconds(Self.secondsMax))
                throw CityError.sourceTimedOut("the identity provider did not answer within \(Self.secondsMax) s")
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }

    private static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")) ?? ""
    }
}
