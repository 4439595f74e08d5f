internal import CCurl

/// One libcurl handle with the connection that it keeps from message to message.
///
/// `@unchecked`: one thread at a time uses it; `SMTPSender` gives each to a serial queue and to nobody else.
final class SMTPConnection: @unchecked Sendable {
    private let handle: UnsafeMutableRawPointer
    private let settings: SMTPSettings

    /// Once, before any handle is made.
    private static let library: CURLcode = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

    /// Nil when there is no memory.
    init?(_ settings: SMTPSettings) {
        guard Self.library == CURLE_OK, let handle = curl_easy_init() else { return nil }
        (self.handle, self.settings) = (handle, settings)
    }

    /// Says goodbye to the server, within the time-out.
    deinit { curl_easy_cleanup(handle) }

    /// Waits where it is called.
    func send(_ message: [UInt8], to recipient: MailAddress) throws(MailFault) {
        // The connection stays; all that was set before goes.
        curl_easy_reset(handle)
        guard let recipients = curl_slist_append(nil, "<\(recipient.text)>") else { throw .local(code: Int(CURLE_OUT_OF_MEMORY.rawValue)) }
        defer { curl_slist_free_all(recipients) }
        let upload = Upload(message)
        let code = withExtendedLifetime(upload) {
            let code = prepare(upload, recipients)
            return code == CURLE_OK ? curl_easy_perform(handle) : code
        }
        if code != CURLE_OK { throw MailFault(code, reply: ccurl_reply_code(handle), hasBegun: upload.hasBegun) }
    }

    private func prepare(_ upload: Upload, _ recipients: UnsafeMutablePointer<curl_slist>) -> CURLcode {
        let codes = [
            ccurl_set_text(handle, CURLOPT_URL, settings.url), ccurl_set_text(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps"),
            // Else the environment could name one.
            ccurl_set_text(handle, CURLOPT_PROXY, ""),
            ccurl_set_text(handle, CURLOPT_MAIL_FROM, "<\(settings.sender.text)>"), ccurl_set_list(handle, CURLOPT_MAIL_RCPT, recipients),
            ccurl_set_long(handle, CURLOPT_UPLOAD, 1), ccurl_set_size(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(upload.byteCount)),
            ccurl_set_reader(handle, Upload.read, Unmanaged.passUnretained(upload).toOpaque()),
            // What a server answers goes nowhere; libcurl would write it to standard output.
            ccurl_set_writer(handle) { _, size, count, _ in size * count },
            // Signals are the process's; name look-ups have a thread of their own.
            ccurl_set_long(handle, CURLOPT_NOSIGNAL, 1),
        ]
        return (codes + bounds + security).first { $0 != CURLE_OK } ?? CURLE_OK
    }

    private var bounds: [CURLcode] {
        [CURLOPT_TIMEOUT, CURLOPT_CONNECTTIMEOUT, CURLOPT_SERVER_RESPONSE_TIMEOUT].map { ccurl_set_long(handle, $0, settings.timeoutSeconds) }
    }

    private var security: [CURLcode] {
        var codes = [
            ccurl_set_long(handle, CURLOPT_USE_SSL, settings.security == .startTLS ? Int(CURLUSESSL_ALL.rawValue) : Int(CURLUSESSL_NONE.rawValue)),
            ccurl_set_long(handle, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
        ]
        if let authorities = settings.authorities {
            // These instead of the machine's, not besides.
            codes += [ccurl_set_text(handle, CURLOPT_CAINFO, authorities), ccurl_set_text(handle, CURLOPT_CAPATH, nil)]
        }
        if let login = settings.login, settings.mayLogIn {
            codes += [ccurl_set_text(handle, CURLOPT_USERNAME, login.user), ccurl_set_text(handle, CURLOPT_PASSWORD, login.password)]
        }
        return codes
    }
}

/// A message that libcurl takes piece by piece. It doubles dots that begin a line (RFC 5321, section 4.5.2).
private final class Upload {
    private let message: [UInt8]
    private var offset = 0
    /// Whether the server asked for the message.
    private(set) var hasBegun = false

    init(_ message: [UInt8]) { self.message = message }

    var byteCount: Int { message.count }

    static let read: curl_read_callback = { buffer, size, count, context in
        guard let buffer, let context else { return 0 }
        return Unmanaged<Upload>.fromOpaque(context).takeUnretainedValue().take(into: buffer, atMost: size * count)
    }

    private func take(into buffer: UnsafeMutableRawPointer, atMost byteCountMax: Int) -> Int {
        hasBegun = true
        let piece = message[offset..<min(message.count, offset + byteCountMax)]
        piece.withUnsafeBytes { if let start = $0.baseAddress { buffer.copyMemory(from: start, byteCount: $0.count) } }
        offset += piece.count
        return piece.count
    }
}

extension MailFault {
    /// - Parameters:
    ///   - reply: the code of the last thing that the server said on this connection, 0 when it said nothing.
    ///   - hasBegun: whether the server had asked for the message.
    fileprivate init(_ code: CURLcode, reply: Int, hasBegun: Bool) {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT: self = .unreachable
        case CURLE_OPERATION_TIMEDOUT: self = .timedOut
        case CURLE_USE_SSL_FAILED: self = .tls(.notOffered)
        case CURLE_PEER_FAILED_VERIFICATION: self = .tls(.notTrusted)
        case CURLE_SSL_CACERT_BADFILE: self = .tls(.badAuthorities)
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_SSL_CERTPROBLEM, CURLE_SSL_ISSUER_ERROR: self = .tls(.failed)
        // 4xx before the message: the server is busy, or does not know this client yet.
        case CURLE_LOGIN_DENIED: self = (400..<500).contains(reply) ? .temporary(code: reply) : .authentication
        case CURLE_REMOTE_ACCESS_DENIED: self = (400..<500).contains(reply) ? .temporary(code: reply) : .notServing(code: reply)
        case CURLE_WEIRD_SERVER_REPLY where !hasBegun: self = (400..<500).contains(reply) ? .temporary(code: reply) : .notServing(code: reply)
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_WEIRD_SERVER_REPLY, CURLE_UPLOAD_FAILED: self.init(reply: reply)
        default: self = .local(code: Int(code.rawValue))
        }
    }

    /// When the exchange was broken off after this reply. Those of 530 to 538 are about who we are (RFC 4954, section 6).
    private init(reply: Int) {
        switch reply {
        case 530, 534, 535, 538: self = .authentication
        case 400..<500: self = .temporary(code: reply)
        case 500..<600: self = .permanent(code: reply)
        default: self = .connectionLost
        }
    }
}
