internal import CityModel
internal import GRDB
internal import Series

/// What is wrong with the chunks of a file.
struct SealedVerification {
    private let snapshot: ReadSnapshot

    init(_ snapshot: ReadSnapshot) { self.snapshot = snapshot }

    /// Every chunk is readable and is what its row says; chunks of a series share no moment, and no row has the key of a record.
    /// - Parameter tell: called for each fault.
    func run(_ tell: (String) -> Void) throws {
        var last: (series: SeriesKey, to: Int64)?
        let cursor = try snapshot.rows(
            """
            SELECT \(SeriesKey.columns), from_us, to_us, count, form_min, recorded_from_us, recorded_to_us, changed_from_us, changed_to_us,
                \(Opened.bytes("data")), id FROM chunk ORDER BY \(SeriesKey.columns), from_us
            """)
        while let row = try cursor.next() {
            let series = SeriesKey(
                entity: try row.decode(Int64.self, atIndex: 0), attribute: try row.decode(Int64.self, atIndex: 1),
                dataset: try row.decode(String.self, atIndex: 2))
            let said = try (3...10).map { try row.decode(Int64.self, atIndex: $0) }
            let name = "chunk \(try row.decode(Int64.self, atIndex: 12))"
            if let last, last.series == series, last.to >= said[0] { tell("\(name): it shares moments with the one before it") }
            last = (series, said[1])
            guard let data = try row.bytes(atIndex: 11) else {
                tell("\(name): its key is missing")
                continue
            }
            do throws(SeriesError) {
                let records = try Chunk(data).records()
                if try PackedChunk(records).said != said { tell("\(name): it holds something else than its row says") }
            } catch {
                tell("\(name): it can't be read: \(error)")
            }
        }
        try checkKeys(tell)
        if try snapshot.row(
            "SELECT 1 FROM chunk WHERE entity NOT IN (SELECT id FROM entity UNION ALL SELECT id FROM past) LIMIT 1") != nil
        {
            tell("chunk: records of an entity that is neither there nor past")
        }
    }

    /// Rows that lie within chunks are few: each is looked for.
    private func checkKeys(_ tell: (String) -> Void) throws {
        let cursor = try snapshot.rows(
            """
            SELECT instance.entity, instance.attribute, instance.dataset, at_us, late_us FROM chunk CROSS JOIN instance
            ON instance.entity = chunk.entity AND instance.attribute = chunk.attribute AND instance.dataset = chunk.dataset
            AND at_us BETWEEN from_us AND to_us
            """)
        while let row = try cursor.next() {
            let key = InstanceKey(
                entity: try row.decode(Int64.self, atIndex: 0), attribute: try row.decode(Int64.self, atIndex: 1),
                dataset: try row.decode(String.self, atIndex: 2), atMicroseconds: try row.decode(Int64.self, atIndex: 3),
                lateMicroseconds: try row.decode(Int64.self, atIndex: 4))
            // A chunk that can't be read was told of before.
            if let isTwice = try? snapshot.sealedRecord(key) != nil, isTwice { tell("instance: \(key.instanceID) is in a chunk too") }
        }
    }
}

extension PackedChunk {
    /// In the order of the columns.
    fileprivate var said: [Int64] {
        [from, to, Int64(count), formMin, recorded.lowerBound, recorded.upperBound, changed.lowerBound, changed.upperBound]
    }
}
