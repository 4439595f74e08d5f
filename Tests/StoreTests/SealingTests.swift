import CityModel
import GRDB
import Query
import RandomEntities
import Series
@testable import Store
import Testing

/// Old parts of series become chunks, small steps at a time, and nothing is lost or double.
@Suite struct SealingTests {
    private static let level = iri("level")

    private static func minute(_ number: Int) -> Instant { Instant(microseconds: noon.microseconds + Int64(number) * 60_000_000) }

    /// A history of one observation a minute.
    private func folder(_ count: Int, entities: Int = 1) async throws -> TemporaryStore {
        let folder = try TemporaryStore()
        try await folder.file().write { transaction in
            for number in 1...entities {
                let target = try transaction.insertHistoric(entityID(number), types: [iri("Thing")], classification: .open, at: noon)
                for minute in 0..<count { try Self.add(minute, to: target, transaction) }
            }
        }
        return folder
    }

    private static func add(_ minute: Int, to target: HistoricEntity, _ transaction: WriteTransaction) throws {
        let attribute = Attribute(kind: .property, value: .number(Double(minute % 300) / 10), observedAt: Self.minute(minute))
        try transaction.appendHistory(attribute, name: level, of: target.number, .open, at: Self.minute(minute).adding(seconds: 1))
    }

    private func counts(_ folder: TemporaryStore) async throws -> (rows: Int, records: Int, chunks: Int) {
        try await folder.file().read { snapshot in
            (
                try Int.fetchOne(snapshot.db, sql: "SELECT count(*) FROM instance") ?? 0,
                try Int.fetchOne(snapshot.db, sql: "SELECT coalesce(sum(count), 0) FROM chunk") ?? 0,
                try Int.fetchOne(snapshot.db, sql: "SELECT count(*) FROM chunk") ?? 0
            )
        }
    }

    @Test func `what is older than asked becomes chunks, and what is not stays rows`() async throws {
        let folder = try await folder(3000)
        let step = try await folder.file().seal(SealingPolicy(before: Self.minute(2500), rowCountMin: 100, chunkCountMax: 1000))
        // What is left of the last part is too little for another.
        #expect(step.next == nil && (2401...2500).contains(step.rowCount))
        let counts = try await counts(folder)
        #expect(counts.rows == 3000 - step.rowCount && counts.records == step.rowCount && counts.chunks >= 3)
        #expect(try await folder.file().verify().faults == [])
        #expect(try await folder.file().verify().instanceCount == 3000)
    }

    @Test func `fewer rows than asked for stay rows`() async throws {
        let folder = try await folder(99)
        #expect(try await folder.file().seal(SealingPolicy(before: Self.minute(500), rowCountMin: 100)).rowCount == 0)
        #expect(try await counts(folder).chunks == 0)
    }

    @Test func `small chunks grow with what follows, and late rows go into the chunk where they belong`() async throws {
        let folder = try await folder(400)
        let policy = SealingPolicy(before: Self.minute(1000), rowCountMin: 100, chunkCountMax: 1000)
        _ = try await folder.file().seal(policy)
        try await folder.file().write { transaction in
            let target = try #require(try transaction.historicEntity(entityID(1), .special))
            for minute in 400..<550 { try Self.add(minute, to: target, transaction) }
        }
        _ = try await folder.file().seal(policy)
        #expect(try await counts(folder) == (0, 550, 1))
        try await folder.file().write { transaction in
            let target = try #require(try transaction.historicEntity(entityID(1), .special))
            for second in 0..<120 {
                let late = Attribute(kind: .property, value: 7, observedAt: Self.minute(100).adding(seconds: 0.5 + Double(second)))
                try transaction.appendHistory(late, name: Self.level, of: target.number, .open, at: Self.minute(900))
            }
        }
        #expect(try await counts(folder) == (120, 550, 1))
        _ = try await folder.file().seal(policy)
        #expect(try await counts(folder) == (0, 670, 1))
        #expect(try await folder.file().verify().faults == [])
    }

