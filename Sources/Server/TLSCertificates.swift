package import CityModel
internal import Foundation
internal import NIOSSL
internal import Synchronization

/// The files by which this program proves to its clients that it is the one they asked for.
package struct TLSSettings: Hashable, Sendable {
    /// PEM: the certificate of this server, then those between it and the authority that signed it.
    package var certificate: String
    /// PEM, without a passphrase.
    package var key: String

    package init(certificate: String, key: String) { (self.certificate, self.key) = (certificate, key) }
}

/// What is wrong with the files, for whoever keeps the installation running.
package enum TLSFault: Error, Hashable, Sendable {
    case missing(path: String)
    case unreadable(path: String)
    case noCertificate(path: String)
    case noKey(path: String)
    case otherKey(certificate: String, key: String)
}

extension TLSFault: CustomStringConvertible {
    package var description: String {
        "TLS: " + sentence
    }

    private var sentence: String {
        switch self {
        case .missing(let path): "\(path) is missing"
        case .unreadable(let path): "\(path) can't be read: it has to be a file that this program's user may read"
        case .noCertificate(let path): "\(path) holds no certificate in PEM form"
        case .noKey(let path): "\(path) holds no private key in PEM form; one with a passphrase can't be used"
        case .otherKey(let certificate, let key): "the key in \(key) is not the one that the certificate in \(certificate) is for"
        }
    }
}

/// The certificate that new connections get. Its files are read again when they are others; connections that are open keep what they began with, and
/// files that can't be used change nothing.
package final class TLSCertificates: Sendable {
    private struct State {
        var context: NIOSSLContext
        var validity: ClosedRange<Instant>
        /// Of the files that were looked at last, whether they could be used or not.
        var stamps: [FileStamp?]
    }

    private let settings: TLSSettings
    private let state: Mutex<State>

    /// - Throws: `TLSFault`.
    package init(_ settings: TLSSettings) throws(TLSFault) {
        self.settings = settings
        let stamps = Self.stamps(settings)
        let (context, validity) = try Self.load(settings)
        state = Mutex(State(context: context, validity: validity, stamps: stamps))
    }

    /// For the next connection.
    var context: NIOSSLContext { state.withLock { $0.context } }

    /// When the certificate is valid.
    package var validity: ClosedRange<Instant> { state.withLock { $0.validity } }

    /// Reads the files again, if they are others than before.
    /// - Parameter anyway: reads them in any case.
    /// - Returns: whether there is another certificate now.
    /// - Throws: `TLSFault`, once for files as they are.
    package func reload(anyway: Bool = false) throws(TLSFault) -> Bool {
        let stamps = Self.stamps(settings)
        let isOther = state.withLock { state in
            defer { state.stamps = stamps }
            return state.stamps != stamps
        }
        guard isOther || anyway else { return false }
        let (context, validity) = try Self.load(settings)
        state.withLock { ($0.context, $0.validity) = (context, validity) }
        return true
    }
}

// MARK: - Reading

extension TLSCertificates {
    private static func stamps(_ settings: TLSSettings) -> [FileStamp?] { [FileStamp(settings.certificate), FileStamp(settings.key)] }

    private static func load(_ settings: TLSSettings) throws(TLSFault) -> (NIOSSLContext, ClosedRange<Instant>) {
        let chainBytes = try bytes(settings.certificate)
        guard let chain = try? NIOSSLCertificate.fromPEMBytes(chainBytes), let own = chain.first else {
            throw .noCertificate(path: settings.certificate)
        }
        let keyBytes = try bytes(settings.key)
        guard let key = try? NIOSSLPrivateKey(bytes: keyBytes, format: .pem) else { throw .noKey(path: settings.key) }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        // Forward secrecy and authenticated encryption, nothing else (RFC 9325, section 4.2; RFC 9113, section 9.2.2). TLS 1.3 has no others.
        configuration.cipherSuiteValues = [
            .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
            .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        ]
        configuration.applicationProtocols = ["h2", "http/1.1"]
        // Both were read: what is left that can be wrong is that they do not belong together.
        guard let context = try? NIOSSLContext(configuration: configuration) else {
            throw .otherKey(certificate: settings.certificate, key: settings.key)
        }
        let (begin, end) = (Int64(own.notValidBefore), Int64(own.notValidAfter))
        return (context, Instant(microseconds: begin * 1_000_000)...Instant(microseconds: max(begin, end) * 1_000_000))
    }

    private static func bytes(_ path: String) throws(TLSFault) -> [UInt8] {
        guard FileManager.default.fileExists(atPath: path) else { throw .missing(path: path) }
        guard let bytes = FileManager.default.contents(atPath: path) else { throw .unreadable(path: path) }
        return Array(bytes)
    }
}

/// What tells one state of a file from another. Links are followed, for some tools put the newest behind one.
private struct FileStamp: Hashable, Sendable {
    let file: UInt64
    let size: Int64
    let seconds: Int
    let nanoseconds: Int

    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        (file, size) = (UInt64(status.st_ino), Int64(status.st_size))
        (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    }
}
