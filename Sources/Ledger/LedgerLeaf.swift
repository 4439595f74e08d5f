internal import Crypto

/// What the tree is made over: when an act was done, and a commitment to what it was. The commitment tells nothing of the entry to whoever
/// has not its salt, and nobody can find another entry for it. So an entry and its salt can be erased, and every proof holds as before.
///
/// Three lines of text: `conurb ledger 1`, milliseconds since 1970, and the commitment in base64.
public struct LedgerLeaf: Hashable, Sendable {
    /// Of the act, in milliseconds since 1970. It never goes back from one leaf to the next.
    public let time: Int64
    public let commitment: MerkleHash

    private static let tag = "conurb ledger 1"
    private static let entryTag = "conurb ledger entry 1\n"
    public static let saltByteCount = 32

    public init(time: Int64, commitment: MerkleHash) { (self.time, self.commitment) = (time, commitment) }

    public init(time: Int64, entry: [UInt8], salt: [UInt8]) { self.init(time: time, commitment: Self.commitment(to: entry, salt: salt)) }

    /// - Throws: `malformed`.
    public init(parsing bytes: [UInt8]) throws(LedgerError) {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 4, lines[0] == Self.tag, let time = Decimal.parse(lines[1]), let commitment = MerkleHash(base64: lines[2]),
            lines[3].isEmpty
        else { throw .malformed("a leaf is three lines: \(Self.tag), a time and a commitment") }
        self.init(time: time, commitment: commitment)
    }

    public var bytes: [UInt8] { Array("\(Self.tag)\n\(time)\n\(commitment.base64)\n".utf8) }
    public var hash: MerkleHash { .leaf(bytes) }

    /// SHA-256 over a tag, the salt and the entry's bytes. The salt has a fixed length, so that no byte can move from one to the other.
    public static func commitment(to entry: [UInt8], salt: [UInt8]) -> MerkleHash {
        precondition(salt.count == saltByteCount, "a salt has \(saltByteCount) bytes")
        guard let hash = MerkleHash(Array(SHA256.hash(data: Array(entryTag.utf8) + salt + entry))) else { preconditionFailure("a digest has 32 bytes") }
        return hash
    }

    /// Whether it commits to this entry.
    public func commits(to entry: [UInt8], salt: [UInt8]) -> Bool {
        salt.count == Self.saltByteCount && Self.commitment(to: entry, salt: salt) == commitment
    }
}
