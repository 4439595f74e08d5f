import Ledger

/// The tree of RFC 6962, section 2.1, as its definitions say it, word for word and slow: what the room is held against.
struct NaiveTree {
    let leaves: [[UInt8]]

    func root(_ range: Range<Int>) -> MerkleHash {
        if range.isEmpty { return .empty }
        if range.count == 1 { return .leaf(leaves[range.lowerBound]) }
        let middle = range.lowerBound + split(range.count)
        return .node(root(range.lowerBound..<middle), root(middle..<range.upperBound))
    }

    func path(_ position: Int, _ range: Range<Int>) -> [MerkleHash] {
        if range.count == 1 { return [] }
        let middle = range.lowerBound + split(range.count)
        return position < middle
            ? path(position, range.lowerBound..<middle) + [root(middle..<range.upperBound)]
            : path(position, middle..<range.upperBound) + [root(range.lowerBound..<middle)]
    }

    func subproof(_ older: Int, _ range: Range<Int>, _ isWhole: Bool) -> [MerkleHash] {
        if older == range.count { return isWhole ? [] : [root(range)] }
        let left = split(range.count)
        let middle = range.lowerBound + left
        return older <= left
            ? subproof(older, range.lowerBound..<middle, isWhole) + [root(middle..<range.upperBound)]
            : subproof(older - left, middle..<range.upperBound, false) + [root(range.lowerBound..<middle)]
    }

    private func split(_ count: Int) -> Int {
        var power = 1
        while power * 2 < count { power *= 2 }
        return power
    }
}

/// A tree that keeps the hashes of complete subtrees, as a file does.
struct KeptTree {
    private(set) var hashes: [Subtree: MerkleHash] = [:]
    private(set) var size: Int64 = 0

    init(_ leaves: [[UInt8]] = []) throws { for leaf in leaves { try append(leaf) } }

    struct Missing: Error {}

    func hash(_ subtree: Subtree) throws -> MerkleHash {
        guard let hash = hashes[subtree] else { throw Missing() }
        return hash
    }

    mutating func append(_ leaf: [UInt8]) throws {
        for (subtree, hash) in try MerkleTree.completed(by: .leaf(leaf), at: size, hash: hash) { hashes[subtree] = hash }
        size += 1
    }

    func tree(_ size: Int) -> MerkleTree { MerkleTree(size: Int64(size), hash: hash) }
    func head(_ size: Int) throws -> TreeHead { TreeHead(size: Int64(size), root: try tree(size).root()) }
}

func bytes(hexadecimal text: String) -> [UInt8] {
    let digits = Array(text)
    return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...($0 + 1)]), radix: 16) }
}

func hash(hexadecimal text: String) -> MerkleHash { MerkleHash(bytes(hexadecimal: text))! }
