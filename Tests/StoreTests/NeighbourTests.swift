import CityModel
import Query
@testable import Store
import Testing

/// What was observed just outside of an interval, from rows and from chunks.
@Suite struct NeighbourTests {
    private func moment(_ minute: Double) -> Instant { noon.adding(seconds: minute * 60) }

    /// Numbers each minute, with texts and corrections among them; the series ends at minute 80 and begins anew at 90.
    private func folder(isSealed: Bool) async throws -> TemporaryStore {
        let folder = try TemporaryStore()
        let now = moment(10_000)
        try await folder.file().write { transaction in
            let target = try transaction.insertHistoric(entityID(1), types: [iri("Thing")], classification: .open, at: noon)
            func add(_ value: JSON, _ minute: Double, late seconds: Double = 1, as classification: Classification = .open) throws {
                let attribute = Attribute(kind: .property, value: value, observedAt: moment(minute))
                _ = try transaction.appendHistory(
                    attribute, name: iri("level"), of: target.number, classification, at: moment(minute).adding(seconds: seconds))
            }
            for minute in 0..<120 where !(80..<90).contains(minute) { try add(.integer(Int64(minute)), Double(minute)) }
            try add("text", 18.5)
            try add("text", 30.5)
            for minute in [19.0, 31, 33] { try add(.integer(Int64(minute) * 100), minute, late: 9) }
            try add(.integer(-1), 32, late: 9, as: .special)
            let series = try transaction.series(of: target.number, attributes: [iri("level")], .special)
            for one in series { _ = try transaction.appendDeletion(to: one, of: target, at: moment(80)) }
        }
        if isSealed {
            let step = try await folder.file().seal(SealingPolicy(before: now, rowCountMin: 10, chunkCountMax: 16))
            #expect(step.rowCount > 100)
        }
        return folder
    }

    @Test(arguments: [false, true]) func `what is just before and after an interval is found, corrected, and not beyond an end`(isSealed: Bool) async throws {
        let folder = try await folder(isSealed: isSealed)
        func neighbours(_ from: Double, _ to: Double, _ classification: Classification = .open) async throws -> (before: [Double?], after: [Double?]) {
            let interval = moment(from)..<moment(to)
            return try await folder.file().read { snapshot in
                let series = try #require(snapshot.series(of: 1, attributes: [iri("level")], classification).first)
                let window = HistoryWindow(nil, now: noon.adding(seconds: 1e6), classification)
                let found = try snapshot.neighbours(of: 1, series, around: interval, countMax: 3, window)
                #expect(zip(found.before, found.before.dropFirst()).allSatisfy { $0.at < $1.at } && zip(found.after, found.after.dropFirst()).allSatisfy { $0.at < $1.at })
                return (found.before.map(\.value), found.after.map(\.value))
            }
        }
        for (from, to, before, after) in [
            (20, 31, [17, 18, 1900], [3100, 32, 3300]), (20.2, 20.8, [18, 1900, 20], [21, 22, 23]), (0, 118, [], [118, 119]), (1, 500, [0], []),
            (78.5, 78.9, [76, 77, 78], [79]), (78.5, 79.5, [76, 77, 78], []), (82, 84, [], [90, 91, 92]), (91, 92, [90], [92, 93, 94]), (-9, -8, [], [0, 1, 2]),
        ] as [(Double, Double, [Double], [Double])] {
            let found = try await neighbours(from, to)
            #expect(found.before == before && found.after == after, "\(from) to \(to)")
        }
        #expect(try await neighbours(20, 31, .special).after == [3100, -1, 3300])
    }
}
