internal import AsyncHTTPClient
internal import CityModel
internal import Foundation
internal import NIOCore

/// Where outbound requests may go. Private, loopback and link-local addresses are refused unless configured, so that
/// nobody can use this program to reach what only its machine can.
struct EgressPolicy: Sendable {
    let allowsPrivate: Bool
    private let resolver: NameResolver

    init(allowsPrivate: Bool, resolver: NameResolver = NameResolver()) { (self.allowsPrivate, self.resolver) = (allowsPrivate, resolver) }

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
        let addresses = await resolver.addresses(of: host)
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

    /// The address at the other end of a connected socket.
    static func peer(of socket: Int32) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard getpeername(socket, address, &length) == 0, let host = NameResolver.numericHost(address, length) else { return nil }
                return try? SocketAddress(ipAddress: host, port: 0)
            }
        }
    }
}
