import CityModel
import GRDB
import Query
import RandomEntities
import Series
@testable import Store
import Testing

/// A file whose past is thinned tells of whole hours and days what one tells in which all is there.
@Suite struct ThinnedHistoryTests {
    private static let names = [iri("level"), iri("count")]
    private static let classifications: [Classification] = [.open, .internalUse, .special]
    private static let dayMicroseconds: Int64 = 86_400_000_000
    private static let dayCount = 12

    private enum Step: Sendable {
        case record(Attribute, IRI, Classification, Instant)
        case add(Attribute, IRI, Instant)
        case endSeries(IRI, Instant)
        case eraseInstance(IRI, pick: Int)
        case replaceInstance(IRI, pick: Int, Attribute, Instant)
        case eraseSeries(IRI, pick: Int)
        case seal(Int)
        case thin(Int)
    }

    private static func moment(_ chance: inout SplitMix) -> Instant {
        // Few moments, so that many are met again.
        Instant(microseconds: noon.microseconds + Int64(chance.next() % UInt64(dayCount * 96)) * dayMicroseconds / 96)
    }

    private static func number(_ chance: inout SplitMix) -> Attribute {
        let value: JSON = chance.next() % 3 == 0 ? .integer(Int64(chance.next() % 30) - 9) : .number(Double(chance.next() % 4000) / 10)
        return Attribute(
            kind: .property, value: value, datasetID: chance.next() % 5 == 0 ? iri("second") : nil, observedAt: moment(&chance),
            unitCode: chance.next() % 6 == 0 ? "CEL" : nil)
    }

    private static func step(_ chance: inout SplitMix, day: Int) -> Step {
        let name = names[Int(chance.next() % 2)]
        let pick = Int(chance.next() % 1000)
        let now = Instant(microseconds: noon.microseconds + Int64(day) * dayMicroseconds + Int64(pick))
        switch chance.next() % 60 {
        case 0: return .endSeries(name, now)
        case 1: return .eraseInstance(name, pick: pick)
        case 2: return .replaceInstance(name, pick: pick, number(&chance), now)
        case 3: return pick % 5 == 0 ? .eraseSeries(name, pick: pick) : .eraseInstance(name, pick: pick)
        case 4, 5, 6: return .seal(day)
        case 7, 8, 9: return .thin(day)
        case 10...14:
            // Texts are of moments of their own: what takes the place of which is not known of what is gone.
            var text = number(&chance)
            (text.value, text.observedAt) = (.string("text"), text.observedAt?.adding(seconds: 0.5))
            return .record(text, name, classifications[pick % 3], now)
        case 15...20: return .add(number(&chance), name, now)
        default: return .record(number(&chance), name, classifications[pick % 3], now)
        }
    }

    private static func target(_ transaction: WriteTransaction) throws -> HistoricEntity {
        try transaction.historicEntity(entityID(1), .special, evenIfEmpty: true)
            ?? transaction.insertHistoric(entityID(1), types: [iri("Thing")], classification: .open, at: noon)
    }

    private static func identifiers(_ name: IRI, _ target: HistoricEntity, _ transaction: WriteTransaction) throws -> [String] {
        var found: [String] = []
        for series in try transaction.series(of: target.number, attributes: [name], .special) {
            try transaction.visitRecords(of: target.number, series, HistoryWindow(nil, now: noon, .special)) {
                found.append($0.instanceID)
                return true
            }
        }
        return found
    }

