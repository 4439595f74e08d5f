/// Why a message was not handed over. Nothing of the message, of its receiver or of the login is in a description.
package enum MailFault: Error, Hashable, Sendable {
    /// As many messages as may wait already do.
    case busy
    case tooLarge(byteCount: Int, byteCountMax: Int)
    /// There is no such host, or nothing listens there.
    case unreachable
    case timedOut
    /// The connection ended before the server had answered for the message.
    case connectionLost
    case tls(TLSFault)
    /// The server does not take the user and the password, or wants some and there are none.
    case authentication
    /// The server greets nobody, or not this program; or it is no mail server, and the code is 0.
    case notServing(code: Int)
    /// The server did not take this message, and another time it may: a reply 4xx.
    case temporary(code: Int)
    /// The server does not take this message to this receiver: a reply 5xx.
    case permanent(code: Int)
    /// Not the server's doing: a certificate file that can't be read, no memory. The number is libcurl's.
    case local(code: Int)

    package enum TLSFault: Hashable, Sendable {
        /// The certificate is not signed by a known authority, is another host's, or has ended.
        case notTrusted
        /// The server does not offer STARTTLS.
        case notOffered
        /// No common way to speak TLS.
        case failed
        /// The file of authorities can't be used.
        case badAuthorities
    }

    package enum Remedy: Hashable, Sendable {
        /// The same message may be taken another time.
        case later
        /// Whoever runs this program has to change its settings, or the server; then the same message may be taken.
        case settings
        /// Never: this message to this receiver is not to be sent again.
        case none
    }

    package var remedy: Remedy {
        switch self {
        case .busy, .unreachable, .timedOut, .connectionLost, .temporary: .later
        case .tls, .authentication, .notServing, .local: .settings
        case .tooLarge, .permanent: .none
        }
    }
}

extension MailFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .busy: "too many messages wait to be sent"
        case .tooLarge(let byteCount, let byteCountMax): "the message has \(byteCount) bytes; at most \(byteCountMax) are sent"
        case .unreachable: "the mail server can't be reached: there is no such host, or nothing listens on that port"
        case .timedOut: "the mail server did not answer in time"
        case .connectionLost: "the mail server ended the connection before it had taken the message"
        case .tls(.notTrusted): "the mail server's certificate is not trusted: no known authority signed it, it is another host's, or it has ended"
        case .tls(.notOffered): "the mail server does not offer STARTTLS"
        case .tls(.failed): "the mail server and this program found no way to speak TLS; it may be that the port wants STARTTLS, or TLS from the start"
        case .tls(.badAuthorities): "the file of certificate authorities can't be used"
        case .authentication: "the mail server does not take the user and the password, or wants them and none are set"
        case .notServing(0): "what answers there is no mail server"
        case .notServing(let code): "the mail server greets with \(code) and serves nothing"
        case .temporary(let code): "the mail server did not take the message now (\(code)); it may another time"
        case .permanent(let code): "the mail server refuses the message (\(code)), for good"
        case .local(let code): "the message could not be handed to the mail server (libcurl \(code))"
        }
    }
}
