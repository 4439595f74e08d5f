/// A part of one series, as it lies in the file: opened and looked at block by block.
///
/// Opening checks the checksum and reads the summaries; each block is decoded when it is asked for. Whatever the bytes, nothing
/// is read beyond their end and no more memory is taken than a chunk's records can need.
package struct Chunk: Sendable {
    /// Records of one chunk at most.
    package static let countMax = 1 << 16
    /// Records of one block; only the last has fewer.
    package static let blockCount = 1024

    package let summaries: [BlockSummary]
    let bytes: [UInt8]
    let dictionary: ByteDictionary
    /// Where the columns of each block are.
    private let positions: [Range<Int>]

    package var count: Int { summaries.reduce(0) { $0 + $1.count } }

    /// What it takes in memory while it is open, roughly.
    package var memoryByteCount: Int {
        bytes.count + summaries.count * (MemoryLayout<BlockSummary>.stride + MemoryLayout<Range<Int>>.stride) + dictionary.memoryByteCount + 200
    }

    /// The unit of a block's record. No block is decoded where the chunk has no texts.
    package func unit(inBlock index: Int, at position: Int) throws(SeriesError) -> String? {
        dictionary.entries.isEmpty ? nil : try block(index).record(position).unit
    }

    /// - Throws: `SeriesError` for anything that `ChunkEncoder` did not write.
    package init(_ bytes: [UInt8]) throws(SeriesError) {
        (summaries, positions, dictionary) = try withBytes(of: bytes) { raw throws(SeriesError) in try Self.open(raw) }
        self.bytes = bytes
    }

    private static func open(_ bytes: UnsafeRawBufferPointer) throws(SeriesError) -> ([BlockSummary], [Range<Int>], ByteDictionary) {
        guard bytes.count >= ChunkEncoder.headerByteCount + 8 else { throw .truncated }
        let end = bytes.count - 8
        let version = bytes[0]
        guard version == ChunkEncoder.version else { throw .unknownVersion(version) }
        let checksum = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: end, as: UInt64.self))
        guard Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<end])) == checksum else { throw .wrongChecksum }
        var header = try ByteReader(bytes, in: 4..<end)
        let count = Int(try header.fixed32())
        guard (1...countMax).contains(count) else { throw .malformed("\(count) records") }
        var summaries: [BlockSummary] = []
        for start in stride(from: 0, to: count, by: blockCount) {
            summaries.append(try BlockSummary(&header, count: min(blockCount, count - start), after: summaries.last?.lastTime ?? 0))
        }
        var positions: [Range<Int>] = []
        for summary in summaries {
            let start = try header.skip(summary.byteCount)
            positions.append(start..<(start + summary.byteCount))
        }
        // A record has a value, a unit and a rest.
        let dictionary = try ByteDictionary(&header, countMax: 3 * count)
        guard header.isAtEnd else { throw .malformed("more than a chunk") }
        return (summaries, positions, dictionary)
    }

    /// Times and numbers of a block whose summary says that it is numeric; nothing is allocated.
    /// - Parameter times: of at least `blockCount` elements, of which the first are set; so `numbers`.
    package func decode(block index: Int, times: inout [Int64], numbers: inout [Double]) throws(SeriesError) {
        let summary = summaries[index]
        guard summary.isNumeric, times.count >= summary.count, numbers.count >= summary.count else {
            throw .malformed("a block that is not of numbers")
        }
        try withBytes(of: bytes) { raw throws(SeriesError) in
            var reader = try ByteReader(raw, in: positions[index])
            try withElements(of: &times) { times throws(SeriesError) in
                try IntegerColumn.decode(&reader, count: summary.count, into: times)
            }
            guard try reader.byte() == ChunkEncoder.numberMark else { throw .malformed("a block that is not of numbers") }
            try withElements(of: &numbers) { numbers throws(SeriesError) in
                _ = try NumberColumn(&reader, count: summary.count, listsKinds: false, into: numbers)
            }
        }
    }

    /// All columns of a block.
    package func block(_ index: Int) throws(SeriesError) -> ChunkBlock {
        try withBytes(of: bytes) { raw throws(SeriesError) in
            var reader = try ByteReader(raw, in: positions[index])
            return try ChunkBlock(&reader, count: summaries[index].count, dictionary)
        }
    }

    /// All records, in order.
    package func records() throws(SeriesError) -> [SampleRecord] {
        var records: [SampleRecord] = []
        records.reserveCapacity(count)
        for index in summaries.indices {
            let block = try block(index)
            for position in 0..<block.count { records.append(try block.record(position)) }
        }
        return records
    }
}

/// Array's own functions for this don't keep the type of what is thrown.
private func withBytes<Value>(of bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(SeriesError) -> Value) throws(SeriesError) -> Value {
    try bytes.withUnsafeBytes { raw in Result { () throws(SeriesError) in try body(raw) } }.get()
}

private func withElements<Element>(
    of array: inout [Element], _ body: (UnsafeMutablePointer<Element>) throws(SeriesError) -> Void
) throws(SeriesError) {
    try array.withUnsafeMutableBufferPointer { buffer in
        Result { () throws(SeriesError) in if let start = buffer.baseAddress { try body(start) } }
    }.get()
}
