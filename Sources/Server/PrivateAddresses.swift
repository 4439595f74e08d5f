internal import NIOCore

/// Which addresses belong to this machine and its networks, and not to the world.
extension EgressPolicy {
    static func isPrivate(_ address: SocketAddress) -> Bool {
        switch address {
        case .v4(let v4):
            // The address stands behind the family and the port (sockaddr_in).
            isPrivate(v4: withUnsafeBytes(of: v4.address) { Array($0[4..<8]) })
        case .v6(let v6):
            // Behind family, port and flow (sockaddr_in6).
            isPrivate(v6: withUnsafeBytes(of: v6.address) { Array($0[8..<24]) })
        default: true
        }
    }

    /// Those that carry an address of version 4 are what that is: whoever translates them connects to it.
    private static func isPrivate(v6 bytes: [UInt8]) -> Bool {
        func begins(_ prefix: [UInt8]) -> Bool { bytes.starts(with: prefix) }
        let zeros = [UInt8](repeating: 0, count: 16)
        // Mapped (::ffff:0:0/96), translated (::ffff:0:0:0/96), NAT64 (64:ff9b::/96).
        let embedding = [zeros.prefix(10) + [0xFF, 0xFF], zeros.prefix(8) + [0xFF, 0xFF, 0, 0], [0, 0x64, 0xFF, 0x9B] + zeros.prefix(8)]
        if embedding.contains(where: { begins(Array($0)) }) { return isPrivate(v4: Array(bytes[12...])) }
        // 6to4 (2002::/16).
        if begins([0x20, 0x02]) { return isPrivate(v4: Array(bytes[2..<6])) }
        // Compatible with version 4, unspecified and loopback (::/96), NAT64 of one network (64:ff9b:1::/48), Teredo (2001::/32).
        if begins(Array(zeros.prefix(12))) || begins([0, 0x64, 0xFF, 0x9B, 0, 1]) || begins([0x20, 0x01, 0, 0]) { return true }
        // Unique local (fc00::/7), link-local (fe80::/10), site-local (fec0::/10), multicast (ff00::/8).
        return bytes[0] & 0xFE == 0xFC || (bytes[0] == 0xFE && bytes[1] & 0x80 == 0x80) || bytes[0] == 0xFF
    }

    private static func isPrivate(v4 bytes: [UInt8]) -> Bool {
        let number = bytes.reduce(0) { $0 << 8 | UInt32($1) }
        let ranges: [(UInt32, UInt32)] = [
            (0x0000_0000, 8), (0x0A00_0000, 8), (0x6440_0000, 10), (0x7F00_0000, 8), (0xA9FE_0000, 16), (0xAC10_0000, 12),
            (0xC000_0000, 24), (0xC0A8_0000, 16), (0xC612_0000, 15), (0xE000_0000, 4), (0xF000_0000, 4),
        ]
        return ranges.contains { base, bits in number >> (32 - bits) == base >> (32 - bits) }
    }
}
