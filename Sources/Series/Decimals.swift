/// Doubles that were written as decimals, as whole multiples of a power of ten (the idea of ALP: A. Afroozeh, L. Kuffo and
/// P. Boncz, "ALP: Adaptive Lossless floating-Point Compression", 2023).
///
/// A decimal of up to 2^53 times a power of ten that is itself exact is, divided by it, the double that reading the decimal
/// gives, since a division rounds once. So what was written in decimals comes back to the last bit.
struct Decimals {
    /// How many digits stand after the point.
    let exponent: Int
    let multiples: [Int64]
    /// Positions of what is no such multiple; its multiple is that of a neighbour.
    let exceptions: [Int]

    /// Powers of ten up to the last that is needed; all up to 10^22 are exact.
    static let powers: [Double] = (0...exponentMax).map { exponent in (0..<exponent).reduce(1.0) { power, _ in power * 10 } }
    static let exponentMax = 18
    private static let multipleMax = 9_007_199_254_740_992.0
    /// Bits of an exception: the double, its position.
    private static let exceptionBitCount = 80

    /// - Returns: nil when more than an eighth of the numbers would be exceptions.
    init?(of numbers: [Double]) {
        var shortest: [(exponent: Int, multiple: Int64)?] = []
        var hint = 0
        for number in numbers {
            let found = Self.shortest(number, hint)
            shortest.append(found)
            if let found { hint = found.exponent }
        }
        let exponents = Set(shortest.compactMap { $0?.exponent })
        let candidates = exponents.map { Decimals(exponent: $0, shortest) }
        guard let best = candidates.min(by: { $0.bitCount < $1.bitCount }), best.exceptions.count * 8 <= numbers.count else { return nil }
        self = best
    }

    private init(exponent: Int, _ shortest: [(exponent: Int, multiple: Int64)?]) {
        var (multiples, exceptions) = ([Int64](), [Int]())
        for (position, decimal) in shortest.enumerated() {
            if let decimal, let multiple = Self.scaled(decimal, to: exponent) { multiples.append(multiple) } else {
                exceptions.append(position)
                multiples.append(multiples.last ?? 0)
            }
        }
        if let first = multiples.indices.first(where: { !exceptions.contains($0) }) {
            for position in 0..<first { multiples[position] = multiples[first] }
        }
        (self.exponent, self.multiples, self.exceptions) = (exponent, multiples, exceptions)
    }

    /// What it takes, nearly.
    private var bitCount: Int {
        guard let least = multiples.min(), let greatest = multiples.max() else { return 0 }
        return multiples.count * (64 - (greatest - least).leadingZeroBitCount) + exceptions.count * Self.exceptionBitCount
    }

    /// The fewest digits after the point that a number can be written with.
    private static func shortest(_ number: Double, _ hint: Int) -> (exponent: Int, multiple: Int64)? {
        // Most numbers of a series have as many digits as the one before.
        if hint > 0, let multiple = multiple(number, hint), multiple % 10 != 0 { return (hint, multiple) }
        for exponent in 0...exponentMax { if let multiple = multiple(number, exponent) { return (exponent, multiple) } }
        return nil
    }

    private static func multiple(_ number: Double, _ exponent: Int) -> Int64? {
        let multiple = (number * powers[exponent]).rounded()
        guard abs(multiple) <= multipleMax else { return nil }
        return (Double(Int64(multiple)) / powers[exponent]).bitPattern == number.bitPattern ? Int64(multiple) : nil
    }

    private static func scaled(_ decimal: (exponent: Int, multiple: Int64), to exponent: Int) -> Int64? {
        guard decimal.exponent <= exponent else { return nil }
        let scaled = Double(decimal.multiple) * powers[exponent - decimal.exponent]
        return abs(scaled) <= multipleMax ? Int64(scaled) : nil
    }
}
