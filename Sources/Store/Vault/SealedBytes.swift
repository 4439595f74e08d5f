internal import Crypto
internal import Foundation

/// A key of a resident, opened.
struct ResidentKey: Sendable {
    let id: KeyID
    let secret: SymmetricKey
}

/// Bytes that only a resident's key opens: a mark, the key's number, then nonce, ciphertext and tag of AES-GCM, to which mark and number belong.
///
/// No plain column begins with the mark: it occurs nowhere in UTF-8, and is far from any version that a chunk begins with.
enum SealedBytes {
    static let mark: UInt8 = 0xF5
    private static let headerCount = 1 + KeyID.byteCount
    private static let nonceCount = 12, tagCount = 16

    static func seal(_ plain: some DataProtocol, with key: ResidentKey) throws -> [UInt8] {
        let header = [mark] + key.id.bytes
        let box = try AES.GCM.seal(plain, using: key.secret, authenticating: header)
        return header + (box.combined ?? Data())
    }

    /// The key that bytes are sealed with; nil for bytes that are not sealed.
    static func key(of bytes: some ContiguousBytesCollection) -> KeyID? { bytes.withUnsafeBytes(key) }

    static func key(of bytes: UnsafeRawBufferPointer) -> KeyID? {
        guard bytes.first == mark, bytes.count >= headerCount + nonceCount + tagCount else { return nil }
        return KeyID(UnsafeRawBufferPointer(rebasing: bytes[1..<headerCount]))
    }

    /// - Throws: where the bytes were changed, or sealed with another key.
    static func open(_ sealed: Data, with secret: SymmetricKey) throws -> Data {
        let box = try AES.GCM.SealedBox(combined: sealed.dropFirst(headerCount))
        return try AES.GCM.open(box, using: secret, authenticating: sealed.prefix(headerCount))
    }
}
