internal import GRDB
internal import Series

/// Changes to what lies in chunks. A record that is touched becomes a row again, and the chunk is written anew without it; so
/// whatever edits history edits rows.
extension WriteTransaction {
    /// Makes rows of the records of a moment that lie in a chunk of a series.
    func unseal(_ moment: Int64, of series: SeriesKey) throws {
        try rewriteChunk(of: series, at: moment) { $0.time == moment }
            .forEach { try insert($0, of: series) }
    }

    /// Removes a record from the chunk that holds it.
    func removeSealed(_ key: InstanceKey) throws {
        _ = try rewriteChunk(of: key.series, at: key.atMicroseconds) { $0.time == key.atMicroseconds && $0.late == key.lateMicroseconds }
    }

    /// Writes the chunk that holds a moment anew without some of its records; nothing is written where there are none of them.
    /// - Returns: those.
    private func rewriteChunk(of series: SeriesKey, at moment: Int64, without isTaken: (SampleRecord) -> Bool) throws -> [SampleRecord] {
        guard sealing.mayHold(moment), try holdsChunks(), let span = try chunkSpan(of: series, from: moment, to: moment, isBackwards: false),
            let records = try sealedRecords(span), records.contains(where: isTaken)
        else { return [] }
        try removeChunk(span)
        let kept = records.filter { !isTaken($0) }
        if !kept.isEmpty { try insert(corruptible { () throws(SeriesError) in try PackedChunk(kept) }, of: series) }
        return records.filter(isTaken)
    }

    private func sealedRecords(_ span: ChunkSpan) throws -> [SampleRecord]? {
        let chunk = try chunk(span)
        return try corruptible { () throws(SeriesError) in try chunk.records() }
    }

    /// Puts a record in `instance` where no other stands.
    private func insert(_ sample: SampleRecord, of series: SeriesKey) throws {
        try execute(
            """
            INSERT INTO instance (\(SeriesKey.columns), at_us, late_us, form, value, unit, modified_us, rest)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            series.arguments + [
                sample.time, sample.late, sample.form, sample.value.databaseValue, sample.unit, sample.modified, sample.rest?.databaseBlob,
            ])
    }
}

extension ReadSnapshot {
    /// The records of a moment that lie in a chunk of a series.
    func sealedRecords(of series: SeriesKey, at moment: Int64) throws -> [SampleRecord] {
        guard try holdsChunks(), let span = try chunkSpan(of: series, from: moment, to: moment, isBackwards: false) else { return [] }
        let chunk = try chunk(span)
        var found: [SampleRecord] = []
        for index in chunk.summaries.indices where (chunk.summaries[index].firstTime...chunk.summaries[index].lastTime).contains(moment) {
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
