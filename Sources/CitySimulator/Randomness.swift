/// Chance that depends on nothing but its seed: a generator for building things once, and hashes and noise that
/// give the value for any moment directly, so that a restart finds the same life.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Chance.mix(state)
    }

    /// Uniform in `0..<1`.
    mutating func unit() -> Double { Chance.unit(next()) }
    mutating func within(_ low: Double, _ high: Double) -> Double { low + (high - low) * unit() }
    /// Uniform in `0..<count`; `count` is positive.
    mutating func index(_ count: Int) -> Int { min(count - 1, Int(unit() * Double(count))) }
    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[index(elements.count)] }

    /// An index chosen in proportion to `weights`, which are not negative and not all zero.
    mutating func index(weights: [Double]) -> Int {
        var rest = unit() * weights.reduce(0, +)
        for (index, weight) in weights.enumerated() {
            rest -= weight
            if rest < 0 { return index }
        }
        return weights.count - 1
    }
}

enum Chance {
    /// The finalizer of SplitMix64 (S. Vigna): spreads every bit of the input over the output.
    @inline(__always)
    static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    @inline(__always)
    static func hash(_ seed: UInt64, _ number: Int64) -> UInt64 {
        mix(seed &+ mix(UInt64(bitPattern: number) &+ 0x9E37_79B9_7F4A_7C15))
    }

    @inline(__always)
    static func hash(_ seed: UInt64, _ first: Int64, _ second: Int64) -> UInt64 { hash(hash(seed, first), second) }

    /// Uniform in `0..<1`: the upper 53 bits as a fraction.
    @inline(__always)
    static func unit(_ bits: UInt64) -> Double { Double(bits >> 11) * 0x1p-53 }

    @inline(__always)
    static func signed(_ bits: UInt64) -> Double { unit(bits) * 2 - 1 }

    /// Smooth noise over a line, in -1...1: a random value at each whole number, blended by 3u²-2u³ between them.
    @inline(__always)
    static func noise(_ position: Double, _ seed: UInt64) -> Double {
        let floor = position.rounded(.down)
        let cell = Int64(floor)
        let left = signed(hash(seed, cell)), right = signed(hash(seed, cell + 1))
        return left + (right - left) * smooth(position - floor)
    }

    /// Smooth noise over a plane, in -1...1.
    static func noise(_ x: Double, _ y: Double, _ seed: UInt64) -> Double {
        let floorX = x.rounded(.down), floorY = y.rounded(.down)
        let column = Int64(floorX), row = Int64(floorY)
        let across = smooth(x - floorX), up = smooth(y - floorY)
        func corner(_ dx: Int64, _ dy: Int64) -> Double { signed(hash(seed, column + dx, row + dy)) }
        let low = corner(0, 0) + (corner(1, 0) - corner(0, 0)) * across
        let high = corner(0, 1) + (corner(1, 1) - corner(0, 1)) * across
        return low + (high - low) * up
    }

    @inline(__always)
    static func smooth(_ u: Double) -> Double { u * u * (3 - 2 * u) }

    /// 0 below `low`, 1 above `high`, smooth between.
    static func ramp(_ value: Double, _ low: Double, _ high: Double) -> Double {
        smooth(min(max((value - low) / (high - low), 0), 1))
    }
}

extension Double {
    /// The nearest number with so many decimals.
    @inline(__always)
    func rounded(decimals: Int) -> Double {
        let scale: Double
        switch decimals {
        case 0: scale = 1
        case 1: scale = 10
        case 2: scale = 100
        case 3: scale = 1000
        case 5: scale = 100_000
        default: scale = 1_000_000
        }
        return (self * scale).rounded() / scale
    }

    @inline(__always)
    func clamped(_ low: Double, _ high: Double) -> Double { Swift.min(Swift.max(self, low), high) }
}
