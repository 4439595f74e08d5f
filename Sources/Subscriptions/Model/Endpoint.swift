package import CityModel
internal import Foundation
internal import OrderedCollections

/// Where notifications go (clause 5.2.15).
package struct Endpoint: Sendable {
    package enum Binding: Sendable { case http, mqtt }
    package enum MediaType: String, CaseIterable, Sendable {
        case json = "application/json"
        case linkedData = "application/ld+json"
        case geoJSON = "application/geo+json"
    }

    package let uri: String
    package let binding: Binding
    package let accept: MediaType
    /// What must pass after a failure before the next attempt.
    package let cooldownSeconds: Double?
    package let timeoutSeconds: Double?
    /// For the receiver: headers, or metadata of an MQTT message.
    package let receiverInfo: [(name: String, value: String)]
    package let mqtt: MQTTOptions

    /// Whether GeoJSON leaves the context to the `Link` header.
    package var prefersBodyWithoutContext: Bool {
        receiverInfo.contains { $0.name.lowercased() == "prefer" && $0.value.filter { $0 != " " } == "body=json" }
    }
}

/// How to speak to an MQTT broker (table 7.2-1).
package struct MQTTOptions: Hashable, Sendable {
    package enum Version: String, Sendable { case v311 = "mqtt3.1.1", v5 = "mqtt5.0" }
    package var version = Version.v5
    package var qualityOfService: Int32 = 0
    package init() {}
}

extension Endpoint {
    private static let pairCountMax = 50
    private static let textByteCountMax = 8192

    package init(_ members: JSONObject) throws(CityError) {
        guard let uri = members["uri"]?.stringValue, uri.utf8.count <= Self.textByteCountMax else {
            throw .badRequestData("notification.endpoint.uri: the address of an endpoint is expected")
        }
        self.uri = uri
        binding = try Self.binding(uri)
        accept = try Self.accept(members["accept"], binding)
        cooldownSeconds = try Self.milliseconds(members, "cooldown")
        timeoutSeconds = try Self.milliseconds(members, "timeout")
        receiverInfo = try Self.pairs(members, "receiverInfo")
        if binding == .http { for pair in receiverInfo { try Self.checkHeader(pair) } }
        mqtt = try MQTTOptions(Self.pairs(members, "notifierInfo"))
    }

    private static func binding(_ uri: String) throws(CityError) -> Binding {
        guard IRI(uri) != nil, let colon = uri.firstIndex(of: ":"), uri[colon...].hasPrefix("://"), uri[colon...].count > 3 else {
            throw .badRequestData("notification.endpoint.uri: \(uri.prefix(200)) is not an address")
        }
        switch uri[..<colon].lowercased() {
        case "http", "https":
            guard let host = URL(string: uri)?.host(), !host.isEmpty else {
                throw .badRequestData("notification.endpoint.uri: \(uri.prefix(200)) names no host")
            }
            return .http
        case "mqtt", "mqtts":
            guard MQTTAddress(uri) != nil else {
                throw .badRequestData("notification.endpoint.uri: an MQTT endpoint is mqtt[s]://[user[:password]@]host[:port]/topic (clause 7.2)")
            }
            return .mqtt
        case let scheme: throw .badRequestData("notification.endpoint.uri: \(scheme) is none of http, https, mqtt and mqtts")
        }
    }

    private static func accept(_ value: JSON?, _ binding: Binding) throws(CityError) -> MediaType {
        guard let value else { return .json }
        guard let accept = value.stringValue.flatMap(MediaType.init), accept != .geoJSON || binding == .http else {
            let offered = MediaType.allCases.filter { $0 != .geoJSON || binding == .http }.map(\.rawValue).joined(separator: ", ")
            throw .badRequestData("notification.endpoint.accept: none of \(offered)")
        }
        return accept
    }

    private static func milliseconds(_ members: JSONObject, _ name: String) throws(CityError) -> Double? {
        guard let value = members[name] else { return nil }
        guard let milliseconds = value.doubleValue, milliseconds > 0, milliseconds <= 86_400_000 else {
            throw .badRequestData("notification.endpoint.\(name): milliseconds, above 0 and at most a day")
        }
        return milliseconds / 1000
    }

