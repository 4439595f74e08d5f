/// Part of a log as it is fetched over HTTP (C2SP tlog-tiles): up to 256 hashes of one level of the tree in every eight, or up to 256 leaves.
public struct Tile: Hashable, Sendable {
    public enum Content: Hashable, Sendable {
        /// Hashes of subtrees of `256^level` leaves.
        case hashes(level: Int)
        /// The leaves themselves.
        case entries
    }

    public let content: Content
    /// Its place among those of its level.
    public let index: Int64
    /// How many hashes or leaves it has: 256, or fewer in one that grows.
    public let width: Int

    public static let widthMax = 256
    /// There are no more leaves than 63 bits can count.
    private static let levelMax = 7

    public init(_ content: Content, index: Int64, width: Int = Self.widthMax) { (self.content, self.index, self.width) = (content, index, width) }

    /// Nil for a path that no tile has.
    /// - Parameter path: what follows `tile/`, such as `0/x001/234` and `entries/000.p/7`.
    public init?(path: some StringProtocol) {
        var parts = String(path).split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
        guard parts.count >= 2 else { return nil }
        let first = parts.removeFirst()
        if first == "entries" {
            content = .entries
        } else {
            guard let level = Decimal.parse(first), level <= Self.levelMax else { return nil }
            content = .hashes(level: Int(level))
        }
        var width = Self.widthMax
        if parts.count >= 2, parts[parts.count - 2].hasSuffix(".p") {
            guard let given = Decimal.parse(parts.removeLast()), (1..<Int64(Self.widthMax)).contains(given) else { return nil }
            width = Int(given)
            parts[parts.count - 1].removeLast(2)
        }
        guard let index = Self.index(parts) else { return nil }
        (self.index, self.width) = (index, width)
    }

    /// What follows `tile/`.
    public var path: String {
        let first = switch content {
        case .hashes(let level): String(level)
        case .entries: "entries"
        }
        return "\(first)/\(Self.path(of: index))\(width < Self.widthMax ? ".p/\(width)" : "")"
    }

    /// Three digits an element; all but the last begin with `x`.
    private static func path(of index: Int64) -> String {
        var (rest, elements) = (index, [String]())
        repeat {
            let digits = String(rest % 1000)
            elements.insert((elements.isEmpty ? "" : "x") + String(repeating: "0", count: 3 - digits.count) + digits, at: 0)
            rest /= 1000
        } while rest > 0
        return elements.joined(separator: "/")
    }

    private static func index(_ elements: [String]) -> Int64? {
        guard (1...6).contains(elements.count) else { return nil }
        var index: Int64 = 0
        for (place, element) in elements.enumerated() {
            let isLast = place == elements.count - 1
            guard isLast || element.utf8.first == UInt8(ascii: "x") else { return nil }
            let digits = isLast ? element[...] : element.dropFirst()
            guard digits.utf8.count == 3, digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int64(digits) else { return nil }
            index = index * 1000 + number
        }
        return path(of: index) == elements.joined(separator: "/") ? index : nil
    }

    /// The subtrees whose hashes it has, or whose leaves.
    public var subtrees: (level: Int, indices: Range<Int64>) {
        let level = switch content {
        case .hashes(let level): level * 8
        case .entries: 0
        }
        let start = index * Int64(Self.widthMax)
        return (level, start..<(start + Int64(width)))
    }

    /// Whether a tree of this size has all that is in it.
    public func isWithin(treeOf size: Int64) -> Bool { subtrees.indices.upperBound <= size >> Int64(subtrees.level) }

    /// All tiles of a tree, those of hashes first.
    public static func all(ofTreeOf size: Int64) -> [Tile] {
        let levels = (0...levelMax).map { (Content.hashes(level: $0), size >> Int64(8 * $0)) }
        return (levels + [(.entries, size)]).flatMap { content, count in
            stride(from: 0, to: count, by: widthMax).map { Tile(content, index: $0 / Int64(widthMax), width: Int(min(count - $0, Int64(widthMax)))) }
        }
    }

    /// The tile of a tree of `size` leaves that has a subtree's hash, and its place in it. Nil for what only hashing others gives.
    public static func holding(_ subtree: Subtree, treeSize size: Int64) -> (tile: Tile, place: Int)? {
        guard subtree.level % 8 == 0 else { return nil }
        let (count, index) = (size >> Int64(subtree.level), subtree.index / Int64(widthMax))
        let width = min(count - index * Int64(widthMax), Int64(widthMax))
        guard width > 0 else { return nil }
        return (Tile(.hashes(level: subtree.level / 8), index: index, width: Int(width)), Int(subtree.index % Int64(widthMax)))
    }
}

/// Leaves one after the other, each after its length in two bytes.
public enum EntryBundle {
    public static func write(_ entries: [[UInt8]]) throws(LedgerError) -> [UInt8] {
        var bytes: [UInt8] = []
        for entry in entries {
            guard let length = UInt16(exactly: entry.count) else { throw .malformed("a leaf has at most 65535 bytes") }
            bytes += [UInt8(length >> 8), UInt8(truncatingIfNeeded: length)] + entry
        }
        return bytes
    }

    /// - Throws: `malformed` for what ends within a leaf.
    public static func parse(_ bytes: [UInt8]) throws(LedgerError) -> [[UInt8]] {
        var (entries, rest) = ([[UInt8]](), bytes[...])
        while !rest.isEmpty {
            guard rest.count >= 2 else { throw .malformed("the bundle ends within a length") }
            let length = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
            rest = rest.dropFirst(2)
            guard rest.count >= length else { throw .malformed("the bundle ends within a leaf") }
            entries.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return entries
    }
}