    @Test func `an observation that is said again of a sealed moment is known, and one that is corrected becomes a row`() async throws {
        let folder = try await folder(300)
        _ = try await folder.file().seal(SealingPolicy(before: Self.minute(1000), rowCountMin: 100))
        try await folder.file().write { transaction in
            let target = try #require(try transaction.historicEntity(entityID(1), .special))
            let known = Attribute(kind: .property, value: .number(1.5), observedAt: Self.minute(15))
            #expect(try !transaction.appendHistory(known, name: Self.level, of: target.number, .open, at: Self.minute(900)))
            try transaction.add(Attribute(kind: .property, value: 9, observedAt: Self.minute(15)), Self.level, to: target, at: Self.minute(901))
        }
        #expect(try await counts(folder) == (1, 299, 1))
        let corrected = try await folder.file().read { snapshot in
            try snapshot.history(of: 1, attribute: Self.level, in: Self.minute(14)..<Self.minute(17), limit: 9, .open, at: Self.minute(999)).map(\.value)
        }
        #expect(corrected == [.number(1.4), 9, .number(1.6)])
        #expect(try await folder.file().verify().faults == [])
    }

    private func seal(_ plan: SealingPlan, _ watch: HistoryWatch, _ file: MunicipalityFile) async throws -> Bool {
        try await file.write { transaction in
            transaction.watch = watch
            return try transaction.seal(plan)
        }
    }

    @Test func `what was packed before its entity was written to is not sealed`() async throws {
        let folder = try await folder(300)
        let (file, policy) = (try folder.file(), SealingPolicy(before: Self.minute(1000), rowCountMin: 100))
        let series = try await #require(file.read { try $0.sealable(policy, after: nil, limit: 9).series.first })
        let watch = try await file.watchHistory(of: [series.entity], before: policy.before)
        let plan = try await #require(file.read { try $0.sealingPlan(of: series, policy) })
        try await file.write { transaction in
            let target = try #require(try transaction.historicEntity(entityID(1), .special))
            try transaction.add(Attribute(kind: .property, value: 9, observedAt: Self.minute(15)), Self.level, to: target, at: Self.minute(901))
        }
        #expect(try await seal(plan, watch, file) == false)
        #expect(try await counts(folder) == (300, 0, 0))
        // What is written of now does not disturb.
        let second = try await file.watchHistory(of: [series.entity], before: policy.before)
        let again = try await #require(file.read { try $0.sealingPlan(of: series, policy) })
        try await file.write { transaction in
            let target = try #require(try transaction.historicEntity(entityID(1), .special))
            try Self.add(2000, to: target, transaction)
        }
        #expect(try await seal(again, second, file))
        #expect(!watch.isUntouched(series.entity) && second.isUntouched(series.entity))
        #expect(try await counts(folder) == (1, 300, 1))
    }

    @Test func `a chunk that reaches past the age asked for is left alone, and so is one that is no longer there`() async throws {
        let folder = try await folder(300)
        let (file, policy) = (try folder.file(), SealingPolicy(before: Self.minute(1000), rowCountMin: 100))
        _ = try await file.seal(policy)
        try await file.write { transaction in
            let target = try #require(try transaction.historicEntity(entityID(1), .special))
            for second in 0..<120 {
                let late = Attribute(kind: .property, value: 7, observedAt: Self.minute(50).adding(seconds: 0.5 + Double(second)))
                try transaction.appendHistory(late, name: Self.level, of: target.number, .open, at: Self.minute(900))
            }
        }
        // The clock was set back: what is corrected after minute 200 is not told to the sealer.
        #expect(try await file.seal(SealingPolicy(before: Self.minute(200), rowCountMin: 100)).rowCount == 0)
        let series = try await #require(file.read { try $0.sealable(policy, after: nil, limit: 9).series.first })
        let watch = try await file.watchHistory(of: [series.entity], before: policy.before)
        let plan = try await #require(file.read { try $0.sealingPlan(of: series, policy) })
        let replaced = try #require(plan.replaced)
        // Written anew by somebody who did not say so.
        try await file.write { transaction in
            let packed = try PackedChunk(try transaction.chunk(replaced).records().filter { $0.time != Self.minute(250).microseconds })
            try transaction.removeChunk(replaced)
            try transaction.insert(packed, of: series)
        }
        #expect(try await seal(plan, watch, file) == false)
        #expect(try await counts(folder) == (120, 299, 1))
        #expect(try await file.read { try $0.chunkSpans(of: series).first?.id } != replaced.id)
        #expect(try await file.verify().faults == [])
    }