    /// Does a step to the thinned file.
    /// - Returns: the same as it is to be done to the other; nil when it was refused.
    private static func perform(_ step: Step, _ transaction: WriteTransaction) throws -> (@Sendable (WriteTransaction) throws -> Void)? {
        let target = try target(transaction)
        switch step {
        case .record(let attribute, let name, let classification, let now):
            guard try transaction.appendHistory(attribute, name: name, of: target.number, classification, at: now) else { return nil }
            return { try $0.appendHistory(attribute, name: name, of: Self.target($0).number, classification, at: now) }
        case .add(let attribute, let name, let now):
            do { try transaction.add(attribute, name, to: target, at: now) } catch CityError.operationNotSupported { return nil }
            return { try $0.add(attribute, name, to: Self.target($0), at: now) }
        case .endSeries(let name, let now):
            let ended = try transaction.series(of: target.number, attributes: [name], .special).filter { try transaction.appendDeletion(to: $0, of: target, at: now) }
            return { transaction in for series in ended { _ = try transaction.appendDeletion(to: series, of: Self.target(transaction), at: now) } }
        case .eraseInstance(let name, let pick):
            let all = try identifiers(name, target, transaction)
            guard !all.isEmpty, try transaction.erase(instance: all[pick % all.count], name, of: target) else { return nil }
            return { _ = try $0.erase(instance: all[pick % all.count], name, of: Self.target($0)) }
        case .replaceInstance(let name, let pick, let attribute, let now):
            let all = try identifiers(name, target, transaction)
            guard !all.isEmpty else { return nil }
            do { _ = try transaction.replace(instance: all[pick % all.count], name, of: target, with: attribute, at: now) } catch
                CityError.operationNotSupported
            { return nil }
            return { _ = try $0.replace(instance: all[pick % all.count], name, of: Self.target($0), with: attribute, at: now) }
        case .eraseSeries(let name, let pick):
            let all = try transaction.series(of: target.number, attributes: [name], .special)
            guard !all.isEmpty else { return nil }
            let series = all[pick % all.count]
            try transaction.erase(series, of: target)
            return { try $0.erase(series, of: Self.target($0)) }
        case .seal, .thin: return nil
        }
    }

    /// What a period of a series comes to.
    private struct Sum: Equatable {
        var measures = Measures()
        var first: PeriodSummary.Point?
        var last: PeriodSummary.Point?

        /// Sums to the last digit of a double: squares alone can have more than 106 bits.
        static func == (left: Sum, right: Sum) -> Bool {
            (left.first, left.last) == (right.first, right.last) && left.measures.count == right.measures.count
                && left.measures.sum.value == right.measures.sum.value && left.measures.squares.value == right.measures.squares.value
                && (left.measures.min, left.measures.max) == (right.measures.min, right.measures.max)
        }

        mutating func add(_ more: Measures, _ first: PeriodSummary.Point, _ last: PeriodSummary.Point) {
            measures.add(more)
            if self.first.map({ first.time < $0.time }) ?? true { self.first = first }
            if self.last.map({ last.time > $0.time }) ?? true { self.last = last }
        }
    }

    /// By day, and by hour where no more than hours were made; from the first day on of which something is kept.
    private static func sums(
        _ snapshot: ReadSnapshot, _ series: Series, _ classification: Classification, _ calendar: RetentionCalendar, from: Int64, daysUntil: Int64
    ) throws -> [Int64: Sum] {
        let window = HistoryWindow(nil, now: noon.adding(seconds: 1e8), classification)
        var sums: [Int64: Sum] = [:]
        func add(_ measures: Measures, _ first: PeriodSummary.Point, _ last: PeriodSummary.Point) {
            guard first.time >= from else { return }
            sums[calendar.day(of: first.time).lowerBound, default: Sum()].add(measures, first, last)
            // Told apart from days by a microsecond.
            if first.time >= daysUntil { sums[calendar.hour(of: first.time).lowerBound + 1, default: Sum()].add(measures, first, last) }
        }
        func add(_ value: Double, _ time: Int64) {
            let one = PeriodSummary(value, at: time, start: time, end: time + 1)
            add(one.measures, one.first, one.last)
        }
        try snapshot.visitSamples(
            of: 1, series, in: Instant(microseconds: .min)..<Instant(microseconds: .max), window, isWhole: { _, _ in false }
        ) { span in
            switch span {
            case .one(let sample): if let value = sample.value { add(value, sample.at.microseconds) }
            case .numbers(let times, let values): for (time, value) in zip(times, values) { add(value, time) }
            case .block: Issue.record("nobody asked for blocks")
            }
        }
        for kept in try snapshot.keptSummaries(of: 1, series, in: nil, window) { add(kept.summary.measures, kept.summary.first, kept.summary.last) }
        return sums
    }

