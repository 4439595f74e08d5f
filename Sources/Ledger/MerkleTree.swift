/// A subtree whose leaves are all there: those from `index << level` on, `1 << level` of them. Its hash never changes again.
public struct Subtree: Hashable, Sendable {
    /// 0 for a leaf.
    public let level: Int
    /// Its place among those of its level.
    public let index: Int64

    public init(level: Int, index: Int64) { (self.level, self.index) = (level, index) }
}

/// The Merkle tree of RFC 6962, section 2.1, over the hashes of complete subtrees that somebody keeps. Each answer asks for as many of
/// them as the tree is deep, whatever its size.
public struct MerkleTree {
    public typealias Reader = (Subtree) throws -> MerkleHash

    /// How many leaves it has.
    public let size: Int64
    private let hash: Reader

    /// - Parameter hash: gives the hash of a complete subtree of a tree that has at least `size` leaves.
    public init(size: Int64, hash: @escaping Reader) { (self.size, self.hash) = (size, hash) }

    public func root() throws -> MerkleHash { size == 0 ? .empty : try hash(0, size) }

    /// The hashes beside the way from a leaf to the root, the leaf's neighbour first (section 2.1.1).
    /// - Parameter position: of a leaf of this tree.
    public func inclusionProof(_ position: Int64) throws -> [MerkleHash] {
        guard position >= 0, position < size else { throw LedgerError.outsideTree(position: position, size: size) }
        return try path(to: position, 0, size)
    }

    /// What shows that this tree holds the one of its first `older` leaves (section 2.1.2). Nothing from the empty tree, and from itself.
    public func consistencyProof(from older: Int64) throws -> [MerkleHash] {
        guard older >= 0, older <= size else { throw LedgerError.outsideTree(position: older, size: size) }
        return older == 0 ? [] : try subproof(older, 0, size, isWhole: true)
    }

    private func path(to position: Int64, _ start: Int64, _ end: Int64) throws -> [MerkleHash] {
        guard end - start > 1 else { return [] }
        let middle = start + Self.split(end - start)
        return position < middle
            ? try path(to: position, start, middle) + [hash(middle, end)] : try path(to: position, middle, end) + [hash(start, middle)]
    }

    /// - Parameter isWhole: whether the older tree's root is known to whoever verifies, so that the proof can leave it out.
    private func subproof(_ older: Int64, _ start: Int64, _ end: Int64, isWhole: Bool) throws -> [MerkleHash] {
        if older == end - start { return isWhole ? [] : [try hash(start, end)] }
        let left = Self.split(end - start)
        if older <= left { return try subproof(older, start, start + left, isWhole: isWhole) + [hash(start + left, end)] }
        return try subproof(older - left, start + left, end, isWhole: false) + [hash(start, start + left)]
    }

    /// The hash over the leaves from `start` up to `end`, which begin where a subtree of their size may begin.
    private func hash(_ start: Int64, _ end: Int64) throws -> MerkleHash {
        let count = end - start
        if count & (count - 1) == 0 {
            let level = count.trailingZeroBitCount
            return try hash(Subtree(level: level, index: start >> Int64(level)))
        }
        let middle = start + Self.split(count)
        return .node(try hash(start, middle), try hash(middle, end))
    }

    /// The largest power of two that is less than `count`, which is more than one.
    private static func split(_ count: Int64) -> Int64 { 1 << Int64(63 - (count - 1).leadingZeroBitCount) }

    /// The subtrees that a new leaf completes, the leaf itself first, with their hashes.
    /// - Parameter hash: gives those that were complete before.
    public static func completed(by leaf: MerkleHash, at position: Int64, hash: Reader) throws -> [(subtree: Subtree, hash: MerkleHash)] {
        var subtree = Subtree(level: 0, index: position)
        var completed = [(subtree: subtree, hash: leaf)]
        while subtree.index & 1 == 1, let last = completed.last {
            let left = try hash(Subtree(level: subtree.level, index: subtree.index - 1))
            subtree = Subtree(level: subtree.level + 1, index: subtree.index >> 1)
            completed.append((subtree, .node(left, last.hash)))
        }
        return completed
    }
}