    @Test func `texts of many megabytes go into as many chunks as they need, and what is larger stays rows`() async throws {
        let folder = try await folder(0)
        try await folder.file().write { transaction in
            let target = try #require(try transaction.historicEntity(entityID(1), .special, evenIfEmpty: true))
            for minute in 0..<330 {
                let length = minute % 11 == 0 ? 70_000 : 60_000
                let text = String(repeating: "x", count: length) + String(minute)
                let attribute = Attribute(kind: .property, value: .string(text), observedAt: Self.minute(minute))
                try transaction.appendHistory(attribute, name: Self.level, of: target.number, .open, at: Self.minute(minute))
            }
        }
        let step = try await folder.file().seal(SealingPolicy(before: Self.minute(1000), rowCountMin: 20))
        #expect(step.rowCount == 300 && step.faults == [])
        let counts = try await counts(folder)
        #expect(counts.rows == 30 && counts.records == 300 && counts.chunks >= 3)
        #expect(try await folder.file().verify().faults == [])
    }

    @Test func `a series that can't be sealed is told of and holds up no other`() async throws {
        let folder = try await folder(300, entities: 2)
        let policy = SealingPolicy(before: Self.minute(1000), rowCountMin: 100)
        _ = try await folder.file().seal(policy)
        try await folder.file().write { transaction in
            try transaction.execute("UPDATE chunk SET data = zeroblob(length(data)) WHERE entity = 1")
            for number in 1...2 {
                let target = try #require(try transaction.historicEntity(entityID(number), .special))
                for minute in 300..<500 { try Self.add(minute, to: target, transaction) }
            }
        }
        let step = try await folder.file().seal(policy)
        #expect(step.rowCount == 200 && step.next == nil)
        #expect(step.faults.count == 1 && step.faults.allSatisfy { $0.contains("series 1/") })
    }

    @Test func `moments of a clock that stood still stay rows, and what is around them is sealed`() async throws {
        let folder = try await folder(0)
        let crowds = [0, 100, 101, 250]
        try await folder.file().write { transaction in
            let target = try #require(try transaction.historicEntity(entityID(1), .special, evenIfEmpty: true))
            for minute in 0..<300 {
                for number in 0..<(crowds.contains(minute) ? 40 : minute % 50 == 7 ? 16 : 1) {
                    let attribute = Attribute(kind: .property, value: .number(Double(number) / 10), observedAt: Self.minute(minute))
                    try transaction.appendHistory(attribute, name: Self.level, of: target.number, .open, at: Self.minute(minute).adding(seconds: Double(number)))
                }
            }
        }
        let policy = SealingPolicy(before: Self.minute(1000), rowCountMin: 10, chunkCountMax: 64)
        let step = try await folder.file().seal(policy)
        let expected = 296 + 6 * 15
        #expect((expected - 9...expected).contains(step.rowCount) && step.faults == [])
        let counts = try await counts(folder)
        #expect(counts.rows == 4 * 40 + expected - step.rowCount && counts.records == step.rowCount)
        #expect(try await folder.file().seal(policy).rowCount == 0)
        #expect(try await folder.file().verify().faults == [])
    }

    @Test func `where a sealed series is corrected again and again its neighbourhood becomes rows, not all of its chunk`() async throws {
        let folder = try await folder(6000)
        _ = try await folder.file().seal(SealingPolicy(before: Self.minute(9000), rowCountMin: 100))
        #expect(try await counts(folder).chunks == 1)
        for minute in 3000..<3004 {
            try await folder.file().write { transaction in
                let key = InstanceKey(
                    entity: 1, attribute: try #require(transaction.terms.number(of: Self.level)), dataset: "",
                    atMicroseconds: Self.minute(minute).microseconds, lateMicroseconds: 1_000_000)
                #expect(try transaction.sealedRecord(key) != nil)
                try transaction.removeSealed(key)
            }
        }
        let after = try await counts(folder)
        #expect(after.chunks == 2 && after.rows + after.records == 5996 && after.rows == 2048, "\(after)")
        #expect(try await folder.file().verify().faults == [])
        // They go where they were with the next walk.
        _ = try await folder.file().seal(SealingPolicy(before: Self.minute(9000), rowCountMin: 100))
        #expect(try await counts(folder).rows == 0)
    }

