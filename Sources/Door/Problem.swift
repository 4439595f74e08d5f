package import CityModel
package import HTTPTypes
package import Hummingbird
internal import NIOCore
internal import OrderedCollections

/// Problem details for HTTP APIs (RFC 9457). Clients branch on `type`, which never changes; `detail` may.
package struct Problem: Error, Hashable, Sendable {
    package let type: String
    package let title: String
    package let status: Int
    package let detail: String?

    package init(type: String, title: String, status: Int, detail: String?) {
        (self.type, self.title, self.status, self.detail) = (type, title, status, detail)
    }

    /// A problem of the HTTP binding that NGSI-LD has no type for.
    package static func own(_ name: String, _ title: String, status: Int, _ detail: String?) -> Problem {
        Problem(type: "https://conurb.eu/problems/\(name)", title: title, status: status, detail: detail)
    }

    package var json: JSON {
        var members: JSONObject = ["type": .string(type), "title": .string(title), "status": .integer(Int64(status))]
        if let detail { members["detail"] = .string(detail) }
        return .object(members)
    }

    /// Always JSON, whatever the request accepts (clause 6.3.6).
    package func response(headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = "application/problem+json"
        headers[.cacheControl] = "no-store"
        if status == 401 { headers[.wwwAuthenticate] = "Bearer" }
        if status == 503, headers[.retryAfter] == nil { headers[.retryAfter] = "1" }
        return Response(
            status: .init(code: status), headers: headers, body: .init(byteBuffer: ByteBuffer(string: json.description)))
    }
}

extension Problem {
    /// The HTTP form of an error of the city (table 6.3.2-1 and our own types).
    package init(_ error: CityError) {
        let ngsild = "https://uri.etsi.org/ngsi-ld/errors/"
        func etsi(_ name: String, _ title: String, _ status: Int, _ detail: String) -> Problem {
            Problem(type: ngsild + name, title: title, status: status, detail: detail)
        }
        self =
            switch error {
            case .invalidRequest(let detail): etsi("InvalidRequest", "Invalid request", 400, detail)
            case .badRequestData(let detail): etsi("BadRequestData", "Bad request data", 400, detail)
            case .alreadyExists(let detail): etsi("AlreadyExists", "Already exists", 409, detail)
            case .conflict(let detail): etsi("Conflict", "Conflict", 409, detail)
            case .operationNotSupported(let detail): etsi("OperationNotSupported", "Operation not supported", 422, detail)
            case .resourceNotFound(let detail): etsi("ResourceNotFound", "Resource not found", 404, detail)
            case .tooComplexQuery(let detail): etsi("TooComplexQuery", "Too complex query", 403, detail)
            case .tooManyResults(let detail): etsi("TooManyResults", "Too many results", 403, detail)
            case .contextNotAvailable(let detail): etsi("LdContextNotAvailable", "JSON-LD context not available", 504, detail)
            case .noMultiTenantSupport(let detail): etsi("NoMultiTenantSupport", "No multi-tenant support", 501, detail)
            case .nonexistentTenant(let detail): etsi("NonexistentTenant", "Nonexistent tenant", 404, detail)
            case .unauthenticated(let detail): .own("unauthenticated", "Authentication needed", status: 401, detail)
            case .forbidden(let detail): .own("forbidden", "Not allowed", status: 403, detail)
            case .overloaded(let detail): .own("overloaded", "Too busy", status: 503, detail)
            case .loopDetected(let detail): .own("loop-detected", "Loop detected", status: 508, detail)
            case .sourceTimedOut(let detail): .own("source-timed-out", "Gateway timeout", status: 504, detail)
            case .sourceFailed(let detail): .own("source-failed", "Bad gateway", status: 502, detail)
            case .internalFault: etsi("InternalError", "Internal error", 500, "The request could not be completed; the log says why.")
            }
    }
}

extension CityError {
    /// The error as it stands in the parts of a batch result.
    package var problemJSON: JSON { Problem(self).json }
}
