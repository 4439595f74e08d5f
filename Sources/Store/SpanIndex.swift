/// Spans of numbers, to be found by a number within them. An interval tree whose shape is given by the numbers themselves: a
/// span lies at the middle of the smallest power-of-two block (in the order of doubles) that holds both its ends. So a look-up
/// visits at most 65 nodes and at each reads only what it finds, and nothing is ever balanced anew.
struct SpanIndex: Sendable {
    private struct Span: Sendable {
        let low: Double, high: Double
        let number: Int
    }

    private struct Node: Sendable {
        /// By their lower ends, least first.
        var byLow: [Span] = []
        /// By their upper ends, greatest first.
        var byHigh: [Span] = []
        /// Sorting waits for the next look-up, so that many insertions in a row cost one.
        var isSorted = true

        mutating func sort() {
            guard !isSorted else { return }
            byLow.sort { $0.low < $1.low }
            byHigh.sort { $0.high > $1.high }
            isSorted = true
        }
    }

    /// A block: how many leading bits its numbers share, and these bits.
    private struct Block: Hashable {
        let level: Int
        let prefix: UInt64

        init(_ key: UInt64, level: Int) { (self.level, prefix) = (level, level == 0 ? 0 : key >> UInt64(64 - level)) }
    }

    private var nodes: [Block: Node] = [:]
    /// How many nodes there are at each level, so that empty levels are not looked at.
    private var nodeCounts = [Int](repeating: 0, count: 65)
    var isEmpty: Bool { nodes.isEmpty }

    mutating func insert(_ number: Int, _ span: ClosedRange<Double>) {
        let block = Self.block(of: span)
        if nodes[block] == nil { nodeCounts[block.level] += 1 }
        let entry = Span(low: span.lowerBound, high: span.upperBound, number: number)
        nodes[block, default: Node()].byLow.append(entry)
        nodes[block]?.byHigh.append(entry)
        nodes[block]?.isSorted = false
    }

    mutating func remove(_ number: Int, _ span: ClosedRange<Double>) {
        let block = Self.block(of: span)
        guard var node = nodes.removeValue(forKey: block) else { return }
        node.byLow.removeAll { $0.number == number }
        node.byHigh.removeAll { $0.number == number }
        if node.byLow.isEmpty { nodeCounts[block.level] -= 1 } else { nodes[block] = node }
    }

    /// Calls `found` for each span that holds the value.
    mutating func find(_ value: Double, _ found: (Int) -> Void) {
        let key = Self.key(value)
        for level in 0...64 where nodeCounts[level] > 0 {
            let block = Block(key, level: level)
            guard nodes[block] != nil else { continue }
            nodes[block]?.sort()
            guard let node = nodes[block] else { continue }
            // Every span here holds the middle of the block: of those on the value's side one end decides.
            let isBelowMiddle = level == 64 || key >> UInt64(63 - level) & 1 == 0
            if isBelowMiddle {
                for span in node.byLow { if span.low <= value { if span.high >= value { found(span.number) } } else { break } }
            } else {
                for span in node.byHigh { if span.high >= value { if span.low <= value { found(span.number) } } else { break } }
            }
        }
    }

    private static func block(of span: ClosedRange<Double>) -> Block {
        let (low, high) = (key(span.lowerBound), key(span.upperBound))
        return Block(low, level: (low ^ high).leadingZeroBitCount)
    }

    /// A number whose order is that of the doubles.
    private static func key(_ value: Double) -> UInt64 {
        let bits = (value == 0 ? 0 : value).bitPattern
        return bits >> 63 == 1 ? ~bits : bits | 1 << 63
    }
}
