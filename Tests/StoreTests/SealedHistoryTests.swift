import CityModel
import GRDB
import OrderedCollections
import Query
@testable import Store
import RandomEntities
import Testing

/// A file whose past is sealed answers as one in which all is rows.
@Suite struct SealedHistoryTests {
    /// One thing that happens to both files.
    private enum Step: Sendable {
        case add(Attribute, IRI, Int)
        case record(Attribute, IRI, Classification, Int)
        case endSeries(IRI, Int)
        case eraseInstance(IRI, pick: Int)
        case replaceInstance(IRI, pick: Int, Attribute, Int)
        case eraseSeries(IRI, pick: Int)
        case eraseAll(Int)
        case eraseExpired(Int)
    }

    private static let names = [iri("level"), iri("state")]
    private static let classifications: [Classification] = [.open, .internalUse, .special]

    private static func moment(_ second: Int) -> Instant { Instant(microseconds: noon.microseconds + Int64(second) * 1_000_000) }

    private static func attribute(_ chance: inout SplitMix, _ name: IRI) -> Attribute {
        let values: [JSON] =
            name == names[0] ? [.integer(Int64(chance.next() % 30)), .number(Double(chance.next() % 300) / 10), .number(2), .integer(2)]
            : ["free", "taken", true, ["a": 1]]
        var attribute = Attribute(
            kind: .property, value: values[Int(chance.next() % 4)], datasetID: chance.next() % 8 == 0 ? iri("second") : nil,
            observedAt: chance.next() % 6 == 0 ? nil : moment(Int(chance.next() % 60)), unitCode: chance.next() % 4 == 0 ? "CEL" : nil)
        if chance.next() % 12 == 0 { attribute.subattributes = [iri("accuracy"): property(.integer(Int64(chance.next() % 3)))] }
        if chance.next() % 12 == 0 { attribute.expiresAt = moment(Int(chance.next() % 200)) }
        return attribute
    }

    private static func step(_ chance: inout SplitMix, second: Int) -> Step {
        let name = names[chance.next() % 4 == 0 ? 1 : 0]
        let pick = Int(chance.next() % 1000)
        switch chance.next() % 40 {
        case 0: return .endSeries(name, second)
        case 1, 2, 3: return .eraseInstance(name, pick: pick)
        case 4, 5, 6: return .replaceInstance(name, pick: pick, attribute(&chance, name), second)
        case 7: return pick % 4 == 0 ? .eraseSeries(name, pick: pick) : .eraseExpired(second)
        case 8: return pick % 6 == 0 ? .eraseAll(second) : .eraseExpired(second)
        case 9...20: return .record(attribute(&chance, name), name, classifications[pick % 3], second)
        default: return .add(attribute(&chance, name), name, second)
        }
    }

    private static func perform(_ step: Step, _ transaction: WriteTransaction) throws {
        let target: HistoricEntity
        if let known = try transaction.historicEntity(entityID(1), .special, evenIfEmpty: true) { target = known } else {
            target = try transaction.insertHistoric(entityID(1), types: [iri("Thing")], classification: .open, at: noon)
        }
        func records(_ name: IRI) throws -> [RecordedInstance] {
            var records: [RecordedInstance] = []
            for series in try transaction.series(of: target.number, attributes: [name], .special) {
                try transaction.visitRecords(of: target.number, series, HistoryWindow(nil, now: Instant(microseconds: .min), .special)) {
                    records.append($0)
                    return true
                }
            }
            return records
        }
        switch step {
        case .add(let attribute, let name, let second): try transaction.add(attribute, name, to: target, at: moment(second))
        case .record(let attribute, let name, let classification, let second):
            try transaction.appendHistory(attribute, name: name, of: target.number, classification, at: moment(second))
        case .endSeries(let name, let second):
            for series in try transaction.series(of: target.number, attributes: [name], .special) {
                _ = try transaction.appendDeletion(to: series, of: target, at: moment(second))
            }
        case .eraseInstance(let name, let pick):
            let all = try records(name)
            if !all.isEmpty { _ = try transaction.erase(instance: all[pick % all.count].instanceID, name, of: target) }
        case .replaceInstance(let name, let pick, let attribute, let second):
            let all = try records(name)
            guard !all.isEmpty else { return }
            let id = all[pick % all.count].instanceID
            #expect(try transaction.replace(instance: id, name, of: target, with: attribute, at: moment(second)))
        case .eraseSeries(let name, let pick):
            let all = try transaction.series(of: target.number, attributes: [name], .special)
            if !all.isEmpty { try transaction.erase(all[pick % all.count], of: target) }
        case .eraseAll(let second): try transaction.eraseHistory(of: target, at: moment(second))
        case .eraseExpired(let second): try transaction.eraseExpiredInstances(at: moment(second), limit: 3)
        }
    }

    /// Everything that a reader finds, whichever way.
    private struct Seen {
        var records: [String] = []
        var lists: [[HistoryInstance]] = []
        var values: [HistoryInstance?] = []
        var charts: [[LivePoint]] = []
        var flags: [Bool] = []
        var series: [Series] = []
        var count = 0

        /// What the first difference is; nil when there is none. SQL sums the points of a chart up in another order.
        func difference(from other: Seen) -> String? {
            for (left, right) in zip(records, other.records) where left != right { return "\(left)\nand not\n\(right)" }
            guard records.count == other.records.count else { return "\(records.count) lines and not \(other.records.count)" }
            for (left, right) in zip(charts, other.charts) {
                let isClose = left.count == right.count && zip(left, right).allSatisfy { left, right in
                    abs(left.at.microseconds - right.at.microseconds) < 64 && abs(left.value - right.value) < 1e-9
                }
                if !isClose { return "\(left)\nand not\n\(right)" }
            }
            if lists != other.lists { return "\(lists)\nand not\n\(other.lists)" }
            if values != other.values { return "\(values)\nand not\n\(other.values)" }
            if flags != other.flags || series != other.series { return "\(series) \(flags)\nand not\n\(other.series) \(other.flags)" }
            return count == other.count && charts.count == other.charts.count ? nil : "\(count) and not \(other.count)"
        }
    }