    private static func compare(_ thinned: MunicipalityFile, _ plain: MunicipalityFile, _ calendar: RetentionCalendar) async throws {
        for classification in classifications {
            let all = try await plain.read { snapshot in
                try snapshot.historicEntity(entityID(1), classification) == nil ? [] : snapshot.series(of: 1, classification)
            }
            for series in all {
                let (from, daysUntil, raw) = try await thinned.read { snapshot in
                    let row = try Row.fetchOne(
                        snapshot.db, sql: "SELECT max(daily_us), max(hourly_us), max(raw_us) FROM thinned WHERE attribute = ? AND dataset = ?",
                        arguments: [series.number, series.datasetID?.text ?? ""])
                    return (row?[0] as Int64? ?? .min, row?[1] as Int64? ?? .min, row?[2] as Int64? ?? .min)
                }
                let expected = try await plain.read { try sums($0, series, classification, calendar, from: from, daysUntil: daysUntil) }
                let found = try await thinned.read { try sums($0, series, classification, calendar, from: from, daysUntil: daysUntil) }
                let different = Set(found.keys).union(expected.keys).filter { found[$0] != expected[$0] }.sorted()
                let first = different.first.map { "\(Instant(microseconds: $0)): \(String(describing: found[$0])), not \(String(describing: expected[$0]))" }
                #expect(first == nil, "\(series) for \(classification), \(different.count) periods")
                // What held at a moment of which all is kept.
                let moment = Instant(microseconds: max(raw, noon.microseconds) + 1)
                let window = HistoryWindow(nil, now: noon.adding(seconds: 1e8), classification)
                let held = try await plain.read { try $0.lastSample(of: 1, series, before: moment, window) }
                if from == .min { #expect(try await thinned.read { try $0.lastSample(of: 1, series, before: moment, window) } == held) }
            }
        }
    }

    @Test(arguments: UInt64(1)..<9)
    func `whatever happens to history, whole hours and days of a thinned file are those of one that keeps all`(seed: UInt64) async throws {
        let (plain, thinned) = (try TemporaryStore(), try TemporaryStore())
        let zone = try #require(CivilZone(seed % 3 == 0 ? "Asia/Kolkata" : "UTC"))
        let rule = try RetentionTests.rule("P2D", seed % 2 == 0 ? "P5D" : nil, seed % 4 == 0 ? "P8D" : nil)
        var chance = SplitMix(seed: seed)
        var thinnedCount = 0
        for number in 0..<400 {
            // Time passes, and much comes late.
            let day = number * Self.dayCount / 400 + 1
            let step = Self.step(&chance, day: day)
            switch step {
            case .seal(let day):
                let before = Instant(microseconds: noon.microseconds + Int64(day - 1) * Self.dayMicroseconds)
                _ = try await thinned.file().seal(SealingPolicy(before: before, rowCountMin: 1 + Int(chance.next() % 5), chunkCountMax: 4 + Int(chance.next() % 40)))
            case .thin(let day):
                var policy = RetentionPolicy(rule, zone: zone, at: Instant(microseconds: noon.microseconds + Int64(day) * Self.dayMicroseconds), rowCountMax: 1 + Int(chance.next() % 30))
                if chance.next() % 2 == 0 { policy.settledBefore = policy.now.adding(seconds: 1e6) }
                let done = try await RetentionTests.thin(thinned.file(), policy)
                #expect(done.faults == [])
                thinnedCount += done.count
                try await Self.compare(thinned.file(), plain.file(), policy.calendar)
                #expect(try await thinned.file().verify().faults == [])
            default:
                let other = try await thinned.file().write { try Self.perform(step, $0) }
                if let other { try await plain.file().write(other) }
            }
        }
        #expect(thinnedCount > 50)
    }
}
