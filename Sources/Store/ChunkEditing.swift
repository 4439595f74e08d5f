internal import GRDB
internal import Series

/// Changes to what lies in chunks. A record that is touched is taken out of its chunk, which is written anew without it; where
/// that happens often, those around it become rows again too, until they are sealed once more. So whatever edits history edits rows.
extension WriteTransaction {
    /// Makes rows of the records of a moment that lie in a chunk of a series.
    func unseal(_ moment: Int64, of series: SeriesKey) throws {
        for record in try takeOut(of: series, at: moment, where: { $0.time == moment }) { try insert(record, of: series) }
    }

    /// Removes a record from the chunk that holds it.
    func removeSealed(_ key: InstanceKey) throws {
        _ = try takeOut(of: key.series, at: key.atMicroseconds) { $0.time == key.atMicroseconds && $0.late == key.lateMicroseconds }
    }

    /// Takes records out of the chunk that holds a moment; nothing is written where there are none of them.
    /// - Returns: those.
    private func takeOut(of series: SeriesKey, at moment: Int64, where isTaken: (SampleRecord) -> Bool) throws -> [SampleRecord] {
        guard sealing.mayHold(moment), try !sealedRecords(of: series, at: moment).filter(isTaken).isEmpty,
            let span = try chunkSpan(of: series, from: moment, to: moment, isBackwards: false)
        else { return [] }
        let chunk = try chunk(span)
        let records = try corruptible { () throws(SeriesError) in try chunk.records() }
        let kept = records.filter { !isTaken($0) }
        try removeChunk(span)
        let loose = sealing.countEdit(of: series) ? Self.records(around: moment, in: kept) : kept.endIndex..<kept.endIndex
        for part in [kept[..<loose.lowerBound], kept[loose.upperBound...]] where !part.isEmpty {
            try insert(corruptible { () throws(SeriesError) in try PackedChunk(Array(part)) }, of: series)
        }
        for record in kept[loose] { try insert(record, of: series) }
        return records.filter(isTaken)
    }

    /// Records that are made rows where one of them was: so few that the writer is soon free again, and so many that they are
    /// sealed once more. No chunk of a few is left beside them. Whole moments.
    private static func records(around moment: Int64, in records: [SampleRecord]) -> Range<Int> {
        let middle = records.firstIndex { $0.time >= moment } ?? records.count
        var (start, end) = (middle - Chunk.blockCount, middle + Chunk.blockCount)
        if start < Chunk.blockCount { start = 0 }
        if records.count - end < Chunk.blockCount { end = records.count }
        while start > 0, records[start - 1].time == records[start].time { start -= 1 }
        while end < records.count, end > 0, records[end].time == records[end - 1].time { end += 1 }
        return start..<end
    }

    /// Puts a record in `instance` where no other stands.
    private func insert(_ sample: SampleRecord, of series: SeriesKey) throws {
        let content = try content(
            SealedRecord(value: sample.value.databaseValue, unit: sample.unit, rest: sample.rest), of: series.entity, form: Int(sample.form))
        try execute(
            """
            INSERT INTO instance (\(SeriesKey.columns), at_us, late_us, form, value, unit, modified_us, rest)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            series.arguments + [
                sample.time, sample.late, sample.form, content.value, content.unit, sample.modified, content.rest,
            ])
    }
}

extension ReadSnapshot {
    /// The records of a moment that lie in a chunk of a series.
    func sealedRecords(of series: SeriesKey, at moment: Int64) throws -> [SampleRecord] {
        guard try holdsChunks(), let span = try chunkSpan(of: series, from: moment, to: moment, isBackwards: false) else { return [] }
        guard let chunk = try readableChunk(span) else { return [] }
        var found: [SampleRecord] = []
        for (index, summary) in chunk.summaries.enumerated() where summary.firstTime <= moment && moment <= summary.lastTime {
            let block = try corruptible { () throws(SeriesError) in try chunk.block(index) }
            var position = block.position(notBefore: moment)
            while position < block.count, block.times[position] == moment {
                found.append(try corruptible { () throws(SeriesError) in try block.record(position) })
                position += 1
            }
        }
        return found
    }

    /// The record with a key, if it lies in a chunk.
    func sealedRecord(_ key: InstanceKey) throws -> SampleRecord? {
        try sealedRecords(of: key.series, at: key.atMicroseconds).first { $0.late == key.lateMicroseconds }
    }
}
