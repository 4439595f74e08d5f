/// What is known of some numbers without keeping them: enough for their count, sum, mean, extremes and standard deviation.
/// Those of two sets are those of both together.
public struct Measures: Hashable, Sendable {
    public private(set) var count: Int
    public private(set) var sum: WideSum
    public private(set) var squares: WideSum
    public private(set) var min: Double
    public private(set) var max: Double

    public init() { self.init(count: 0, sum: WideSum(), squares: WideSum(), min: .infinity, max: -.infinity) }

    package init(count: Int, sum: WideSum, squares: WideSum, min: Double, max: Double) {
        (self.count, self.sum, self.squares, self.min, self.max) = (count, sum, squares, min, max)
    }

    public mutating func add(_ number: Double) {
        count += 1
        sum.add(number)
        squares.addSquare(of: number)
        min = Swift.min(min, number)
        max = Swift.max(max, number)
    }

    /// Fewer are added one after the other.
    private static let wideCountMin = 32

    /// The same as one after the other, some at a time: adding in twice the precision waits for what was added before.
    /// - Parameter squaring: false leaves out the squares, for whom the standard deviation is nothing to.
    public mutating func add(_ numbers: ArraySlice<Double>, squaring: Bool) {
        guard numbers.count >= Self.wideCountMin else { return addEach(numbers, squaring) }
        var (lanes, squareLanes) = (WideLanes(), WideLanes())
        var (least, greatest) = (SIMD8<Double>(repeating: min), SIMD8<Double>(repeating: max))
        var position = 0
        numbers.withUnsafeBufferPointer { numbers in
            while position + 8 <= numbers.count {
                let eight = UnsafeRawPointer(numbers.baseAddress! + position).loadUnaligned(as: SIMD8<Double>.self)
                lanes.add(eight)
                if squaring { squareLanes.addSquares(of: eight) }
                least = pointwiseMin(least, eight)
                greatest = pointwiseMax(greatest, eight)
                position += 8
            }
        }
        // Sums beyond all numbers have no rest; then one after the other says which.
        guard lanes.areFinite, squareLanes.areFinite else { return numbers.forEach { add($0) } }
        lanes.add(to: &sum)
        squareLanes.add(to: &squares)
        (count, min, max) = (count + position, least.min(), greatest.max())
        addEach(numbers.dropFirst(position), squaring)
    }

    private mutating func addEach(_ numbers: ArraySlice<Double>, _ squaring: Bool) {
        for number in numbers {
            count += 1
            sum.add(number)
            if squaring { squares.addSquare(of: number) }
            min = Swift.min(min, number)
            max = Swift.max(max, number)
        }
    }

    public mutating func add(_ other: Measures) {
        count += other.count
        sum.add(other.sum)
        squares.add(other.squares)
        min = Swift.min(min, other.min)
        max = Swift.max(max, other.max)
    }

    /// Not a number when there are none.
    public var mean: Double { sum.value / Double(count) }

    /// Of the numbers as a whole population. The difference of two sums of squares loses digits where the numbers are large and
    /// close; with 106 bits, what is left is more than a double holds.
    public var standardDeviation: Double {
        guard min < max else { return 0 }
        let total = Double(count)
        var distance = squares.multiplied(by: total)
        var squaredSum = sum.multiplied(by: sum.high)
        squaredSum.add(sum.multiplied(by: sum.low))
        distance.add(-squaredSum)
        return Swift.max(distance.value, 0).squareRoot() / total
    }
}
