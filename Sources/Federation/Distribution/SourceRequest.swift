package import CityModel
package import Trust

/// A request to a context source, ready to be sent.
package struct SourceRequest: Sendable {
    package enum Method: String, Sendable { case get = "GET", post = "POST", patch = "PATCH", put = "PUT", delete = "DELETE" }

    package var endpoint: SourceEndpoint
    package var method: Method
    /// Below `/ngsi-ld/v1/`, with its identifiers encoded.
    package var path: String
    package var query: [(name: String, value: String)]
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]?
    package var timeoutSeconds: Double
    package var answerByteCountMax: Int
}

/// What became of a request to a source.
package enum SourceAnswer: Sendable {
    case answer(status: Int, headers: [(name: String, value: String)], body: [UInt8])
    case timedOut
    /// It can't be reached, or breaks off, or sends more than may be.
    case failed(String)
}

/// Who asked what is passed on, so that a municipality on this installation can decide anew what he may.
package struct Asker: Sendable {
    package let now: Instant
    package let credential: Credential

    package init(now: Instant, credential: Credential) { (self.now, self.credential) = (now, credential) }
}

/// Carries a request to its source: an effect, passed down by the server.
package typealias SendToSource = @Sendable (SourceRequest, Asker) async -> SourceAnswer