    @Test func `a chunk that was read is held open, until another stands in its place`() async throws {
        let folder = try await folder(400)
        let file = try folder.file()
        _ = try await file.seal(SealingPolicy(before: Self.minute(1000), rowCountMin: 100))
        func values() async throws -> [Double?] {
            try await file.read { snapshot in
                let series = try #require(try snapshot.series(of: 1, .special).first)
                var values: [Double?] = []
                try snapshot.visitSamples(
                    of: 1, series, in: Self.minute(10)..<Self.minute(13), HistoryWindow(nil, now: noon, .special), isWhole: { _, _ in false }
                ) { span in
                    guard case .numbers(_, let numbers) = span else { return }
                    values += Array(numbers)
                }
                return values
            }
        }
        #expect(try await values() == [1, 1.1, 1.2])
        try await file.write { try $0.execute("UPDATE chunk SET data = zeroblob(length(data))") }
        #expect(try await values() == [1, 1.1, 1.2], "its number is the same")
        try await file.write { try $0.execute("UPDATE chunk SET id = id + 1000") }
        await #expect(throws: CorruptRow.self) { try await values() }
    }

    @Test func `the datasets of a sealed attribute are looked up one by one, but for those that may not be seen`() async throws {
        let folder = try await folder(20)
        try await folder.file().write { transaction in
            let target = try #require(try transaction.historicEntity(entityID(1), .special))
            for (dataset, classification) in [("b", Classification.open), ("a", .special), ("c", .internalUse)] {
                for minute in 0..<20 {
                    let attribute = Attribute(kind: .property, value: 1, datasetID: iri(dataset), observedAt: Self.minute(minute))
                    try transaction.appendHistory(attribute, name: Self.level, of: target.number, classification, at: Self.minute(minute))
                }
            }
        }
        _ = try await folder.file().seal(SealingPolicy(before: Self.minute(1000), rowCountMin: 1, chunkCountMax: 4))
        #expect(try await counts(folder).rows == 0)
        try await folder.file().read { snapshot in
            #expect(try snapshot.series(of: 1, .open).map(\.datasetID) == [nil, iri("b")])
            #expect(try snapshot.series(of: 1, .special).map(\.datasetID) == [nil, iri("a"), iri("b"), iri("c")])
            let plan = try String.fetchAll(
                snapshot.db, sql: "EXPLAIN QUERY PLAN SELECT 1 FROM chunk WHERE \(SeriesKey.condition) AND form_min < ? LIMIT 1",
                arguments: [1, 1, "", 32], adapter: SuffixRowAdapter(fromIndex: 3)).joined()
            #expect(plan.contains("chunk_form") && plan.contains("form_min<?"), "\(plan)")
        }
    }

    @Test func `a chunk is not opened before a row that comes first, and of a moment backwards none but the newest is read`() async throws {
        let folder = try await folder(300)
        _ = try await folder.file().seal(SealingPolicy(before: Self.minute(1000), rowCountMin: 100))
        try await folder.file().write { transaction in
            let target = try #require(try transaction.historicEntity(entityID(1), .special))
            for minute in [-5, 400] { try Self.add(minute, to: target, transaction) }
            try transaction.execute("UPDATE chunk SET data = zeroblob(length(data))")
        }
        try await folder.file().read { snapshot in
            let series = try #require(try snapshot.series(of: 1, .special).first)
            func first(_ limit: Int, _ temporal: TemporalQuery?, isBackwards: Bool) throws -> [Instant] {
                var times: [Instant] = []
                try snapshot.visitRecords(
                    of: 1, series, HistoryWindow(temporal, isBackwards: isBackwards, now: noon, .special), limit: limit
                ) {
                    times.append($0.time)
                    return true
                }
                return times
            }
            #expect(try first(1, nil, isBackwards: false) == [Self.minute(-5)])
            #expect(try first(1, nil, isBackwards: true) == [Self.minute(400)])
            #expect(try first(1, TemporalQuery(nil), isBackwards: true) == [Self.minute(400)])
            #expect(throws: (any Error).self) { try first(2, nil, isBackwards: false) }
        }
    }

