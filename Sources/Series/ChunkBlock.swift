/// The columns of one block, decoded.
package struct ChunkBlock: Sendable {
    private enum Values: Sendable {
        case numbers(NumberColumn, [Double])
        case entries([Int64])
    }

    package let count: Int
    /// In order.
    package let times: [Int64]
    package let lates: [Int64]
    package let forms: [Int64]
    private let values: Values
    private let areModified: [Int64]
    private let modified: [Int64]
    private let units: [Int64]
    private let rests: [Int64]
    private let dictionary: ByteDictionary

    init(_ reader: inout ByteReader, count: Int, _ dictionary: ByteDictionary) throws(SeriesError) {
        (self.count, self.dictionary) = (count, dictionary)
        let times = try Self.column(&reader, count)
        self.times = times
        switch try reader.byte() {
        case ChunkEncoder.numberMark: values = try Self.numbers(&reader, count)
        case ChunkEncoder.entryMark: values = .entries(try Self.column(&reader, count))
        default: throw .malformed("values of no known kind")
        }
        let mark = try reader.byte()
        let lates = try Self.column(&reader, count)
        switch mark {
        case ChunkEncoder.lateMark: self.lates = lates
        case ChunkEncoder.recordedMark: self.lates = zip(lates, times).map { $0 &- $1 }
        default: throw .malformed("lateness of no known kind")
        }
        forms = try Self.column(&reader, count)
        areModified = try Self.column(&reader, count)
        modified = try Self.column(&reader, count)
        units = try Self.column(&reader, count)
        rests = try Self.column(&reader, count)
        guard reader.isAtEnd else { throw .malformed("a block with more than its columns") }
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

    private static func numbers(_ reader: inout ByteReader, _ count: Int) throws(SeriesError) -> Values {
        var doubles = [Double](repeating: 0, count: count)
        var result: Result<NumberColumn, SeriesError> = .failure(.truncated)
        doubles.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            result = Result { () throws(SeriesError) in try NumberColumn(&reader, count: count, listsKinds: true, into: start) }
        }
        return .numbers(try result.get(), doubles)
    }

    /// - Parameter position: from 0 to `count` - 1.
    package func value(_ position: Int) throws(SeriesError) -> SampleValue {
        switch values {
        case .numbers(let column, let doubles): column.value(at: position, doubles[position])
        case .entries(let entries): try SampleValue(entry: dictionary.entry(entries[position]))
        }
    }

    package func record(_ position: Int) throws(SeriesError) -> SampleRecord {
        let unit = try dictionary.entry(units[position]).map { String(decoding: $0, as: UTF8.self) }
        return SampleRecord(
            time: times[position], late: lates[position], form: forms[position], value: try value(position), unit: unit,
            modified: areModified[position] == 0 ? nil : modified[position], rest: try dictionary.entry(rests[position]))
    }

    /// The first position whose time is not before `time`; `count` when there is none.
    package func position(notBefore time: Int64) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if times[middle] < time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
