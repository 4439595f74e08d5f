internal import CityModel
internal import Door
internal import Foundation
internal import HTTPTypes

/// What keeps an installation with authentication switched off to the machine that it runs on. Everything else holds there as anywhere: headers, limits, the
/// ledger, the classification of what is federated.
package enum OpenInstallation {
    /// Whether only this machine reaches a host. By address, not by how the text begins: a name that begins with 127 can be anywhere, and one counts only
    /// when all addresses that it stands for are of this machine.
    package static func isLoopback(_ host: String) -> Bool {
        var (hints, found) = (addrinfo(), UnsafeMutablePointer<addrinfo>?.none)
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        guard getaddrinfo(host, nil, &hints, &found) == 0, let first = found else { return false }
        defer { freeaddrinfo(first) }
        return sequence(first: first, next: \.pointee.ai_next).allSatisfy { isLoopback($0.pointee.ai_addr, Int32($0.pointee.ai_family)) }
    }

    private static func isLoopback(_ address: UnsafeMutablePointer<sockaddr>?, _ family: Int32) -> Bool {
        guard let address else { return false }
        switch family {
        case AF_INET:
            return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { UInt32(bigEndian: $0.pointee.sin_addr.s_addr) >> 24 == 127 }
        case AF_INET6:
            let bytes = address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { pointer in
                withUnsafeBytes(of: pointer.pointee.sin6_addr) { Array($0) }
            }
            if bytes == [UInt8](repeating: 0, count: 15) + [1] { return true }
            return bytes.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF] && bytes[12] == 127
        default: return false
        }
    }

    /// Refuses what a browser on this machine was told to send by a page elsewhere, for here it needs no cookie to count: what changes something and does
    /// not come from one of our own pages, and what calls this machine by a name of somebody else's, which a page reads as its own host (DNS rebinding).
    /// - Throws: `forbidden`.
    static func check(_ request: HTTPRequest) throws(CityError) {
        let (headers, authority) = (request.headerFields, request.authority)
        let isSafe = [.get, .head, .options].contains(request.method)
        guard isSafe || RequestOrigin.verdict(headers, authority: authority) != .foreign else {
            throw .forbidden("Origin: authentication is switched off, and so nothing is changed for pages of others")
        }
        let isBrowser = headers[.secFetchSite] != nil || headers[.origin] != nil || headers[.userAgent]?.hasPrefix("Mozilla/") ?? false
        guard !isBrowser || authority.map(isOwnName) ?? true else {
            throw .forbidden("Host: authentication is switched off, and so browsers have to call this machine localhost or by its address")
        }
    }

    /// An address, or a name that nobody outside can have lead here.
    private static func isOwnName(_ authority: String) -> Bool {
        if authority.hasPrefix("[") { return true }
        let host = authority.prefix { $0 != ":" }.lowercased()
        var address = in_addr()
        return !host.contains(".") || host.hasSuffix(".localhost") || inet_pton(AF_INET, host, &address) == 1
    }
}

/// Authentication is to be off on an address that others can reach.
package struct OpenToOthers: Error, Hashable, CustomStringConvertible {
    let host: String

    package init(host: String) { self.host = host }

    package var description: String {
        """
        open: authentication can't be switched off on \(host), for others can reach it; only on an address of this machine alone such as 127.0.0.1, ::1 or \
        localhost
        """
    }
}
