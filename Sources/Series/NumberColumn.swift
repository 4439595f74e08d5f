/// The numbers of a block, each a whole number or a double, as it was.
///
/// Whole numbers alone are a column of integers. Where there are doubles, all are `Decimals`, or else bit patterns. What a
/// number is beside the others is told by a rule where one holds: senders that know one kind of number write 20 where they
/// mean 20.0.
struct NumberColumn {
    private enum Way: UInt8 { case integers, decimals, patterns }
    private enum Kinds: UInt8 { case integers, doubles, wholeAreIntegers, listed }

    /// Whole numbers beyond what a double holds exactly, by position.
    private(set) var wide: [Int: Int64] = [:]
    private(set) var isInteger: [Bool] = []

    // MARK: Writing

    /// - Parameter values: numbers, all of them.
    static func encode(_ values: [SampleValue], to writer: inout ByteWriter) {
        let (doubles, areIntegers) = (values.map(\.double), values.map(\.isInteger))
        if !areIntegers.contains(false) {
            writer.byte(Kinds.integers.rawValue)
            writer.byte(Way.integers.rawValue)
            return IntegerColumn.encode(values.map(\.bits), to: &writer)
        }
        // A whole number that no double holds is written as it is.
        let decimals = Decimals(of: values.map { $0.isWide ? Double.nan : $0.double })
        writeKinds(areIntegers, doubles, hasRule: decimals != nil, to: &writer)
        if let decimals {
            writer.byte(Way.decimals.rawValue)
            writer.byte(UInt8(decimals.exponent))
            IntegerColumn.encode(decimals.multiples, to: &writer)
            writer.varint(UInt64(decimals.exceptions.count))
            for position in decimals.exceptions {
                writer.varint(UInt64(position) << 1 | (areIntegers[position] ? 1 : 0))
                writer.fixed64(UInt64(bitPattern: values[position].bits))
            }
        } else {
            writer.byte(Way.patterns.rawValue)
            IntegerColumn.encode(values.map(\.bits), to: &writer)
        }
    }

    private static func writeKinds(_ areIntegers: [Bool], _ doubles: [Double], hasRule: Bool, to writer: inout ByteWriter) {
        if !areIntegers.contains(true) { return writer.byte(Kinds.doubles.rawValue) }
        if hasRule, zip(areIntegers, doubles).allSatisfy({ $0 == isWhole($1) }) { return writer.byte(Kinds.wholeAreIntegers.rawValue) }
        writer.byte(Kinds.listed.rawValue)
        BitPacking.pack(areIntegers.map { $0 ? 1 : 0 }, width: 1, to: &writer)
    }

    private static func isWhole(_ number: Double) -> Bool { number.rounded(.towardZero) == number && !(number == 0 && number.sign == .minus) }

    // MARK: Reading

    /// - Parameter listsKinds: whether to tell which numbers are whole numbers; summing up does not ask.
    /// - Parameter output: has room for `count` numbers.
    init(_ reader: inout ByteReader, count: Int, listsKinds: Bool, into output: UnsafeMutablePointer<Double>) throws(SeriesError) {
        guard let kinds = Kinds(rawValue: try reader.byte()) else { throw .malformed("numbers of no known kind") }
        let kindStart = kinds == .listed ? try reader.skip(BitPacking.byteCount(count, width: 1)) : 0
        let bytes = reader.bytes
        let isListed: (Int) -> Bool = { bytes[kindStart + $0 / 8] >> UInt8($0 % 8) & 1 == 1 }
        switch Way(rawValue: try reader.byte()) {
        case .integers? where kinds == .integers: try readIntegers(&reader, count, output)
        case .decimals? where kinds != .integers: try readDecimals(&reader, count, output)
        case .patterns? where kinds != .integers: try readPatterns(&reader, count, kinds, isListed, output)
        default: throw .malformed("numbers in no known way")
        }
        guard listsKinds else { return }
        switch kinds {
        case .integers: isInteger = Array(repeating: true, count: count)
        case .doubles: isInteger = Array(repeating: false, count: count)
        case .listed: isInteger = (0..<count).map(isListed)
        case .wholeAreIntegers: isInteger = (0..<count).map { wide[$0] != nil || Self.isWhole(output[$0]) }
        }
    }

