internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import Trust

/// Asks witnesses on the web to co-sign a checkpoint. Bounded in time and bytes, and kept away from private addresses unless allowed.
struct WitnessClient: Sendable {
    let client: HTTPClient
    let egress: EgressPolicy

    private static let seconds: Int64 = 10
    private static let answerByteCountMax = 1 << 16

    func send(_ address: String, _ body: String) async -> WitnessResponse? {
        do {
            try await egress.check(address)
            var request = HTTPClientRequest(url: address)
            request.method = .POST
            request.headers.add(name: "Content-Type", value: "text/plain; charset=utf-8")
            request.body = .bytes(ByteBuffer(string: body))
            let response = try await client.execute(request, timeout: .seconds(Self.seconds))
            let answer = try await Self.body(response)
            guard let text = String(validating: answer.readableBytesView, as: UTF8.self) else { return nil }
            return WitnessResponse(status: Int(response.status.code), body: text)
        } catch {
            return nil
        }
    }

    private struct TimedOut: Error {}

    /// A witness that sends drop by drop holds up nothing.
    private static func body(_ response: HTTPClientResponse) async throws -> ByteBuffer {
        let body = response.body
        return try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
            group.addTask { try await body.collect(upTo: answerByteCountMax) }
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                throw TimedOut()
            }
            defer { group.cancelAll() }
            guard let collected = try await group.next() else { throw TimedOut() }
            return collected
        }
    }
}
