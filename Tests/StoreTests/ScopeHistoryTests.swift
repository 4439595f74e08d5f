import CityModel
import OrderedCollections
import Query
@testable import Store
import Testing

/// Scopes that change often, and reading that takes long.
@Suite struct ScopeHistoryTests {
    private let level = iri("level")

    /// An entity whose scope is /A in even seconds and /B in odd ones, and whose level is the second.
    private func folder(changes: Int, levels: Int) async throws -> TemporaryStore {
        let folder = try TemporaryStore()
        try await folder.file().write { transaction in
            let target = try transaction.insertHistoric(entityID(1), types: [iri("Thing")], classification: .open, at: noon)
            for second in 0..<max(changes, levels) {
                let now = noon.adding(seconds: Double(second))
                if second < changes { try transaction.add([Scope(second % 2 == 0 ? "/A" : "/B")!], observedAt: now, to: target, at: now) }
                if second < levels {
                    let instance = Attribute(kind: .property, value: .integer(Int64(second)), observedAt: now)
                    try transaction.add(instance, iri("level"), to: target, at: now)
                }
            }
        }
        return folder
    }

    private func search(_ scopes: String) throws -> HistorySearch {
        HistorySearch(
            filter: EntityFilter(scopes: try ScopeQuery(parsing: scopes)), temporal: TemporalQuery(nil), classificationMax: .special, limit: 9,
            now: noon)
    }

    @Test(arguments: [nil, TemporalQuery.Property.createdAt])
    func `however often scopes change, all instances of the times when they were those asked for are read`(
        property: TemporalQuery.Property?
    ) async throws {
        let folder = try await folder(changes: 1001, levels: 1001)
        let search = try search("/A")
        try await folder.file().read { [self] snapshot in
            let match = try #require(try snapshot.searchHistory(search).matches.first)
            #expect(match.validity?.count == 501)
            let series = try #require(try snapshot.series(of: match.entity.number, attributes: [level], .special).first)
            for (limit, isBackwards) in [(1000, false), (1000, true), (450, false), (450, true)] {
                let window = HistoryWindow(
                    property.map { TemporalQuery(nil, of: $0) }, validity: match.validity, isBackwards: isBackwards, now: noon, .special)
                var values: [Int64] = []
                try snapshot.visitRecords(of: match.entity.number, series, window, limit: limit) { record in
                    values.append(record.attribute.value.integerValue ?? -1)
                    return true
                }
                let even = (0...500).map { Int64($0) * 2 }
                #expect(values == Array((isBackwards ? even.reversed() : even).prefix(limit)))
            }
        }
    }

    @Test(arguments: [(10_000, true), (10_001, false)])
    func `scopes that changed more often than is looked at are an error and not cut off`(changes: Int, isAnswered: Bool) async throws {
        let folder = try await folder(changes: changes, levels: 1)
        let search = try search("/A")
        try await folder.file().read { snapshot in
            let entity = try #require(try snapshot.historicEntity(entityID(1), .special))
            for read in [{ try snapshot.searchHistory(search).matches.count }, { try snapshot.scopeRecords(of: entity, HistoryWindow(nil, now: noon, .special)).count }] {
                do {
                    #expect(try read() > 0)
                    #expect(isAnswered)
                } catch CityError.tooComplexQuery {
                    #expect(!isAnswered)
                }
            }
        }
    }

    @Test func `reading ends when its time is up, also within one series`() async throws {
        let folder = try await folder(changes: 0, levels: 3000)
        try await folder.file().read { [self] snapshot in
            let entity = try #require(try snapshot.historicEntity(entityID(1), .special))
            let series = try #require(try snapshot.series(of: entity.number, attributes: [level], .special).first)
            var window = HistoryWindow(nil, now: noon, .special, deadline: .now + .seconds(600))
            var count = 0
            func read() throws {
                try snapshot.visitRecords(of: entity.number, series, window) { _ in
                    count += 1
                    return true
                }
            }
            try read()
            #expect(count == 3000)
            window.deadline = .now - .seconds(1)
            #expect(throws: CityError.self) { try read() }
            #expect(count == 3000)
        }
    }
}
