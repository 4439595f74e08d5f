/// Where clamd listens, and how long it may take.
package struct ScannerSettings: Hashable, Sendable {
    package enum Address: Hashable, Sendable {
        /// The path of a Unix domain socket.
        case unix(String)
        case tcp(host: String, port: Int)
    }

    package let address: Address
    /// For one file, from the connection to the answer.
    package var timeoutSeconds = 30

    /// What a socket's path may have (`sun_path` of Linux, with its end).
    private static let pathByteCountMax = 107

    /// - Parameter text: `unix:/run/clamav/clamd.ctl` or `tcp:127.0.0.1:3310`; an IPv6 address stands between brackets.
    package init?(_ text: String) {
        if text.hasPrefix("unix:/") {
            let path = String(text.dropFirst(5))
            guard path.utf8.count <= Self.pathByteCountMax, !path.utf8.contains(0) else { return nil }
            address = .unix(path)
        } else if text.hasPrefix("tcp:"), let mark = text.lastIndex(of: ":"), let port = Int(text[text.index(after: mark)...]), (1...65_535).contains(port) {
            var host = text[..<mark].dropFirst(4)
            if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() } else if host.contains(":") { return nil }
            guard !host.isEmpty, host.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
            address = .tcp(host: String(host), port: port)
        } else { return nil }
    }
}
