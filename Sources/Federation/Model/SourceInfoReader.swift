internal import CityModel
internal import OrderedCollections

/// Reads what is to be conveyed to a source (clauses 4.3.6.5, 4.3.6.6, 5.2.22 and 6.3.19).
struct SourceInfoReader {
    private let value: JSON?
    private static let pairCountMax = 50
    private static let byteCountMax = 8192

    init(_ value: JSON?) { self.value = value }

    func sourceInfo() throws(CityError) -> SourceInfo {
        var info = SourceInfo()
        guard let value else { return info }
        let fault = CityError.badRequestData("contextSourceInfo: an array of objects with a key and a value, both texts")
        guard let elements = value.arrayValue, elements.count <= Self.pairCountMax else { throw fault }
        for element in elements {
            guard let key = element["key"]?.stringValue, let value = element["value"]?.stringValue, !key.isEmpty,
                key.utf8.count + value.utf8.count <= Self.byteCountMax
            else { throw fault }
            switch key {
            case "accept": info.accept = try mediaType(key, value)
            case "contentType": info.contentType = try mediaType(key, value)
            case "jsonldContext":
                guard IRI(value) != nil else { throw .badRequestData("contextSourceInfo.jsonldContext: \(value.prefix(200)) is not a URL") }
                info.contextURL = value
            case "ngsildConformance": info.conformance = try version(value)
            default: try add(key, value, to: &info)
            }
        }
        return info
    }

    private func add(_ key: String, _ value: String, to info: inout SourceInfo) throws(CityError) {
        let isToken = key.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
        guard isToken, value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
            throw .badRequestData("contextSourceInfo: \(key.prefix(100)) is not a header (RFC 7230)")
        }
        let name = key.lowercased()
        if value == SourceInfo.fromRequest, Self.credentials.contains(name) {
            throw .badRequestData("contextSourceInfo: \(key) of a request is for this municipality and is not passed on to others")
        }
        // What the request itself needs, or says by other members, is passed over (clause 4.3.6.5).
        if !Self.reserved.contains(name) { info.headers.append((key, value)) }
    }

    private static let credentials: Set<String> = ["authorization", "cookie", "proxy-authorization"]
    private static let reserved: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect", "content-type", "accept", "link",
        "via", "ngsild-tenant", "ngsild-entitymap", "keep-alive", "accept-encoding",
    ]

    private func mediaType(_ key: String, _ value: String) throws(CityError) -> String {
        guard ["application/json", "application/ld+json"].contains(value) else {
            throw .badRequestData("contextSourceInfo.\(key): application/json or application/ld+json (clause 4.3.6.6)")
        }
        return value
    }

    private func version(_ value: String) throws(CityError) -> String {
        let parts = value.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ Int($0) != nil }) else {
            throw .badRequestData("contextSourceInfo.ngsildConformance: a version such as 1.5 (clause 4.3.6.6)")
        }
        return value
    }
}
