/// The server that e-mail goes through, as an operator set it up. Its address is not held against the rules for outbound calls: it may be private, for
/// whoever configures this runs the machine.
package struct SMTPSettings: Sendable {
    package enum Security: String, CaseIterable, Sendable {
        /// For a relay on the same machine.
        case none
        /// Begins in plain text and goes on over TLS, or not at all.
        case startTLS = "starttls"
        case tls

        package var standardPort: Int {
            switch self {
            case .none: 25
            case .startTLS: 587
            case .tls: 465
            }
        }
    }

    /// A name or an address, without brackets.
    package let host: String
    package var port: Int
    package let security: Security
    package var login: SMTPLogin?
    /// A PEM file with the authorities that the server's certificate is held against; those of the machine where nothing is said.
    package var authorities: String?
    /// Whom the messages are from; servers are told of failures at this address.
    package let sender: MailAddress
    /// For one message as a whole; for what the server says to one command, too.
    package var timeoutSeconds = 30

    /// - Returns: nil when `host` is neither a name nor an address.
    package init?(host: String, security: Security, sender: MailAddress) {
        let isName = MailAddress.isDomain(host[...].utf8) && host.utf8.count <= 253
        let isIPv6 = host.utf8.contains(UInt8(ascii: ":")) && host.utf8.count <= 45 && host.utf8.allSatisfy { byte in
            MailAddress.isAlphanumeric(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
        }
        guard isName || isIPv6 else { return nil }
        (self.host, self.security, self.sender, port) = (host, security, sender, security.standardPort)
    }

    /// Whether the server is this machine.
    package var isLoopback: Bool {
        let isAddress = host.utf8.allSatisfy { (48...57).contains($0) || $0 == UInt8(ascii: ".") }
        return ["localhost", "::1"].contains(host.lowercased()) || isAddress && host.hasPrefix("127.")
    }

    /// Over a network a password is only said behind TLS.
    package var mayLogIn: Bool { security != .none || isLoopback }

    var url: String {
        let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        // The path is what the server is greeted with.
        return "\(security == .tls ? "smtps" : "smtp")://\(name):\(port)/\(sender.domain)"
    }
}

/// Who this program is at the server. Descriptions do not show it.
package struct SMTPLogin: Sendable, CustomStringConvertible, CustomReflectable {
    let user: String
    let password: String

    package init(user: String, password: String) { (self.user, self.password) = (user, password) }

    package var description: String { "(a login)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
