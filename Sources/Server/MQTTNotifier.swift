internal import CMosquitto
internal import CityModel
internal import NIOCore
internal import Subscriptions
internal import Synchronization

/// Sends notifications to MQTT endpoints (clause 7.2), over connections that stay open while they are used.
final class MQTTNotifier: Sendable {
    private let egress: EgressPolicy
    private let connections = Mutex<[MQTTBroker: MQTTConnection]>([:])

    private static let timeoutSeconds = 10.0
    private static let timeoutSecondsMax = 30.0
    /// Connections, each of which has a thread. One more closes the one that was used longest ago.
    private static let connectionCountMax = 64
    private static let libraryReady: Bool = mosquitto_lib_init() == Int32(MOSQ_ERR_SUCCESS.rawValue)

    init(egress: EgressPolicy) { self.egress = egress }

    func send(_ endpoint: Endpoint, _ headers: [(name: String, value: String)], _ body: [UInt8]) async -> DeliveryResult {
        guard Self.libraryReady, let address = MQTTAddress(endpoint.uri) else { return .failed }
        guard let target = try? await target(address) else { return Task.isCancelled ? .interrupted : .unreachable }
        let seconds = min(endpoint.timeoutSeconds ?? Self.timeoutSeconds, Self.timeoutSecondsMax)
        let message = MQTTMessage(
            topic: address.topic, body: Self.message(headers, body), qualityOfService: endpoint.mqtt.qualityOfService)
        let broker = MQTTBroker(address, target: target, version: endpoint.mqtt.version)
        // A connection that ended just now, for nobody used it, is followed by a new one.
        for _ in 0..<3 {
            if let result = await connection(to: broker).send(message, within: .milliseconds(Int(seconds * 1000))) { return result }
        }
        return .failed
    }

    func close() { for connection in connections.withLock({ Array($0.values) }) { connection.end() } }

    var connectionCount: Int { connections.withLock { $0.values.count { !$0.isEnded } } }

    private func connection(to broker: MQTTBroker) -> MQTTConnection {
        let (connection, isNew, surplus) = connections.withLock { connections in
            connections = connections.filter { $0.value.isUsable }
            if let open = connections[broker] { return (open, false, nil as MQTTConnection?) }
            var surplus: MQTTConnection?
            if connections.count >= Self.connectionCountMax, let oldest = connections.min(by: { $0.value.lastUse < $1.value.lastUse }) {
                surplus = connections.removeValue(forKey: oldest.key)
            }
            let new = MQTTConnection(broker, egress: egress)
            connections[broker] = new
            return (new, true, surplus)
        }
        surplus?.end()
        if isNew { connection.begin() }
        return connection
    }

    /// Where to connect: to the address that was checked; by name where a certificate must be held against it, and then the
    /// address is looked at once more after connecting.
    private func target(_ address: MQTTAddress) async throws -> String {
        let addresses = try await egress.addresses(of: address.host)
        return address.isSecure ? address.host : addresses.first?.ipAddress ?? address.host
    }

    /// All that is a header over HTTP stands in `metadata`.
    private static func message(_ headers: [(name: String, value: String)], _ body: [UInt8]) -> [UInt8] {
        var writer = JSONWriter(byteCapacity: body.count + 512)
        writer.raw("{\"metadata\":{")
        var seen: Set<String> = []
        for header in headers where seen.insert(header.name).inserted {
            if seen.count > 1 { writer.raw(",") }
            writer.write(header.name)
            writer.raw(":")
            writer.write(header.value)
        }
        writer.raw("},\"body\":")
        writer.raw(body)
        writer.raw("}")
        return writer.bytes
    }
}

/// A broker as one connection speaks to it.
struct MQTTBroker: Hashable, Sendable {
    let target: String
    let port: Int
    let isSecure: Bool
    let username: String?
    let password: String?
    let version: MQTTOptions.Version

    init(_ address: MQTTAddress, target: String, version: MQTTOptions.Version) {
        (self.target, port, isSecure, self.version) = (target, address.port, address.isSecure, version)
        (username, password) = (address.username, address.password)
    }
}

struct MQTTMessage: Sendable {
    let topic: String
    let body: [UInt8]
    let qualityOfService: Int32
}
