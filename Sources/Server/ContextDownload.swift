internal import AsyncHTTPClient
internal import CityModel
internal import NIOHTTP1
internal import Foundation
internal import NIOCore
internal import NIOPosix

/// Fetches JSON-LD context documents. Bounded in time and size, and kept away from private addresses unless allowed.
struct ContextDownload: Sendable {
    let client: HTTPClient
    let egress: EgressPolicy

    private static let byteCountMax = 4 << 20
    private static let timeout: TimeAmount = .seconds(5)
    private static let redirectCountMax = 3

    func fetch(_ url: String) async throws -> JSON {
        var url = url
        for _ in 0...Self.redirectCountMax {
            try await egress.check(url)
            var request = HTTPClientRequest(url: url)
            request.headers.add(name: "Accept", value: "application/ld+json, application/json;q=0.9")
            let response = try await client.execute(request, timeout: Self.timeout)
            if (301...308).contains(response.status.code), let location = response.headers.first(name: "Location"),
                let target = URL(string: location, relativeTo: URL(string: url))
            {
                url = target.absoluteString
                continue
            }
            guard response.status == .ok else { throw CityError.contextNotAvailable("\(url) answers \(response.status.code)") }
            let body = try await response.body.collect(upTo: Self.byteCountMax)
            do { return try JSON(parsing: body.readableBytesView) } catch {
                throw CityError.badRequestData("@context: \(url) is not JSON")
            }
        }
        throw CityError.contextNotAvailable("\(url): too many redirections")
    }
}

/// Where outbound requests may go. Private, loopback and link-local addresses are refused unless configured, so that
/// nobody can use this program to reach what only its machine can.
struct EgressPolicy: Sendable {
    let allowsPrivate: Bool

    func check(_ text: String) async throws(CityError) {
        guard let url = URL(string: text), let host = url.host(), ["http", "https"].contains(url.scheme?.lowercased() ?? "") else {
            throw .contextNotAvailable("\(text) is not an http address")
        }
        guard !allowsPrivate else { return }
        let addresses = (try? await NIOThreadPool.singleton.runIfActive { Self.addresses(of: host) }) ?? []
        guard !addresses.isEmpty else { throw .contextNotAvailable("\(host) has no address") }
        guard !addresses.contains(where: Self.isPrivate) else {
            throw .contextNotAvailable("\(host) is a private address, which outbound requests may not reach (--allow-private-egress)")
        }
    }

    private static func addresses(of host: String) -> [SocketAddress] {
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

    static func isPrivate(_ address: SocketAddress) -> Bool {
        switch address {
        case .v4(let v4):
            let number = UInt32(bigEndian: v4.address.sin_addr.s_addr)
            return isPrivate(v4: number)
        case .v6(let v6):
            let bytes = withUnsafeBytes(of: v6.address.sin6_addr) { Array($0) }
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
