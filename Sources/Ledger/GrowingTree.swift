/// A tree that leaves are added to one after the other, for whoever reads a log from its beginning. It keeps no more than the hashes on
/// its right edge.
public struct GrowingTree: Sendable {
    public private(set) var size: Int64 = 0
    /// Complete subtrees, the largest first.
    private var edge: [(subtree: Subtree, hash: MerkleHash)] = []

    public init() {}

    /// Adds a leaf.
    /// - Returns: the subtrees that it completed, the leaf itself first.
    @discardableResult
    public mutating func append(_ leaf: MerkleHash) -> [(subtree: Subtree, hash: MerkleHash)] {
        var last = (subtree: Subtree(level: 0, index: size), hash: leaf)
        var completed = [last]
        while let left = edge.last, left.subtree.level == last.subtree.level {
            edge.removeLast()
            last = (Subtree(level: left.subtree.level + 1, index: left.subtree.index >> 1), .node(left.hash, last.hash))
            completed.append(last)
        }
        edge.append(last)
        size += 1
        return completed
    }

    public var head: TreeHead {
        guard let last = edge.last else { return TreeHead(size: 0, root: .empty) }
        return TreeHead(size: size, root: edge.dropLast().reversed().reduce(last.hash) { .node($1.hash, $0) })
    }
}