    @Test func `of records in another order the first are kept, and no more than a fixed count where all are wanted`() throws {
        var chance = SplitMix(seed: 7)
        let numbers = (0..<5000).map { Int64($0) }.shuffled(using: &chance)
        func record(_ number: Int64) -> StoredRecord { StoredRecord(SampleRecord(time: 5000 - number, value: .integer(number))) }
        for (isBackwards, expected) in [(false, [0, 1, 2]), (true, [4999, 4998, 4997])] as [(Bool, [Int64])] {
            var first = FirstRecords(limit: 3, isBackwards: isBackwards)
            for number in numbers { try first.add(record(number), time: number) }
            #expect(first.sorted().map(\.time) == expected)
        }
        var all = FirstRecords(limit: .max, isBackwards: false, countMax: 4999)
        for number in numbers.dropLast() { try all.add(record(number), time: number) }
        #expect(throws: CityError.self) { try all.add(record(1), time: 1) }
    }

    @Test func `a walk goes over all series and then ends`() async throws {
        let folder = try await folder(20, entities: 600)
        var (position, rowCount, stepCount) = (SealingPosition?.none, 0, 0)
        repeat {
            let step = try await folder.file().seal(SealingPolicy(before: Self.minute(1000), rowCountMin: 10), after: position)
            (position, rowCount, stepCount) = (step.next, rowCount + step.rowCount, stepCount + 1)
        } while position != nil
        #expect(rowCount == 12_000 && stepCount == 3)
        #expect(try await counts(folder) == (0, 12_000, 600))
    }

    @Test func `verification finds a damaged chunk, one that is not what its row says, and a record that is a row too`() async throws {
        for (damage, words) in [
            ("UPDATE chunk SET data = zeroblob(length(data))", "can't be read"), ("UPDATE chunk SET count = count + 1", "something else"),
            ("INSERT INTO instance SELECT 1, attribute, '', from_us, 1000000, 8, 1, NULL, NULL, NULL, NULL FROM chunk", "in a chunk too"),
            ("UPDATE chunk SET entity = 77", "neither there nor past"),
        ] {
            let folder = try await folder(300)
            _ = try await folder.file().seal(SealingPolicy(before: Self.minute(1000), rowCountMin: 100))
            try await folder.file().write { try $0.execute(damage) }
            let faults = try await folder.file().verify().faults
            #expect(faults.contains { $0.contains(words) }, "\(damage): \(faults)")
        }
    }

    @Test func `a file that is opened again, and one that was put back from a backup, have the same chunks`() async throws {
        let folder = try await folder(300)
        _ = try await folder.file().seal(SealingPolicy(before: Self.minute(1000), rowCountMin: 100))
        let backup = folder.path + "/backup.sqlite"
        try await folder.file().copy(to: backup)
        let name = try #require(MunicipalityName("birch"))
        try await folder.store.restore(name, from: backup)
        let file = try folder.store.file(name)
        #expect(try await file.verify().instanceCount == 300)
        // It knows how far it is sealed: a moment that a chunk holds is not written beside it.
        try await file.write { transaction in
            let target = try #require(try transaction.historicEntity(entityID(1), .special))
            try transaction.add(Attribute(kind: .property, value: 9, observedAt: Self.minute(15)), Self.level, to: target, at: Self.minute(901))
        }
        #expect(try await file.verify().instanceCount == 300)
        #expect(try await file.verify().faults == [])
    }

    @Test func `erasing an entity's history erases its chunks`() async throws {
        let folder = try await folder(300)
        _ = try await folder.file().seal(SealingPolicy(before: Self.minute(1000), rowCountMin: 100))
        try await folder.file().write { transaction in
            try transaction.eraseHistory(of: try #require(try transaction.historicEntity(entityID(1), .special)), at: noon)
        }
        #expect(try await counts(folder) == (0, 0, 0))
        #expect(try await folder.file().verify().faults == [])
    }
}
