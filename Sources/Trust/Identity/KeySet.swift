package import CityModel
internal import Crypto
internal import CryptoExtras
internal import Foundation

/// The public keys of an issuer (RFC 7517). Keys of a kind or for a use that is not known here are passed over.
package struct KeySet: Sendable {
    private struct Entry: Sendable {
        let id: String?
        /// The only algorithm that the key is for, where it says so.
        let algorithm: String?
        let key: VerificationKey
    }

    private let entries: [Entry]
    static let countMax = 100

    /// - Throws: `TokenFault` for what is no set of keys.
    package init(_ json: JSON) throws(TokenFault) {
        guard let keys = json["keys"]?.arrayValue else { throw TokenFault(reason: "the issuer's keys are no JSON Web Key Set") }
        entries = keys.prefix(Self.countMax).compactMap { key in
            guard key["use"] == nil || key["use"]?.stringValue == "sig" else { return nil }
            return VerificationKey(key).map { Entry(id: key["kid"]?.stringValue, algorithm: key["alg"]?.stringValue, key: $0) }
        }
    }

    package enum Verdict { case valid, invalid, unknownKey }

    /// A token that names its key is held against that key alone. One that names none is held against the one key that it can be of.
    package func verdict(_ token: SignedToken) -> Verdict {
        let suitable = entries.filter { entry in
            entry.key.suits(token.algorithm) && (entry.algorithm == nil || entry.algorithm == token.algorithm.rawValue)
        }
        guard let id = token.keyID else { return suitable.count == 1 && suitable[0].key.isValid(token) ? .valid : .invalid }
        guard entries.contains(where: { $0.id == id }) else { return .unknownKey }
        return suitable.contains { $0.id == id && $0.key.isValid(token) } ? .valid : .invalid
    }
}

/// A key that signatures can be checked with. Its kind says which algorithms it is for, whatever a token's header says.
enum VerificationKey: Sendable {
    case rsa(_RSA.Signing.PublicKey)
    case p256(P256.Signing.PublicKey)
    case ed25519(Curve25519.Signing.PublicKey)

    init?(_ json: JSON) {
        func bytes(_ name: String) -> [UInt8]? { json[name]?.stringValue.flatMap { Base64.url.decode($0) } }
        switch (json["kty"]?.stringValue, json["crv"]?.stringValue) {
        case ("RSA", _):
            guard let modulus = bytes("n"), let exponent = bytes("e"), Self.isStrong(modulus, exponent),
                let key = try? _RSA.Signing.PublicKey(n: modulus, e: exponent)
            else { return nil }
            self = .rsa(key)
        case ("EC", "P-256"):
            guard let x = bytes("x"), let y = bytes("y"), x.count == 32, y.count == 32, let key = try? P256.Signing.PublicKey(rawRepresentation: x + y) else { return nil }
            self = .p256(key)
        case ("OKP", "Ed25519"):
            guard let x = bytes("x"), let key = try? Curve25519.Signing.PublicKey(rawRepresentation: x) else { return nil }
            self = .ed25519(key)
        default: return nil
        }
    }

    /// 2048 to 8192 bits (RFC 7518, section 3.3), so that checking has a bound, and an exponent that is one.
    private static func isStrong(_ modulus: [UInt8], _ exponent: [UInt8]) -> Bool {
        let bits = modulus.drop { $0 == 0 }
        let value = exponent.count <= 4 ? exponent.reduce(0) { $0 << 8 | Int($1) } : 0
        return (256...1024).contains(bits.count) && value >= 3 && value % 2 == 1
    }

    func suits(_ algorithm: SignatureAlgorithm) -> Bool {
        switch (self, algorithm) {
        case (.rsa, .rs256), (.rsa, .ps256), (.p256, .es256), (.ed25519, .edDSA): true
        default: false
        }
    }

    func isValid(_ token: SignedToken) -> Bool {
        switch (self, token.algorithm) {
        case (.rsa(let key), .rs256):
            key.isValidSignature(.init(rawRepresentation: token.signature), for: SHA256.hash(data: token.signed), padding: .insecurePKCS1v1_5)
        case (.rsa(let key), .ps256):
            key.isValidSignature(.init(rawRepresentation: token.signature), for: SHA256.hash(data: token.signed), padding: .PSS)
        case (.p256(let key), .es256):
            (try? P256.Signing.ECDSASignature(rawRepresentation: token.signature)).map { key.isValidSignature($0, for: token.signed) } ?? false
        case (.ed25519(let key), .edDSA): key.isValidSignature(token.signature, for: token.signed)
        default: false
        }
    }
}
