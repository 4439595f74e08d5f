/// A sum of doubles in twice their precision (T. J. Dekker, 1971): exact as long as the true sum fits in 106 bits, which that
/// of a few million measurements of one kind does. So it does not depend on the order of adding, and sums of blocks give what
/// the sum of all their numbers gives.
public struct WideSum: Hashable, Sendable {
    public private(set) var high: Double
    public private(set) var low: Double

    public init(high: Double = 0, low: Double = 0) { (self.high, self.low) = (high, low) }

    /// The double nearest to it.
    public var value: Double { high + low }

    public mutating func add(_ number: Double) {
        let sum = high + number
        guard sum.isFinite else { return (high, low) = (sum, 0) }
        let taken = sum - high
        settle(sum, low + ((high - (sum - taken)) + (number - taken)))
    }

    public mutating func add(_ other: WideSum) {
        add(other.high)
        add(other.low)
    }

    /// Adds the square, which has up to 106 bits, without loss.
    public mutating func addSquare(of number: Double) {
        let square = number * number
        guard square.isFinite else { return add(square) }
        add(square)
        add((-square).addingProduct(number, number))
    }

    /// Makes `low` less than half of the last bit of `high`.
    private mutating func settle(_ sum: Double, _ rest: Double) {
        high = sum + rest
        low = high.isFinite ? rest - (high - sum) : 0
    }

    public func multiplied(by factor: Double) -> WideSum {
        let product = high * factor
        guard product.isFinite else { return WideSum(high: product) }
        var wide = WideSum(high: product, low: 0)
        wide.add((-product).addingProduct(high, factor))
        wide.add(low * factor)
        return wide
    }

    public static prefix func - (sum: WideSum) -> WideSum { WideSum(high: -sum.high, low: -sum.low) }
}

/// Eight sums side by side.
struct WideLanes {
    private var high = SIMD8<Double>()
    private var low = SIMD8<Double>()

    /// Whether no sum has left the range of numbers.
    var areFinite: Bool { (high - high) == SIMD8<Double>() }

    mutating func add(_ numbers: SIMD8<Double>) {
        let sum = high + numbers
        let taken = sum - high
        let rest = low + ((high - (sum - taken)) + (numbers - taken))
        high = sum + rest
        low = rest - (high - sum)
    }

    mutating func addSquares(of numbers: SIMD8<Double>) {
        let squares = numbers * numbers
        add(squares)
        add((-squares).addingProduct(numbers, numbers))
    }

    func add(to sum: inout WideSum) { for lane in 0..<8 { sum.add(WideSum(high: high[lane], low: low[lane])) } }
}
