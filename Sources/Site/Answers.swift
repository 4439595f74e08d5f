internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// What every answer of the pages has in common.
enum Answers {
    /// JSON, compressed when that is accepted and worth it.
    static func json(_ value: JSON, _ request: DoorRequest, headers: HTTPFields = [:]) -> Response {
        var writer = JSONWriter(byteCapacity: 4096)
        writer.write(value)
        return json(writer.bytes, request, headers: headers)
    }

    static func json(_ bytes: [UInt8], _ request: DoorRequest, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
        return body(bytes, type: "application/json", request, headers: headers)
    }

    /// Text of any kind, compressed when that is accepted and worth it.
    static func body(
        _ bytes: [UInt8], type: String, status: HTTPResponse.Status = .ok, _ request: DoorRequest, headers: HTTPFields
    ) -> Response {
        var headers = headers
        headers[.contentType] = type
        headers[.xContentTypeOptions] = "nosniff"
        headers[.vary] = headers[.vary].map { $0 + ", Accept-Encoding" } ?? "Accept-Encoding"
        if bytes.count >= Gzip.byteCountMin, Gzip.isAccepted(request.headers), let packed = Gzip.compress(bytes, level: 5) {
            headers[.contentEncoding] = "gzip"
            return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: packed)))
        }
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

extension HTTPField.Name {
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
    static let crossOriginOpenerPolicy = HTTPField.Name("Cross-Origin-Opener-Policy")!
    static let xAccelBuffering = HTTPField.Name("X-Accel-Buffering")!
    static let permissionsPolicy = HTTPField.Name("Permissions-Policy")!
}
