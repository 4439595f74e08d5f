/// Makes a chunk of the records of one series. The layout, all numbers little-endian:
///
///     version, record count (32 bits each)
///     a summary for each block of 1,024 records
///     the blocks: columns of time, value, lateness, form, modification, unit and rest
///     the dictionary of texts and documents
///     the checksum of all that is before it (64 bits)
package enum ChunkEncoder {
    static let version: UInt8 = 1
    static let headerByteCount = 8
    /// Whether a block's values are numbers or entries of the dictionary.
    static let numberMark: UInt8 = 0, entryMark: UInt8 = 1
    /// Whether what stands for a record's lateness is itself or the moment of recording.
    static let lateMark: UInt8 = 0, recordedMark: UInt8 = 1

    /// - Parameter records: in order of time and lateness, no two with both equal; 1 to `Chunk.countMax`.
    /// - Throws: `notASeries`, `tooLarge`.
    package static func encode(_ records: [SampleRecord]) throws(SeriesError) -> [UInt8] {
        guard (1...Chunk.countMax).contains(records.count), zip(records, records.dropFirst()).allSatisfy({ $0.isBefore($1) }) else {
            throw .notASeries
        }
        let blocks = stride(from: 0, to: records.count, by: Chunk.blockCount).map { $0..<min($0 + Chunk.blockCount, records.count) }
        var (bodies, summaries, dictionary) = (ByteWriter(), ByteWriter(), ByteDictionary())
        var previous: Int64 = 0
        for range in blocks {
            let start = bodies.bytes.count
            try write(records[range], &dictionary, to: &bodies)
            BlockSummary(records[range], isShared: isShared(range, records), byteCount: bodies.bytes.count - start)
                .write(to: &summaries, after: previous)
            previous = records[range.upperBound - 1].time
        }
        var writer = ByteWriter()
        writer.fixed32(UInt32(version))
        writer.fixed32(UInt32(records.count))
        writer.append(summaries.bytes)
        writer.append(bodies.bytes)
        dictionary.write(to: &writer)
        writer.fixed64(writer.bytes.withUnsafeBytes(Checksum.of))
        return writer.bytes
    }

    /// Whether a block begins or ends within a moment.
    private static func isShared(_ range: Range<Int>, _ records: [SampleRecord]) -> Bool {
        let (first, end) = (range.lowerBound, range.upperBound)
        return (first > 0 && records[first - 1].time == records[first].time)
            || (end < records.count && records[end].time == records[end - 1].time)
    }

    private static func write(
        _ records: ArraySlice<SampleRecord>, _ dictionary: inout ByteDictionary, to writer: inout ByteWriter
    ) throws(SeriesError) {
        IntegerColumn.encode(records.map(\.time), mayBeGrid: true, to: &writer)
        if records.allSatisfy(\.value.isNumeric) {
            writer.byte(numberMark)
            NumberColumn.encode(records.map(\.value), to: &writer)
        } else {
            writer.byte(entryMark)
            IntegerColumn.encode(try numbers(records, &dictionary) { $0.value.entry }, to: &writer)
        }
        writeLateness(records, to: &writer)
        IntegerColumn.encode(records.map(\.form), to: &writer)
        IntegerColumn.encode(records.map { $0.modified == nil ? 0 : 1 }, to: &writer)
        IntegerColumn.encode(records.map { $0.modified ?? 0 }, to: &writer)
        IntegerColumn.encode(try numbers(records, &dictionary) { $0.unit.map { Array($0.utf8) } }, to: &writer)
        IntegerColumn.encode(try numbers(records, &dictionary) { $0.rest }, to: &writer)
    }

    /// What is sent one by one is recorded about as late each time; what is sent together is recorded at one moment.
    private static func writeLateness(_ records: ArraySlice<SampleRecord>, to writer: inout ByteWriter) {
        var (late, recorded) = (ByteWriter(), ByteWriter())
        late.byte(lateMark)
        IntegerColumn.encode(records.map(\.late), to: &late)
        recorded.byte(recordedMark)
        IntegerColumn.encode(records.map { $0.time &+ $0.late }, to: &recorded)
        writer.append(late.bytes.count <= recorded.bytes.count ? late.bytes : recorded.bytes)
    }

    private static func numbers(
        _ records: ArraySlice<SampleRecord>, _ dictionary: inout ByteDictionary, _ entry: (SampleRecord) -> [UInt8]?
    ) throws(SeriesError) -> [Int64] {
        var numbers: [Int64] = []
        for record in records { numbers.append(try dictionary.number(of: entry(record))) }
        return numbers
    }
}

extension SampleValue {
    private static let textTag: UInt8 = 0, documentTag: UInt8 = 1, integerTag: UInt8 = 2, numberTag: UInt8 = 3

    /// How it stands in the dictionary.
    fileprivate var entry: [UInt8] {
        switch self {
        case .text(let text): [Self.textTag] + Array(text.utf8)
        case .document(let bytes): [Self.documentTag] + bytes
        case .integer(let value): [Self.integerTag] + withUnsafeBytes(of: value.littleEndian, Array.init)
        case .number(let value): [Self.numberTag] + withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init)
        }
    }

    init(entry: [UInt8]?) throws(SeriesError) {
        guard let entry, let tag = entry.first else { throw .malformed("a record without a value") }
        let content = entry.dropFirst()
        func bits() throws(SeriesError) -> UInt64 {
            guard content.count == 8 else { throw .malformed("a number of \(content.count) bytes") }
            return content.reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        switch tag {
        case Self.textTag: self = .text(String(decoding: content, as: UTF8.self))
        case Self.documentTag: self = .document(Array(content))
        case Self.integerTag: self = .integer(Int64(bitPattern: try bits()))
        case Self.numberTag: self = .number(Double(bitPattern: try bits()))
        default: throw .malformed("a value of no known kind")
        }
    }
}
