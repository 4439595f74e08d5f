/// What a chunk says of one of its blocks before it is decoded.
package struct BlockSummary: Hashable, Sendable {
    package let count: Int
    /// Moments of the first and of the last record.
    package let firstTime: Int64
    package let lastTime: Int64
    /// What all records say in `form`; nil when they differ.
    package let form: Int64?
    /// Whether every record has a number.
    package let isNumeric: Bool
    /// Whether no two records of the chunk share a moment of the block.
    package let hasDistinctMoments: Bool
    /// Of the numbers, when all are.
    package let measures: Measures
    package let first: Double
    package let last: Double
    /// How many bytes its columns take; those of all blocks follow each other.
    let byteCount: Int

    private static let numericBit: UInt64 = 1, distinctBit: UInt64 = 2, formBit: UInt64 = 4

    /// - Parameter isShared: whether the record before the first or the one after the last is of the same moment.
    init(_ records: ArraySlice<SampleRecord>, isShared: Bool, byteCount: Int) {
        count = records.count
        (firstTime, lastTime) = (records.first?.time ?? 0, records.last?.time ?? 0)
        let form = records.first?.form
        self.form = records.allSatisfy { $0.form == form } ? form : nil
        let isNumeric = records.allSatisfy(\.value.isNumeric)
        hasDistinctMoments = !isShared && zip(records, records.dropFirst()).allSatisfy { $0.time != $1.time }
        var measures = Measures()
        if isNumeric { for record in records { measures.add(record.value.double) } }
        (self.measures, self.isNumeric) = (measures, isNumeric)
        first = isNumeric ? records.first?.value.double ?? 0 : 0
        last = isNumeric ? records.last?.value.double ?? 0 : 0
        self.byteCount = byteCount
    }

    /// - Parameter previous: the last moment of the block before, 0 for the first.
    func write(to writer: inout ByteWriter, after previous: Int64) {
        let flags = (isNumeric ? Self.numericBit : 0) | (hasDistinctMoments ? Self.distinctBit : 0) | (form != nil ? Self.formBit : 0)
        writer.varint(flags)
        writer.varint(UInt64(byteCount))
        writer.signed(firstTime &- previous)
        writer.signed(lastTime &- firstTime)
        if let form { writer.signed(form) }
        guard isNumeric else { return }
        for number in [measures.sum.high, measures.sum.low, measures.squares.high, measures.squares.low] { writer.double(number) }
        for number in [measures.min, measures.max, first, last] { writer.double(number) }
    }

    init(_ reader: inout ByteReader, count: Int, after previous: Int64) throws(SeriesError) {
        self.count = count
        let flags = try reader.varint()
        byteCount = try reader.count(atMost: Int(UInt32.max))
        firstTime = previous &+ (try reader.signed())
        lastTime = firstTime &+ (try reader.signed())
        form = flags & Self.formBit != 0 ? try reader.signed() : nil
        isNumeric = flags & Self.numericBit != 0
        hasDistinctMoments = flags & Self.distinctBit != 0
        guard isNumeric else {
            (measures, first, last) = (Measures(), 0, 0)
            return
        }
        let sum = WideSum(high: try reader.double(), low: try reader.double())
        let squares = WideSum(high: try reader.double(), low: try reader.double())
        measures = Measures(count: count, sum: sum, squares: squares, min: try reader.double(), max: try reader.double())
        (first, last) = (try reader.double(), try reader.double())
    }
}
