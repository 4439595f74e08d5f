internal import Crypto

/// What kind of signatures a key makes: the byte that stands before it (C2SP signed-note, signature types).
public enum SignatureKind: UInt8, Sendable {
    /// Ed25519 over a note's text: how a log signs.
    case note = 1
    /// Ed25519 over a checkpoint and the time: how a witness signs (C2SP tlog-cosignature).
    case cosignature = 4
}

/// A public key with its name: `name+id+base64`, as it is handed to those who are to trust it.
public struct VerifierKey: Hashable, Sendable {
    public let name: String
    public let kind: SignatureKind
    public let publicKey: [UInt8]

    /// Nil for a name that no key can have, and for what is no public key.
    public init?(name: String, kind: SignatureKind, publicKey: [UInt8]) {
        guard KeyName.isValid(name), publicKey.count == 32, (try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey)) != nil else {
            return nil
        }
        (self.name, self.kind, self.publicKey) = (name, kind, publicKey)
    }

    /// - Throws: `malformed`.
    public init(parsing text: some StringProtocol) throws(LedgerError) {
        let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = Base64.decode(parts[2]), let first = bytes.first, let kind = SignatureKind(rawValue: first),
            let key = VerifierKey(name: String(parts[0]), kind: kind, publicKey: Array(bytes.dropFirst()))
        else { throw .malformed("a verifier's key is NAME+ID+BASE64 with an Ed25519 key of kind 1 or 4") }
        guard key.idText == parts[1] else { throw .malformed("the verifier's key of \(key.name) has another ID than its name and key make") }
        self = key
    }

    public var id: UInt32 {
        let digest = SHA256.hash(data: Array(name.utf8) + [UInt8(ascii: "\n"), kind.rawValue] + publicKey)
        return digest.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    private var idText: String {
        let digits = String(id, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    public var description: String { "\(name)+\(idText)+\(Base64.encode([kind.rawValue] + publicKey))" }

    /// When the signature was made (0 where it does not say so); nil unless this key made it over this text.
    func check(_ signature: [UInt8], over text: String) -> UInt64? {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey) else { return nil }
        switch kind {
        case .note: return key.isValidSignature(signature, for: Array(text.utf8)) ? 0 : nil
        case .cosignature:
            guard signature.count == 72, let time = Cosignature.time(signature) else { return nil }
            return key.isValidSignature(signature[8...], for: Cosignature.message(text, time: time)) ? time : nil
        }
    }
}

/// A private key with its name.
public struct SigningKey: Sendable {
    public let name: String
    public let kind: SignatureKind
    private let key: Curve25519.Signing.PrivateKey

    public static let seedByteCount = 32

    /// Nil for a name that no key can have, and for a seed that has not 32 bytes.
    public init?(name: String, kind: SignatureKind, seed: [UInt8]) {
        guard KeyName.isValid(name), let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else { return nil }
        (self.name, self.kind, self.key) = (name, kind, key)
    }

    public var verifier: VerifierKey {
        guard let verifier = VerifierKey(name: name, kind: kind, publicKey: Array(key.publicKey.rawRepresentation)) else {
            preconditionFailure("a private key has a public one")
        }
        return verifier
    }

    /// - Parameter time: seconds since 1970, for a cosignature; a plain signature says no time.
    public func sign(_ text: String, time: UInt64 = 0) throws -> NoteSignature {
        let signature =
            switch kind {
            case .note: Array(try key.signature(for: Array(text.utf8)))
            case .cosignature: Cosignature.bytes(of: time) + Array(try key.signature(for: Cosignature.message(text, time: time)))
            }
        return NoteSignature(name: name, keyID: verifier.id, bytes: signature)
    }
}

/// What a witness signs: that it saw this tree at this time, and that it holds whatever the witness saw before (C2SP tlog-cosignature).
enum Cosignature {
    static func message(_ text: String, time: UInt64) -> [UInt8] { Array("cosignature/v1\ntime \(time)\n\(text)".utf8) }

    static func bytes(of time: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: time >> (56 - 8 * $0)) } }

    /// Nil for one that no clock says.
    static func time(_ signature: [UInt8]) -> UInt64? {
        let time = signature[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return time > 0 && time <= UInt64(Int64.max) ? time : nil
    }
}
