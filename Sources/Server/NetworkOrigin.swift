internal import Door
internal import Foundation
internal import NIOCore

/// Where a request comes from, as far as one household or office has it: an IPv4 address, or the first 64 bits of an IPv6 address.
enum NetworkOrigin {
    /// - Parameter peer: the other end of the connection.
    /// - Parameter forwardedFor: the header, which counts where a proxy on this machine is the peer. Of its addresses the last one counts, for that one the proxy
    ///   wrote itself.
    static func text(peer: SocketAddress?, forwardedFor: String?) -> String? {
        guard let peer else { return nil }
        let known = bytes(peer)
        if let known, isLoopback(known), let last = forwardedFor?.split(separator: ",").last,
            let address = try? SocketAddress(ipAddress: String(last).trimmingSpaces, port: 0), let bytes = bytes(address)
        {
            return text(bytes)
        }
        return known.map(text)
    }

    private static func isLoopback(_ bytes: [UInt8]) -> Bool { bytes.count == 4 ? bytes[0] == 127 : bytes == [UInt8](repeating: 0, count: 15) + [1] }

    /// Four bytes or sixteen; of an IPv4 address that is written as IPv6 the four.
    private static func bytes(_ address: SocketAddress) -> [UInt8]? {
        guard let text = address.ipAddress else { return nil }
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes.prefix(4)) }
        guard inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
        let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        return isMapped ? Array(bytes.suffix(4)) : bytes
    }

    private static func text(_ bytes: [UInt8]) -> String {
        guard bytes.count == 16 else { return bytes.map(String.init).joined(separator: ".") }
        return stride(from: 0, to: 8, by: 2).map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }.joined(separator: ":") + "::/64"
    }
}
