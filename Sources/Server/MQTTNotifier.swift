internal import CMosquitto
internal import CityModel
internal import Foundation
internal import NIOCore
internal import Subscriptions

/// Sends notifications to MQTT endpoints (clause 7.2). Each message has a connection of its own, and a thread for as long as
/// that lasts: libmosquitto waits where it works. How many there are at once is bounded by whoever calls.
struct MQTTNotifier: Sendable {
    let egress: EgressPolicy

    private static let timeoutSeconds = 10.0
    private static let timeoutSecondsMax = 30.0
    private static let libraryReady: Bool = mosquitto_lib_init() == Int32(MOSQ_ERR_SUCCESS.rawValue)

    func send(_ endpoint: Endpoint, _ headers: [(name: String, value: String)], _ body: [UInt8]) async -> DeliveryResult {
        guard Self.libraryReady, let address = MQTTAddress(endpoint.uri), let target = try? await target(address) else { return .failed }
        let seconds = min(endpoint.timeoutSeconds ?? Self.timeoutSeconds, Self.timeoutSecondsMax)
        let message = Self.message(headers, body)
        let isTaken = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let publication = MQTTPublication(address, target: target, endpoint.mqtt, message, egress: egress)
                continuation.resume(returning: publication.run(within: .milliseconds(Int(seconds * 1000))))
            }
        }
        return isTaken ? .accepted : .failed
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

/// One message on its way to an MQTT broker. For one thread; libmosquitto calls back on the thread that runs its loop.
private final class MQTTPublication {
    private enum Stage { case connecting, publishing(Int32), taken, failed }

    private let address: MQTTAddress
    private let target: String
    private let options: MQTTOptions
    private let message: [UInt8]
    private let egress: EgressPolicy
    private var stage = Stage.connecting

    private static let keepAliveSeconds: Int32 = 30
    private static let success = Int32(MOSQ_ERR_SUCCESS.rawValue)
    private static let pending = Int32(MOSQ_ERR_CONN_PENDING.rawValue)

    init(_ address: MQTTAddress, target: String, _ options: MQTTOptions, _ message: [UInt8], egress: EgressPolicy) {
        (self.address, self.target, self.options, self.message, self.egress) = (address, target, options, message, egress)
    }

    /// - Returns: whether the broker took the message: sent for QoS 0, acknowledged for 1, completed for 2.
    func run(within duration: Duration) -> Bool {
        let deadline = ContinuousClock.now + duration
        guard let client = mosquitto_new(nil, true, Unmanaged.passUnretained(self).toOpaque()) else { return false }
        defer { mosquitto_destroy(client) }
        guard prepare(client) else { return false }
        let connected = mosquitto_connect_async(client, target, Int32(address.port), Self.keepAliveSeconds)
        guard connected == Self.success || connected == Self.pending else { return false }
        while ContinuousClock.now < deadline {
            let result = mosquitto_loop(client, 50, 1)
            switch stage {
            case .taken:
                mosquitto_disconnect(client)
                _ = mosquitto_loop(client, 0, 1)
                return true
            case .failed: return false
            case .connecting, .publishing: guard result == Self.success || result == Self.pending else { return false }
            }
        }
        return false
    }

    private func prepare(_ client: OpaquePointer) -> Bool {
        // The numbers that mosquitto.h gives the versions 3.1.1 and 5.
        guard mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, options.version == .v5 ? 5 : 4) == Self.success else { return false }
        if let username = address.username { mosquitto_username_pw_set(client, username, address.password) }
        if address.isSecure {
            // The machine's certificates of authorities; the broker's own is held against them and against its name.
            guard mosquitto_int_option(client, MOSQ_OPT_TLS_USE_OS_CERTS, 1) == Self.success else { return false }
        }
        mosquitto_connect_callback_set(client) { client, context, code in
            guard let client, let context else { return }
            Unmanaged<MQTTPublication>.fromOpaque(context).takeUnretainedValue().connected(client, code)
        }
        mosquitto_publish_v5_callback_set(client) { _, context, number, reason, _ in
            guard let context else { return }
            Unmanaged<MQTTPublication>.fromOpaque(context).takeUnretainedValue().published(number, reason)
        }
        return true
    }

    private func connected(_ client: OpaquePointer, _ code: Int32) {
        guard code == 0, isPermitted(mosquitto_socket(client)) else {
            stage = .failed
            return
        }
        var number: Int32 = 0
        let result = mosquitto_publish(
            client, &number, address.topic, Int32(message.count), message, options.qualityOfService, false)
        // With QoS 0 the message may be gone, and the other callback called, before this returns.
        if case .taken = stage { return }
        stage = result == Self.success ? .publishing(number) : .failed
    }

    /// Reasons from 128 on are errors (MQTT 5, section 2.4).
    private func published(_ number: Int32, _ reason: Int32) { stage = reason < 128 ? .taken : .failed }

    private func isPermitted(_ socket: Int32) -> Bool {
        guard !egress.allowsPrivate else { return true }
        return EgressPolicy.peer(of: socket).map { !EgressPolicy.isPrivate($0) } ?? false
    }
}