    private mutating func readIntegers(
        _ reader: inout ByteReader, _ count: Int, _ output: UnsafeMutablePointer<Double>
    ) throws(SeriesError) {
        var wide: [Int: Int64] = [:]
        try withScratch(count) { integers throws(SeriesError) in
            try IntegerColumn.decode(&reader, count: count, into: integers)
            for index in 0..<count {
                output[index] = Double(integers[index])
                if integers[index].magnitude > SampleValue.exactMagnitudeMax { wide[index] = integers[index] }
            }
        }
        self.wide = wide
    }

    private mutating func readDecimals(
        _ reader: inout ByteReader, _ count: Int, _ output: UnsafeMutablePointer<Double>
    ) throws(SeriesError) {
        let exponent = Int(try reader.byte())
        guard exponent <= Decimals.exponentMax else { throw .malformed("a power of ten beyond \(Decimals.exponentMax)") }
        try withScratch(count) { multiples throws(SeriesError) in
            try IntegerColumn.decode(&reader, count: count, into: multiples)
            for index in 0..<count { output[index] = Double(multiples[index]) }
        }
        if exponent > 0 {
            let power = Decimals.powers[exponent]
            for index in 0..<count { output[index] /= power }
        }
        for _ in 0..<(try reader.count(atMost: count)) {
            let (position, isInteger) = try reader.count(atMost: 2 * count - 1).quotientAndRemainder(dividingBy: 2)
            take(Int64(bitPattern: try reader.fixed64()), at: position, isInteger: isInteger == 1, output)
        }
    }

    private mutating func readPatterns(
        _ reader: inout ByteReader, _ count: Int, _ kinds: Kinds, _ isListed: (Int) -> Bool, _ output: UnsafeMutablePointer<Double>
    ) throws(SeriesError) {
        var column = self
        try withScratch(count) { patterns throws(SeriesError) in
            try IntegerColumn.decode(&reader, count: count, into: patterns)
            for index in 0..<count { column.take(patterns[index], at: index, isInteger: kinds == .listed && isListed(index), output) }
        }
        self = column
    }

    private mutating func take(_ bits: Int64, at position: Int, isInteger: Bool, _ output: UnsafeMutablePointer<Double>) {
        output[position] = isInteger ? Double(bits) : Double(bitPattern: UInt64(bitPattern: bits))
        if isInteger, bits.magnitude > SampleValue.exactMagnitudeMax { wide[position] = bits }
    }

    /// The number at a position; `isInteger` was asked for.
    func value(at position: Int, _ double: Double) -> SampleValue {
        guard isInteger[position] else { return .number(double) }
        return .integer(wide[position] ?? Int64(exactly: double) ?? 0)
    }
}

extension SampleValue {
    /// Whole numbers up to it are doubles.
    static let exactMagnitudeMax: UInt64 = 1 << 53

    package var isNumeric: Bool {
        switch self {
        case .integer, .number: true
        case .text, .document: false
        }
    }

    var isInteger: Bool { if case .integer = self { true } else { false } }
    var isWide: Bool { if case .integer(let value) = self { value.magnitude > Self.exactMagnitudeMax } else { false } }

    /// Nearest to it; NaN for what is no number.
    var double: Double {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        case .text, .document: .nan
        }
    }

    /// A whole number itself, a double's pattern.
    var bits: Int64 {
        switch self {
        case .integer(let value): value
        case .number(let value): Int64(bitPattern: value.bitPattern)
        case .text, .document: 0
        }
    }
}