    private static func seen(_ file: MunicipalityFile, seed: UInt64) async throws -> Seen {
        try await file.read { snapshot in
            var (seen, chance) = (Seen(), SplitMix(seed: seed))
            seen.count = try snapshot.instanceCount()
            for classification in classifications {
                guard let entity = try snapshot.historicEntity(entityID(1), classification) else { continue }
                let all = try snapshot.series(of: entity.number, classification)
                seen.series += all
                for series in all {
                    for window in windows(&chance, classification) {
                        seen.records.append("\(series.attribute) \(window.temporal?.property.rawValue ?? "any") backwards \(window.isBackwards)")
                        let limit = chance.next() % 2 == 0 ? Int(chance.next() % 9) : Int(Int32.max)
                        try snapshot.visitRecords(of: entity.number, series, window, limit: limit) { record in
                            seen.records.append("\(record.instanceID) \(record.time) \(String(describing: record.deletedAt)) \(record.attribute)")
                            return true
                        }
                        seen.flags.append(try snapshot.hasRecord(of: entity.number, series, window))
                    }
                    try numbers(snapshot, entity, series, &chance, classification, into: &seen)
                }
                for name in names {
                    let interval = moment(Int(chance.next() % 40))..<moment(40 + Int(chance.next() % 40))
                    let now = moment(Int(chance.next() % 200))
                    seen.lists.append(
                        try snapshot.history(
                            of: entity.number, attribute: name, in: interval, limit: 1 + Int(chance.next() % 50), classification, at: now))
                    seen.values.append(try snapshot.value(of: entity.number, attribute: name, at: interval.upperBound, classification, now: now))
                    seen.flags.append(try snapshot.hasLiveHistory(of: entity.number, attribute: name, classification, at: now))
                    for count in [4, 1000] {
                        seen.charts.append(
                            try snapshot.livePoints(of: entity.number, attribute: name, in: interval, countMax: count, classification, at: now))
                    }
                }
            }
            return seen
        }
    }

    private static func numbers(
        _ snapshot: ReadSnapshot, _ entity: HistoricEntity, _ series: Series, _ chance: inout SplitMix, _ classification: Classification,
        into seen: inout Seen
    ) throws {
        let window = HistoryWindow(nil, now: moment(Int(chance.next() % 200)), classification)
        let interval = moment(Int(chance.next() % 40))..<moment(40 + Int(chance.next() % 80))
        func tell(_ at: Instant, _ value: Double?) { seen.records.append("sample \(at) \(String(describing: value))") }
        try snapshot.visitSamples(of: entity.number, series, in: interval, window, isWhole: { _, _ in false }) { span in
            switch span {
            case .one(let sample): tell(sample.at, sample.value)
            case .numbers(let times, let numbers): for (time, number) in zip(times, numbers) { tell(Instant(microseconds: time), number) }
            case .block: Issue.record("nobody asked for blocks")
            }
        }
        seen.records.append("last \(String(describing: try snapshot.lastSample(of: entity.number, series, before: interval.upperBound, window)))")
        seen.records.append("unit \(String(describing: try snapshot.unit(of: entity.number, series, window)))")
    }

    private static func windows(_ chance: inout SplitMix, _ classification: Classification) -> [HistoryWindow] {
        let (first, second) = (Int(chance.next() % 50), Int(chance.next() % 50))
        let relations: [TemporalQuery.Relation?] = [nil, .before(moment(first)), .after(moment(second)), .between(moment(min(first, second)), moment(max(first, second)))]
        var temporals: [TemporalQuery?] = [nil]
        for property in TemporalQuery.Property.allCases { for relation in relations { temporals.append(TemporalQuery(relation, of: property)) } }
        return temporals.shuffled(using: &chance).prefix(6).map { temporal in
            let validity = chance.next() % 3 == 0 ? [moment(first)..<moment(first + 4), moment(first + 9)..<Instant(microseconds: .max)] : nil
            return HistoryWindow(
                temporal, validity: validity, isBackwards: chance.next() % 2 == 0, now: moment(Int(chance.next() % 200)), classification)
        }
    }

    @Test(arguments: UInt64(1)..<24)
    func `whatever happens to history, a sealed file answers as an unsealed one`(seed: UInt64) async throws {
        let (plain, sealed) = (try TemporaryStore(), try TemporaryStore())
        var chance = SplitMix(seed: seed)
        var sealedCount = 0
        for second in 0..<60 {
            let step = Self.step(&chance, second: 60 + second)
            for folder in [plain, sealed] { try await folder.file().write { try Self.perform(step, $0) } }
            guard chance.next() % 5 == 0 else { continue }
            let policy = SealingPolicy(
                before: Self.moment(Int(chance.next() % 140)), rowCountMin: 1 + Int(chance.next() % 5), chunkCountMax: 4 + Int(chance.next() % 20))
            sealedCount += try await sealed.file().seal(policy).rowCount
            let readSeed = chance.next()
            let (expected, found) = (try await Self.seen(plain.file(), seed: readSeed), try await Self.seen(sealed.file(), seed: readSeed))
            #expect(found.difference(from: expected) == nil)
            #expect(try await sealed.file().verify().faults == [])
        }
        #expect(sealedCount > 0)
    }
}
