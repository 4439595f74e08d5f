import RandomEntities
import Testing

@testable import Series

@Suite("Columns of a block")
struct ColumnTests {
    private func roundTrip(_ values: [Int64], mayBeGrid: Bool = false) throws -> (values: [Int64], byteCount: Int) {
        var writer = ByteWriter()
        IntegerColumn.encode(values, mayBeGrid: mayBeGrid, to: &writer)
        let bytes = writer.bytes + [UInt8](repeating: 0, count: 8)
        var decoded = [Int64](repeating: 0, count: values.count)
        try bytes.withUnsafeBytes { raw in
            var reader = try ByteReader(raw, in: 0..<writer.bytes.count)
            try decoded.withUnsafeMutableBufferPointer { try IntegerColumn.decode(&reader, count: values.count, into: $0.baseAddress!) }
            #expect(reader.isAtEnd)
        }
        return (decoded, writer.bytes.count)
    }

    @Test(arguments: 0...64)
    func `numbers of every width come back`(bitCount: Int) throws {
        var chance = SplitMix(seed: UInt64(bitCount) + 1)
        for count in [1, 2, 7, 1024] {
            let values = (0..<count).map { _ in bitCount == 0 ? 5 : Int64(bitPattern: chance.next() >> UInt64(64 - bitCount)) }
            #expect(try roundTrip(values).values == values)
            #expect(try roundTrip(values.sorted(), mayBeGrid: true).values == values.sorted())
        }
    }

    @Test func `the extremes of a signed number come back together`() throws {
        let values: [Int64] = [.min, .max, 0, -1, 1, .min, .max]
        #expect(try roundTrip(values).values == values)
        #expect(try roundTrip(values.sorted(), mayBeGrid: true).values == values.sorted())
    }

    @Test func `a constant takes a few bytes, whatever it is`() throws {
        #expect(try roundTrip(Array(repeating: 1_767_225_600_000_000, count: 1024)).byteCount <= 12)
    }

    @Test func `times once a minute with gaps take next to nothing, and with jitter what the jitter takes`() throws {
        var chance = SplitMix(seed: 3)
        let minutes = (0..<1100).filter { _ in chance.next() % 100 != 0 }.prefix(1024).map { 1_767_225_600_000_000 + Int64($0) * 60_000_000 }
        #expect(try roundTrip(Array(minutes), mayBeGrid: true).byteCount < 100)
        let jittered = minutes.map { $0 + Int64(chance.next() % 1500) * 1000 }
        let result = try roundTrip(jittered, mayBeGrid: true)
        #expect(result.values == jittered && result.byteCount < 1024 * 11 / 8 + 100)
    }

    @Test(arguments: ["0", "-0.0", "5e-324", "1e308", "0.1", "20.0", "1e22", "9007199254740993", "123456.789", "2.2250738585072014e-308"])
    func `every double comes back to the last bit`(text: String) throws {
        let number = try #require(Double(text))
        for companions in [[], [0.5, 1.25, 7], [Double.pi, 1 / 3]] as [[Double]] {
            let records = ([number] + companions).enumerated().map { SampleRecord(time: Int64($0), value: .number($1)) }
            #expect(try Chunk(ChunkEncoder.encode(records)).records().isIdentical(to: records))
        }
    }

    @Test func `decimals are stored as whole numbers, with the few that are none beside them`() throws {
        let numbers = (0..<1024).map { $0 == 500 ? 0.1 + 0.2 : Double($0 % 300) / 10 }
        let decimals = try #require(Decimals(of: numbers))
        #expect(decimals.exponent == 1 && decimals.exceptions == [500])
        #expect(Decimals(of: (0..<64).map { Double($0).squareRoot() }) == nil)
    }

    @Test(arguments: [("", 0xEF46_DB37_51D8_E999), ("a", 0xD24E_C4F1_A98C_6E5B), ("abc", 0x44BC_2CF5_AD77_0999)] as [(String, UInt64)])
    func `the checksum is XXH64`(text: String, expected: UInt64) {
        #expect(Array(text.utf8).withUnsafeBytes { Checksum.of($0) } == expected)
    }
}

@Suite("Measures of many numbers")
struct MeasuresTests {
    @Test(arguments: [0, 1, 7, 8, 9, 1000, 1023])
    func `many at once are what they are one by one, also near the end of the range of numbers`(count: Int) {
        var chance = SplitMix(seed: UInt64(count + 1))
        for largest in [50.0, 1e-300, 1e16, 1e160, 1.7e308] {
            let numbers = (0..<count).map { _ in (Double(chance.next() % 20_000) / 10_000 - 1) * largest }
            var (single, many) = (Measures(), Measures())
            for number in numbers { single.add(number) }
            many.add(numbers[...], squaring: true)
            #expect(many.count == single.count && many.min == single.min && many.max == single.max)
            #expect(many.sum.value == single.sum.value || largest > 1e300)
            #expect(many.standardDeviation == single.standardDeviation || largest > 1e100)
        }
    }

    @Test(arguments: UInt64(1)..<20)
    func `sums of parts are the sum of the whole, whatever the parts and their order`(seed: UInt64) {
        var chance = SplitMix(seed: seed)
        let numbers = (0..<5000).map { _ in (Double.random(in: -500...1500, using: &chance) * 1000).rounded() / 1000 }
        var whole = Measures()
        for number in numbers { whole.add(number) }
        var parts: [Measures] = []
        for number in numbers.shuffled(using: &chance) {
            if parts.isEmpty || chance.next() % 300 == 0 { parts.append(Measures()) }
            parts[parts.count - 1].add(number)
        }
        var together = Measures()
        for part in parts { together.add(part) }
        #expect(whole.sum.value == together.sum.value && whole.squares.value == together.squares.value)
        #expect(whole.mean == together.mean && whole.standardDeviation == together.standardDeviation)
        #expect(whole.count == together.count && whole.min == together.min && whole.max == together.max)
    }

    @Test func `numbers that are large and close keep the digits of their deviation, and equal ones have none`() {
        var (close, equal) = (Measures(), Measures())
        for index in 0..<1000 {
            close.add(1e9 + Double(index % 2) * 0.5)
            equal.add(101_325.7)
        }
        #expect(close.standardDeviation == 0.25 && equal.standardDeviation == 0)
        #expect(equal.mean == 101_325.7)
    }

    @Test func `a sum beyond what a double holds is infinite and no fault`() {
        var measures = Measures()
        for _ in 0..<3 { measures.add(1e308) }
        #expect(measures.sum.value == .infinity && measures.max == 1e308)
    }
}
