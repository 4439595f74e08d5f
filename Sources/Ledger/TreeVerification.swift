/// What a proof is held against: a tree's size and root, as a checkpoint says them.
public struct TreeHead: Hashable, Sendable {
    public let size: Int64
    public let root: MerkleHash

    public init(size: Int64, root: MerkleHash) { (self.size, self.root) = (size, root) }

    /// Whether a leaf with this hash is at this position of the tree (RFC 9162, section 2.1.3.2).
    public func includes(_ leaf: MerkleHash, at position: Int64, proof: [MerkleHash]) -> Bool {
        guard position >= 0, position < size else { return false }
        var (place, last, hash) = (position, size - 1, leaf)
        for beside in proof {
            guard last != 0 else { return false }
            if place & 1 == 1 || place == last {
                hash = .node(beside, hash)
                while place & 1 == 0, place != 0 { (place, last) = (place >> 1, last >> 1) }
            } else {
                hash = .node(hash, beside)
            }
            (place, last) = (place >> 1, last >> 1)
        }
        return last == 0 && hash == root
    }

    /// Whether this tree begins with the leaves of an older one (RFC 9162, section 2.1.4.2). Every tree begins with the empty one, and
    /// with itself, without a proof.
    public func isConsistent(with older: TreeHead, proof: [MerkleHash]) -> Bool {
        guard older.size >= 0, older.size <= size else { return false }
        if older.size == 0 { return proof.isEmpty && older.root == .empty && (size > 0 || root == .empty) }
        if older.size == size { return proof.isEmpty && older.root == root }
        // What is a complete subtree of both is its own first step.
        let isPower = older.size & (older.size - 1) == 0
        var steps = (isPower ? [older.root] : []) + proof
        guard !proof.isEmpty, let first = steps.first else { return false }
        steps.removeFirst()
        var (place, last) = (older.size - 1, size - 1)
        while place & 1 == 1 { (place, last) = (place >> 1, last >> 1) }
        var (old, new) = (first, first)
        for beside in steps {
            guard last != 0 else { return false }
            if place & 1 == 1 || place == last {
                (old, new) = (.node(beside, old), .node(beside, new))
                while place & 1 == 0, place != 0 { (place, last) = (place >> 1, last >> 1) }
            } else {
                new = .node(new, beside)
            }
            (place, last) = (place >> 1, last >> 1)
        }
        return last == 0 && old == older.root && new == root
    }
}