    /// Clause 5.2.22.
    private static func pairs(_ members: JSONObject, _ name: String) throws(CityError) -> [(name: String, value: String)] {
        guard let value = members[name] else { return [] }
        let fault = CityError.badRequestData("notification.endpoint.\(name): an array of objects with a key and a value, both texts")
        guard let elements = value.arrayValue else { throw fault }
        guard elements.count <= pairCountMax else {
            throw .badRequestData("notification.endpoint.\(name): at most \(pairCountMax) pairs")
        }
        var pairs: [(String, String)] = []
        for element in elements {
            guard let key = element["key"]?.stringValue, let value = element["value"]?.stringValue, !key.isEmpty,
                key.utf8.count + value.utf8.count <= textByteCountMax
            else { throw fault }
            pairs.append((key, value))
        }
        return pairs
    }

    /// What would change the meaning of the request itself is not for receivers to set.
    private static let reservedHeaders: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect", "content-type", "link",
    ]

    private static func checkHeader(_ pair: (name: String, value: String)) throws(CityError) {
        let isToken = pair.name.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
        let isFieldValue = pair.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
        guard isToken, isFieldValue else {
            throw .badRequestData("notification.endpoint.receiverInfo: \(pair.name.prefix(100)) is not a header (RFC 7230)")
        }
        guard !reservedHeaders.contains(pair.name.lowercased()) else {
            throw .badRequestData("notification.endpoint.receiverInfo: \(pair.name) is set by the broker")
        }
    }
}

extension MQTTOptions {
    /// Other keys are for other bindings and have no effect.
    init(_ pairs: [(name: String, value: String)]) throws(CityError) {
        for pair in pairs {
            switch pair.name {
            case "MQTT-Version":
                guard let version = Version(rawValue: pair.value) else {
                    throw .badRequestData("notification.endpoint.notifierInfo: MQTT-Version is mqtt3.1.1 or mqtt5.0")
                }
                self.version = version
            case "MQTT-QoS":
                guard let quality = Int32(pair.value), (0...2).contains(quality) else {
                    throw .badRequestData("notification.endpoint.notifierInfo: MQTT-QoS is 0, 1 or 2")
                }
                qualityOfService = quality
            default: continue
            }
        }
    }
}

/// The parts of `mqtt[s]://[username][:password]@host[:port]/topic[/subtopic]*` (clause 7.2).
package struct MQTTAddress: Hashable, Sendable {
    package let isSecure: Bool
    package let username: String?
    package let password: String?
    package let host: String
    package let port: Int
    package let topic: String

    package init?(_ uri: String) {
        guard let range = uri.firstRange(of: "://") else { return nil }
        switch uri[..<range.lowerBound].lowercased() {
        case "mqtt": isSecure = false
        case "mqtts": isSecure = true
        default: return nil
        }
        let rest = uri[range.upperBound...]
        guard let slash = rest.firstIndex(of: "/") else { return nil }
        topic = String(rest[rest.index(after: slash)...])
        var authority = rest[..<slash]
        if let at = authority.lastIndex(of: "@") {
            let sides = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            username = String(sides[0]).removingPercentEncoding
            password = sides.count == 2 ? String(sides[1]).removingPercentEncoding : nil
            authority = authority[authority.index(after: at)...]
        } else {
            (username, password) = (nil, nil)
        }
        guard let (host, port) = Self.hostAndPort(authority) else { return nil }
        self.host = host
        self.port = port ?? (isSecure ? 8883 : 1883)
        guard !topic.isEmpty, topic.utf8.count <= 1024, !topic.contains("+"), !topic.contains("#") else { return nil }
    }

    private static func hostAndPort(_ authority: Substring) -> (host: String, port: Int?)? {
        var host = authority
        var port: Int?
        let colon = authority.lastIndex(of: ":")
        if let colon, authority[colon...].allSatisfy({ $0 != "]" }) {
            guard let number = Int(authority[authority.index(after: colon)...]), (1...65535).contains(number) else { return nil }
            port = number
            host = authority[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        return host.isEmpty ? nil : (String(host), port)
    }
}
