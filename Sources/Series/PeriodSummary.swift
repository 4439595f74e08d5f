/// What is left of a series' numbers of one period, an hour for example, when they are gone themselves. Those of two parts of a
/// period are those of both together.
package struct PeriodSummary: Hashable, Sendable {
    /// The period in microseconds since 1970; its end is not included.
    package let start: Int64
    package private(set) var end: Int64
    package private(set) var measures: Measures
    /// The earliest number and the latest, with their moments.
    package private(set) var first: Point
    package private(set) var last: Point

    package struct Point: Hashable, Sendable {
        package let time: Int64
        package let value: Double
        package init(time: Int64, value: Double) { (self.time, self.value) = (time, value) }
    }

    package init(start: Int64, end: Int64, measures: Measures, first: Point, last: Point) {
        (self.start, self.end, self.measures, self.first, self.last) = (start, end, measures, first, last)
    }

    /// Of one number.
    package init(_ value: Double, at time: Int64, start: Int64, end: Int64) {
        var measures = Measures()
        measures.add(value)
        let point = Point(time: time, value: value)
        self.init(start: start, end: end, measures: measures, first: point, last: point)
    }

    /// Adds what lies in the same period.
    package mutating func add(_ other: PeriodSummary) {
        end = max(end, other.end)
        measures.add(other.measures)
        if other.first.time < first.time { first = other.first }
        if other.last.time >= last.time { last = other.last }
    }

    /// All its numbers, where the first and the last are all.
    package var points: [Point]? {
        switch measures.count {
        case 1: [first]
        case 2: [first, last]
        default: nil
        }
    }
}

/// Summaries of one series, packed. The layout, all numbers little-endian:
///
///     version, count (32 bits each)
///     columns of start, length, count, moments of the first and the last, sum, sum of squares, extremes, first and last value
///     the checksum of all that is before it (64 bits)
package enum SummaryChunk {
    /// Summaries of one chunk at most.
    package static let countMax = 512

    private static let version: UInt32 = 1

    /// - Parameter summaries: in order of their beginnings, no two with the same; 1 to `countMax`.
    /// - Throws: `notASeries`.
    package static func encode(_ summaries: [PeriodSummary]) throws(SeriesError) -> [UInt8] {
        guard (1...countMax).contains(summaries.count), isInOrder(summaries) else { throw .notASeries }
        var writer = ByteWriter()
        writer.fixed32(version)
        writer.fixed32(UInt32(summaries.count))
        IntegerColumn.encode(summaries.map(\.start), mayBeGrid: true, to: &writer)
        IntegerColumn.encode(summaries.map { $0.end &- $0.start }, to: &writer)
        IntegerColumn.encode(summaries.map { Int64($0.measures.count) }, to: &writer)
        IntegerColumn.encode(summaries.map { $0.first.time &- $0.start }, to: &writer)
        IntegerColumn.encode(summaries.map { $0.last.time &- $0.start }, to: &writer)
        for number in numbers { NumberColumn.encode(summaries.map { .number(number($0)) }, to: &writer) }
        writer.fixed64(writer.bytes.withUnsafeBytes(Checksum.of))
        return writer.bytes
    }

    /// - Throws: `SeriesError` for anything that `encode` did not write.
    package static func decode(_ bytes: [UInt8]) throws(SeriesError) -> [PeriodSummary] {
        try bytes.withUnsafeBytes { raw in Result { () throws(SeriesError) in try decode(raw) } }.get()
    }

    private static let numbers: [@Sendable (PeriodSummary) -> Double] = [
        { $0.measures.sum.high }, { $0.measures.sum.low }, { $0.measures.squares.high }, { $0.measures.squares.low }, { $0.measures.min },
        { $0.measures.max }, { $0.first.value }, { $0.last.value },
    ]

    private static func decode(_ bytes: UnsafeRawBufferPointer) throws(SeriesError) -> [PeriodSummary] {
        guard bytes.count >= 16 else { throw .truncated }
        let end = bytes.count - 8
        let checksum = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: end, as: UInt64.self))
        guard Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<end])) == checksum else { throw .wrongChecksum }
        var reader = try ByteReader(bytes, in: 0..<end)
        let version = try reader.fixed32()
        guard version == Self.version else { throw .unknownVersion(UInt8(truncatingIfNeeded: version)) }
        let count = Int(try reader.fixed32())
        guard (1...countMax).contains(count) else { throw .malformed("\(count) summaries") }
        var (integers, doubles): ([[Int64]], [[Double]]) = ([], [])
        for _ in 0..<5 { integers.append(try column(&reader, count)) }
        for _ in numbers { doubles.append(try numberColumn(&reader, count)) }
        guard reader.isAtEnd else { throw .malformed("more than its columns") }
        let summaries = (0..<count).map { index in
            let start = integers[0][index]
            let measures = Measures(
                count: Int(integers[2][index]), sum: WideSum(high: doubles[0][index], low: doubles[1][index]),
                squares: WideSum(high: doubles[2][index], low: doubles[3][index]), min: doubles[4][index], max: doubles[5][index])
            return PeriodSummary(
                start: start, end: start &+ integers[1][index], measures: measures,
                first: .init(time: start &+ integers[3][index], value: doubles[6][index]),
                last: .init(time: start &+ integers[4][index], value: doubles[7][index]))
        }
        guard isInOrder(summaries), summaries.allSatisfy(\.isPossible) else { throw .malformed("no summaries of periods") }
        return summaries
    }

    private static func isInOrder(_ summaries: [PeriodSummary]) -> Bool {
        zip(summaries, summaries.dropFirst()).allSatisfy { $0.start < $1.start }
    }

    private static func column(_ reader: inout ByteReader, _ count: Int) throws(SeriesError) -> [Int64] {
        var column = [Int64](repeating: 0, count: count)
        var fault: SeriesError?
        column.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            do throws(SeriesError) { try IntegerColumn.decode(&reader, count: count, into: start) } catch { fault = error }
        }
        if let fault { throw fault }
        return column
    }

    private static func numberColumn(_ reader: inout ByteReader, _ count: Int) throws(SeriesError) -> [Double] {
        var column = [Double](repeating: 0, count: count)
        var fault: SeriesError?
        column.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            do throws(SeriesError) { _ = try NumberColumn(&reader, count: count, listsKinds: false, into: start) } catch { fault = error }
        }
        if let fault { throw fault }
        return column
    }
}

extension PeriodSummary {
    fileprivate var isPossible: Bool {
        start <= first.time && first.time <= last.time && last.time < end && measures.count > 0
            && (measures.count > 1 || first.time == last.time)
    }
}
