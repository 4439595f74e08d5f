internal import AsyncHTTPClient
internal import CityModel
internal import Foundation
internal import NIOCore
internal import NIOPosix

/// Where outbound requests may go. Private, loopback and link-local addresses are refused unless configured, so that
/// nobody can use this program to reach what only its machine can.
struct EgressPolicy: Sendable {
    let allowsPrivate: Bool

    /// A connection that reached an address it may not speak to. Nothing was sent over it.
    struct Refused: Error {}

    /// Refuses an http address whose host's name stands for private addresses, before anything is connected.
    func check(_ text: String) async throws(CityError) {
        guard let url = URL(string: text), let host = url.host(), ["http", "https"].contains(url.scheme?.lowercased() ?? "") else {
            throw .contextNotAvailable("\(text) is not an http address")
        }
        guard !allowsPrivate else { return }
        _ = try await addresses(of: host)
    }

    /// The addresses of a host that may be connected to; never none.
    func addresses(of host: String) async throws(CityError) -> [SocketAddress] {
        let addresses = (try? await NIOThreadPool.singleton.runIfActive { Self.resolve(host) }) ?? []
        guard !addresses.isEmpty else { throw .contextNotAvailable("\(host) has no address") }
        guard allowsPrivate || !addresses.contains(where: Self.isPrivate) else {
            throw .contextNotAvailable("\(host) is a private address, which outbound requests may not reach (--allow-private-egress)")
        }
        return addresses
    }

    /// Makes a client hold to the policy at the address that it really connected to: between the look-up that `check` does and
    /// the client's own, a name can change what it stands for.
    func guarding(_ configuration: HTTPClient.Configuration) -> HTTPClient.Configuration {
        guard !allowsPrivate else { return configuration }
        var configuration = configuration
        configuration.httpVersion = .http1Only
        configuration.http1_1ConnectionDebugInitializer = { channel in
            guard let address = channel.remoteAddress, !Self.isPrivate(address) else {
                return channel.close().flatMapThrowing { throw Refused() }
            }
            return channel.eventLoop.makeSucceededVoidFuture()
        }
        return configuration
    }

    private static func resolve(_ host: String) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host.trimmingCharacters(in: ["[", "]"]), nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let info = next?.pointee {
            if let address = info.ai_addr, let ip = numericHost(address, info.ai_addrlen), let parsed = try? SocketAddress(ipAddress: ip, port: 0) {
                addresses.append(parsed)
            }
            next = info.ai_next
        }
        return addresses
    }

    private static func numericHost(_ address: UnsafeMutablePointer<sockaddr>, _ length: socklen_t) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard getnameinfo(address, length, &buffer, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST) == 0 else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The address at the other end of a connected socket.
    static func peer(of socket: Int32) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard getpeername(socket, address, &length) == 0, let host = numericHost(address, length) else { return nil }
                return try? SocketAddress(ipAddress: host, port: 0)
            }
        }
    }

    static func isPrivate(_ address: SocketAddress) -> Bool {
        switch address {
        case .v4(let v4):
            // The address stands behind the family and the port (sockaddr_in).
            return isPrivate(v4: withUnsafeBytes(of: v4.address) { $0[4..<8].reduce(0) { $0 << 8 | UInt32($1) } })
        case .v6(let v6):
            // Behind family, port and flow (sockaddr_in6).
            let bytes = withUnsafeBytes(of: v6.address) { Array($0[8..<24]) }
            if bytes.prefix(10).allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF {
                return isPrivate(v4: bytes.suffix(4).reduce(0) { $0 << 8 | UInt32($1) })
            }
            let isUnspecifiedOrLoopback = bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] <= 1
            return isUnspecifiedOrLoopback || bytes[0] & 0xFE == 0xFC || (bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80) || bytes[0] == 0xFF
        default: return true
        }
    }

    private static func isPrivate(v4 number: UInt32) -> Bool {
        let ranges: [(UInt32, UInt32)] = [
            (0x0000_0000, 8), (0x0A00_0000, 8), (0x6440_0000, 10), (0x7F00_0000, 8), (0xA9FE_0000, 16), (0xAC10_0000, 12),
            (0xC000_0000, 24), (0xC0A8_0000, 16), (0xC612_0000, 15), (0xE000_0000, 4), (0xF000_0000, 4),
        ]
        return ranges.contains { base, bits in number >> (32 - bits) == base >> (32 - bits) }
    }
}
