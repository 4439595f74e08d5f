internal import AsyncHTTPClient
internal import CityModel
internal import Federation
internal import NIOCore
internal import NIOHTTP1

/// Sends requests to context sources on the web (clause 6.3.19). Bounded in time and bytes, and kept away from private addresses
/// unless allowed.
struct SourceClient: Sendable {
    let client: HTTPClient
    let egress: EgressPolicy

    func send(_ source: SourceRequest, to address: String) async -> SourceAnswer {
        do {
            try await egress.check(address)
            var request = HTTPClientRequest(url: Self.url(source, address))
            request.method = HTTPMethod(rawValue: source.method.rawValue)
            request.headers = HTTPHeaders(source.headers.map { ($0.name, $0.value) })
            if let body = source.body { request.body = .bytes(ByteBuffer(bytes: body)) }
            let deadline = NIODeadline.now() + .milliseconds(max(1, Int64(source.timeoutSeconds * 1000)))
            let response = try await client.execute(request, deadline: deadline)
            let body = try await Self.body(response, source, until: deadline)
            return .answer(
                status: Int(response.status.code), headers: response.headers.map { ($0.name, $0.value) }, body: Array(body.readableBytesView))
        } catch is NIOTooManyBytesError {
            return .failed(Federation.tooLarge)
        } catch let error as HTTPClientError where [.deadlineExceeded, .readTimeout, .connectTimeout].contains(error) {
            return .timedOut
        } catch is TimedOut {
            return .timedOut
        } catch {
            // Whoever asks is told no more: where a source is, and what it is there, is not for everybody.
            return .failed("the source can't be reached")
        }
    }

    private struct TimedOut: Error {}

    /// The deadline holds for the whole answer: a source that sends drop by drop holds up nothing.
    private static func body(_ response: HTTPClientResponse, _ source: SourceRequest, until deadline: NIODeadline) async throws -> ByteBuffer {
        let (body, byteCountMax) = (response.body, source.answerByteCountMax)
        return try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
            group.addTask { try await body.collect(upTo: byteCountMax) }
            group.addTask {
                try await Task.sleep(for: .nanoseconds(max(0, (deadline - .now()).nanoseconds)))
                throw TimedOut()
            }
            defer { group.cancelAll() }
            guard let collected = try await group.next() else { throw TimedOut() }
            return collected
        }
    }

    /// An endpoint is named with or without the path that all of them have.
    private static func url(_ source: SourceRequest, _ address: String) -> String {
        let base = address.hasSuffix("/ngsi-ld/v1") ? address : address + "/ngsi-ld/v1"
        let query = source.query.map { "\(URLText.encode($0.name))=\(URLText.encode($0.value))" }.joined(separator: "&")
        return base + "/" + source.path + (query.isEmpty ? "" : "?" + query)
    }
}
