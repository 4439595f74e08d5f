internal import Crypto
internal import Foundation

/// A hash of the tree: 32 bytes of SHA-256, made as RFC 6962, section 2.1, says. A leaf and a node begin with different bytes,
/// so that none can be passed off as the other.
public struct MerkleHash: Hashable, Sendable {
    public static let byteCount = 32

    public let bytes: [UInt8]

    /// Nil unless there are 32.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = Array(bytes)
    }

    /// Nil unless it is the standard base64 of 32 bytes.
    public init?(base64 text: some StringProtocol) {
        guard let bytes = Base64.decode(text) else { return nil }
        self.init(bytes)
    }

    private init(_ digest: SHA256.Digest) { bytes = Array(digest) }

    public var base64: String { Base64.encode(bytes) }

    /// That of a tree without leaves.
    public static let empty = MerkleHash(SHA256.hash(data: [UInt8]()))

    public static func leaf(_ bytes: some Sequence<UInt8>) -> MerkleHash { MerkleHash(SHA256.hash(data: [0] + bytes)) }

    public static func node(_ left: MerkleHash, _ right: MerkleHash) -> MerkleHash {
        MerkleHash(SHA256.hash(data: [1] + left.bytes + right.bytes))
    }
}

/// Base64 (RFC 4648, section 4) that is taken in no other form than it is written in: padded, and without bits left over.
enum Base64 {
    static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        guard let data = Data(base64Encoded: String(text)), data.base64EncodedString() == text else { return nil }
        return Array(data)
    }
}

/// Whole numbers as checkpoints, proofs and tiles write them: decimal, without a sign and without zeros before them.
enum Decimal {
    static func parse(_ text: some StringProtocol) -> Int64? {
        guard let first = text.utf8.first, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        guard first != UInt8(ascii: "0") || text.utf8.count == 1 else { return nil }
        return Int64(text)
    }
}
