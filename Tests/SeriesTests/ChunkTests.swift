import RandomEntities
import Testing

@testable import Series

@Suite("Chunks of a series")
struct ChunkTests {
    @Test(arguments: UInt64(1)..<45)
    func `what goes into a chunk comes out of it, to the last bit`(seed: UInt64) throws {
        let records = RandomSeries.records(seed: seed)
        let chunk = try Chunk(ChunkEncoder.encode(records))
        #expect(chunk.count == records.count)
        #expect(try chunk.records().isIdentical(to: records))
    }

    @Test(arguments: UInt64(1)..<20)
    func `a numeric block decodes to the times and numbers of its records, and its summary is theirs`(seed: UInt64) throws {
        let records = RandomSeries.records(seed: seed)
        let chunk = try Chunk(ChunkEncoder.encode(records))
        var (times, numbers) = ([Int64](repeating: 0, count: Chunk.blockCount), [Double](repeating: 0, count: Chunk.blockCount))
        for (index, summary) in chunk.summaries.enumerated() {
            let start = index * Chunk.blockCount
            let block = records[start..<(start + summary.count)]
            #expect(summary.firstTime == block.first?.time && summary.lastTime == block.last?.time)
            #expect(summary.isNumeric == block.allSatisfy(\.value.isNumeric))
            guard summary.isNumeric else { continue }
            try chunk.decode(block: index, times: &times, numbers: &numbers)
            #expect(Array(times[..<summary.count]) == block.map(\.time))
            #expect(numbers[..<summary.count].map(\.bitPattern) == block.map(\.value.double.bitPattern))
            var measures = Measures()
            for record in block { measures.add(record.value.double) }
            #expect(measures.count == summary.measures.count && measures.min == summary.measures.min && measures.max == summary.measures.max)
            #expect(measures.sum.high.bitPattern == summary.measures.sum.high.bitPattern)
        }
    }

    @Test func `moments are told to be distinct only where none is shared, also across blocks`() throws {
        var records = (0..<2100).map { SampleRecord(time: Int64($0) * 60_000_000, value: .integer(1)) }
        #expect(try Chunk(ChunkEncoder.encode(records)).summaries.map(\.hasDistinctMoments) == [true, true, true])
        (records[1024].time, records[1024].late) = (records[1023].time, 1)
        #expect(try Chunk(ChunkEncoder.encode(records)).summaries.map(\.hasDistinctMoments) == [false, false, true])
    }

    @Test func `records out of order, twice the same key and no records at all make no chunk`() {
        let record = SampleRecord(time: 5, value: .integer(1))
        for records in [[], [record, record], [record, SampleRecord(time: 4, value: .integer(1))]] {
            #expect(throws: SeriesError.notASeries) { try ChunkEncoder.encode(records) }
        }
    }

    @Test func `a sample of a quiet sensor takes less than a byte`() throws {
        let records = (0..<8192).map { SampleRecord(time: Int64($0) * 60_000_000, late: 250, form: 8, value: .number(Double(200 + $0 / 50 % 7) / 10)) }
        #expect(try ChunkEncoder.encode(records).count < 8192 / 2)
    }
}

@Suite("Damaged chunks")
struct DamagedChunkTests {
    /// Damaged bytes whose checksum is right, so that what lies behind it is tried too.
    private func resealed(_ bytes: [UInt8]) -> [UInt8] {
        let content = Array(bytes.dropLast(8))
        let checksum = content.withUnsafeBytes { Checksum.of($0) }
        return content + withUnsafeBytes(of: checksum.littleEndian, Array.init)
    }

    private func readEverything(_ bytes: [UInt8]) throws(SeriesError) {
        let chunk = try Chunk(bytes)
        var (times, numbers) = ([Int64](repeating: 0, count: Chunk.blockCount), [Double](repeating: 0, count: Chunk.blockCount))
        for (index, summary) in chunk.summaries.enumerated() where summary.isNumeric {
            try? chunk.decode(block: index, times: &times, numbers: &numbers)
        }
        _ = try chunk.records()
    }

    @Test(arguments: UInt64(1)..<14)
    func `a chunk with any byte changed is refused`(seed: UInt64) throws {
        var chance = SplitMix(seed: seed)
        let bytes = try ChunkEncoder.encode(RandomSeries.records(seed: seed, countMax: 1500))
        for _ in 0..<20 {
            var damaged = bytes
            damaged[Int(chance.next() % UInt64(bytes.count))] ^= UInt8(1 << (chance.next() % 8))
            #expect(throws: SeriesError.self) { try Chunk(damaged) }
        }
    }

    @Test(arguments: UInt64(1)..<34)
    func `a chunk that was damaged before its checksum was made is read or refused, and never traps`(seed: UInt64) throws {
        var chance = SplitMix(seed: seed)
        let bytes = try ChunkEncoder.encode(RandomSeries.records(seed: seed, countMax: 1500))
        for _ in 0..<30 {
            var damaged = bytes
            for _ in 0...(chance.next() % 4) { damaged[Int(chance.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: chance.next()) }
            try? readEverything(resealed(damaged))
        }
    }

    @Test(arguments: UInt64(1)..<10)
    func `a chunk that was cut short is refused`(seed: UInt64) throws {
        var chance = SplitMix(seed: seed)
        let bytes = try ChunkEncoder.encode(RandomSeries.records(seed: seed, countMax: 1500))
        for _ in 0..<20 {
            let cut = Array(bytes[..<Int(chance.next() % UInt64(bytes.count))])
            #expect(throws: SeriesError.self) { try readEverything(cut) }
            if cut.count >= 8 { #expect(throws: SeriesError.self) { try readEverything(resealed(cut)) } }
        }
    }

    @Test func `a chunk of a later program is told apart from a damaged one`() throws {
        var bytes = try ChunkEncoder.encode([SampleRecord(time: 1, value: .integer(1))])
        bytes[0] = 9
        #expect(throws: SeriesError.unknownVersion(9)) { try Chunk(bytes) }
    }
}
