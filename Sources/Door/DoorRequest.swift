package import CityModel
package import HTTPTypes
package import Hummingbird
package import Logging
package import NIOCore
package import Trust

/// A request as a door sees it: its path matched, its query string decoded, its credential read.
package struct DoorRequest: Sendable {
    package let method: HTTPRequest.Method
    /// The path without the query string, as it came.
    package let path: String
    package let headers: HTTPFields
    /// The host and port that the client asked for.
    package let authority: String?
    package let query: QueryParameters
    /// The parts of the path that the route's template names, decoded.
    package let pathParameters: [String: String]
    package let credential: Credential
    /// The moment the request arrived.
    package let now: Instant
    package let content: Content
    package let logger: Logger
    /// The network address that the request came from, as far as one household or office has it; nil when that is not known.
    package var network: String? { findNetwork() }
    /// Nil where the answer is not given again in any case.
    package var reuse: AnswerReuse?
    /// Asked by few: it is found when it is.
    package var findNetwork: @Sendable () -> String? = { nil }

    package enum Content: Sendable {
        case collected(ByteBuffer)
        /// For routes that read as they go.
        case stream(RequestBody)
    }

    package init(
        method: HTTPRequest.Method, path: String, headers: HTTPFields, authority: String?, query: QueryParameters,
        pathParameters: [String: String], credential: Credential, now: Instant, content: Content, logger: Logger
    ) {
        (self.method, self.path, self.headers, self.authority, self.query) = (method, path, headers, authority, query)
        (self.pathParameters, self.credential, self.now, self.content, self.logger) = (pathParameters, credential, now, content, logger)
    }
}

extension DoorRequest {
    /// The bytes of a collected body; empty for a streamed one.
    package var body: ByteBuffer { if case .collected(let buffer) = content { buffer } else { ByteBuffer() } }

    /// The municipality that `NGSILD-Tenant` names (clause 6.3.14).
    package func tenant() throws(CityError) -> MunicipalityName {
        guard let text = headers[.ngsildTenant] else { return .standard }
        guard let name = MunicipalityName(text) else {
            throw .badRequestData("NGSILD-Tenant: \(text) is not a municipality's name (letters, digits, - and _)")
        }
        return name
    }

    /// What the request says that it is for, and what it rests on.
    package var terms: RequestTerms {
        func text(_ name: HTTPField.Name) -> String? { headers[name].flatMap { $0.isEmpty || $0.utf8.count > 200 ? nil : $0 } }
        return RequestTerms(purpose: text(.conurbPurpose), agreement: text(.conurbAgreement))
    }

    package func pathParameter(_ name: String) throws(CityError) -> String {
        guard let value = pathParameters[name], !value.isEmpty else { throw .badRequestData("\(name): missing in the path") }
        return value
    }

    /// A path parameter that is an identifier.
    package func identifier(_ name: String) throws(CityError) -> IRI {
        let text = try pathParameter(name)
        guard let iri = IRI(text) else { throw .badRequestData("\(name): \(text) is not a URI") }
        return iri
    }
}

extension DoorRequest {
    /// Logs a fault of this program that the answer tells nothing of.
    package func log(_ message: String, _ error: any Error) { logger.error("\(message)", metadata: ["error": "\(error)"]) }
}

extension HTTPField.Name {
    package static let ngsildTenant = HTTPField.Name("NGSILD-Tenant")!
    /// The purpose of a request, of the declared list, such as `dpv:ServiceProvision`.
    package static let conurbPurpose = HTTPField.Name("Conurb-Purpose")!
    /// The agreement that a request rests on.
    package static let conurbAgreement = HTTPField.Name("Conurb-Agreement")!
    package static let ngsildEntityMap = HTTPField.Name("NGSILD-EntityMap")!
    package static let ngsildSnapshot = HTTPField.Name("NGSILD-Snapshot")!
    package static let ngsildResultsCount = HTTPField.Name("NGSILD-Results-Count")!
    package static let forwardedProto = HTTPField.Name("X-Forwarded-Proto")!
    package static let link = HTTPField.Name("Link")!
    package static let prefer = HTTPField.Name("Prefer")!
    package static let preferenceApplied = HTTPField.Name("Preference-Applied")!
}

extension DoorRequest {
    /// The scheme and host that the client used to reach this program, for URLs in answers.
    package var origin: String {
        let scheme = headers[.forwardedProto] == "https" ? "https" : "http"
        return "\(scheme)://\(authority ?? "localhost")"
    }
}
