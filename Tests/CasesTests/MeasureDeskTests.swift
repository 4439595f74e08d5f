import Broker
@testable import Cases
import CityModel
import OrderedCollections
import Query
import RandomEntities
import Services
import Store
import Testing
import Trust

@Suite struct MeasureDeskTests {
    private static let zone = CivilZone("Europe/Paris")!
    private static let place = (3.87, 43.61)

    private func measure(_ key: String = "K7QM2P4D", on day: String = "2026-06-20", services: [String] = ["lamp"], metres: Double? = nil) throws -> Measure {
        let words = LocalizedText("Lamps", language: "en"), day = try #require(CivilDay(day))
        return Measure(
            key: key, title: words, text: words, effectiveOn: day, place: try Geometry(longitude: Self.place.0, latitude: Self.place.1), services: services,
            reportsFrom: day.adding(-14), reportsTo: day.adding(-1), area: metres.map { .around(metres: $0) } ?? .municipality)
    }

    private func write(_ sensor: Int, _ values: [(at: String, value: Double)], in city: CaseCity) async throws {
        let place: JSON = ["type": "Point", "coordinates": [.number(Self.place.0 + Double(sensor) * 0.001), .number(Self.place.1)]]
        let observations = values.map { at, value in
            ObservedEntity(
                id: IRI(known: "urn:ngsi-ld:NoiseLevelObserved:\(sensor)"), types: [.plain("NoiseLevelObserved")],
                attributes: [
                    .location: [Attribute(kind: .geoProperty, value: place)],
                    .plain("LAeq"): [Attribute(kind: .property, value: .number(value), observedAt: Instant(at), unitCode: "2N")],
                ])
        }
        _ = try await city.broker.record(observations, provenance: Provenance(classification: .open), try await city.staff(), at: CaseCity.noon)
    }

    private func question(_ measure: Measure, _ city: CaseCity, today: String) async throws -> MeasureQuestion {
        let everybody = try await city.gatekeeper.reading(CaseCity.alder, .none)
        return MeasureQuestion(measure, today: try #require(CivilDay(today)), zone: Self.zone, reading: everybody, everybody: everybody)
    }

    @Test func `a measure is for everybody until it is withdrawn, and when it is shown again`() async throws {
        let city = try await CaseCity(), staff = try await city.staff()
        let everybody = try await city.gatekeeper.reading(CaseCity.alder, .none)
        try await city.desk.put(measure(), staff, at: CaseCity.noon)
        func found() async throws -> Int { try await city.desk.measures(limit: 10, everybody, at: CaseCity.noon).count }
        #expect(try await found() == 1)
        #expect(try await city.desk.measure("K7QM2P4D", everybody, at: CaseCity.noon) == measure())
        try await city.desk.show("K7QM2P4D", false, staff, at: CaseCity.noon)
        #expect(try await found() == 0)
        await #expect(throws: CityError.self) { try await city.desk.measure("K7QM2P4D", everybody, at: CaseCity.noon) }
        #expect(try await city.desk.kept("K7QM2P4D", staff.reading, at: CaseCity.noon).isPublic == false)
        // What is changed meanwhile is not shown by that.
        try await city.desk.put(measure(metres: 50), staff, at: CaseCity.noon)
        #expect(try await found() == 0)
        try await city.desk.show("K7QM2P4D", true, staff, at: CaseCity.noon)
        #expect(try await city.desk.measure("K7QM2P4D", everybody, at: CaseCity.noon) == measure(metres: 50))
    }

    @Test func `whoever may not write writes no measure`() async throws {
        let city = try await CaseCity()
        await #expect(throws: CityError.self) { try await city.gatekeeper.writing(CaseCity.alder, .none) }
        await #expect(throws: CityError.self) { try await city.desk.show("NOSUCHON", true, try await city.staff(), at: CaseCity.noon) }
    }

    @Test func `measures come in the order of their days`() async throws {
        let city = try await CaseCity(), staff = try await city.staff()
        for (key, day) in [("AAAA0001", "2026-03-01"), ("AAAA0002", "2026-05-01"), ("AAAA0003", "2026-04-01")] { try await city.desk.put(measure(key, on: day), staff, at: CaseCity.noon) }
        func keys(_ offset: Int) async throws -> [String] { try await city.desk.measures(offset: offset, limit: 2, staff.reading, at: CaseCity.noon).measures.map(\.key) }
        #expect(try await keys(0) == ["AAAA0002", "AAAA0003"])
        #expect(try await keys(2) == ["AAAA0001"])
    }

    @Test func `numbers of sensors count on their day of the calendar, and no more sensors than there may be`() async throws {
        let city = try await CaseCity()
        var limits = CaseLimits()
        limits.sensorCountMax = 2
        let desk = CaseDesk(broker: city.broker, catalogue: city.desk.catalogue, limits: limits)
        var measure = try measure(on: "2026-03-29", metres: 500)
        measure.indicator = .init(type: .plain("NoiseLevelObserved"), attribute: .plain("LAeq"), dayCount: 7)
        let question = try await question(measure, city, today: "2026-06-01")
        func answer() async throws -> IndicatorAnswer? { try await desk.figures(question, question.everybody, at: CaseCity.noon).indicator }
        guard case .noSensors? = try await answer() else { Issue.record("there are no sensors yet"); return }
        // In Paris the measure begins at 23:00 UTC, and the last of its seven days ends at 22:00 UTC, for clocks went forward.
        let before = [("2026-03-21T22:59:59Z", 1000.0), ("2026-03-21T23:00:00Z", 1), ("2026-03-28T22:59:59Z", 3)]
        let after = [("2026-03-28T23:00:00Z", 10.0), ("2026-04-04T21:59:59Z", 30), ("2026-04-04T22:00:00Z", 1000)]
        try await write(0, before + after, in: city)
        try await write(1, [("2026-03-25T12:00:00Z", 5)], in: city)
        guard case .compared(let compared)? = try await answer() else { Issue.record("two sensors are compared"); return }
        #expect((compared.before.mean, compared.before.count, compared.before.answeredDayCount, compared.before.sensorCount) == (3, 3, 3, 2))
        #expect((compared.after.mean, compared.after.count, compared.after.answeredDayCount, compared.after.sensorCount) == (20, 2, 2, 1))
        #expect(compared.before.parts.map(\.mean) == [1, nil, nil, 5, nil, nil, 3] && compared.unitCode == "2N" && compared.sensorCount == 2)
        #expect(compared.difference == nil, "they are too few")
        try await write(2, [("2026-03-25T12:00:00Z", 5)], in: city)
        guard case .tooManySensors(3, 2)? = try await answer() else { Issue.record("three are too many"); return }
        // Beyond its metres there may be any number.
        measure.indicator?.metres = 100
        let near = try await self.question(measure, city, today: "2026-06-01")
        guard case .compared(let compared)? = try await desk.figures(near, near.everybody, at: CaseCity.noon).indicator else { Issue.record("two are near"); return }
        #expect(compared.sensorCount == 2)
    }

    @Test(arguments: [(4, true), (3, false)])
    func `more reports than may be read are counted alone`(countMax: Int, isRead: Bool) async throws {
        let city = try await CaseCity()
        var limits = CaseLimits()
        limits.tallyCountMax = countMax
        let desk = CaseDesk(broker: city.broker, catalogue: city.desk.catalogue, limits: limits)
        for day in [6, 10, 18, 25] { _ = try await city.report(at: Self.place, now: Instant("2026-06-\(day < 10 ? "0" : "")\(day)T12:00:00Z")!) }
        let question = try await question(measure(), city, today: "2026-07-10")
        let figures = try await desk.figures(question, question.everybody, at: Instant("2026-07-20T00:00:00Z")!)
        #expect((figures.countBefore, figures.countAfter, figures.reports != nil) == (3, 1, isRead))
    }

    /// Two ways to know it: the query that counts, and the rule that is asked about one report.
    @Test(arguments: [nil, 120.0, 3000] as [Double?])
    func `what is counted is what the measure answers`(metres: Double?) async throws {
        let city = try await CaseCity(), measure = try measure(metres: metres)
        var random = SplitMix(state: 311)
        for _ in 0..<60 {
            let place = (Self.place.0 + Double.random(in: -0.003...0.003, using: &random), Self.place.1 + Double.random(in: -0.002...0.002, using: &random))
            // Around both ends of both spans.
            let at = CaseCity.noon.adding(seconds: Double(Int.random(in: 0..<40 * 24, using: &random)) * 3600)
            _ = try await city.report(at: place, now: at)
        }
        let question = try await question(measure, city, today: "2026-07-02"), now = Instant("2026-07-20T00:00:00Z")!
        let figures = try await city.desk.figures(question, question.everybody, at: now)
        var query = CaseQuery()
        query.limit = 100
        let all = try await city.desk.cases(query, question.everybody, at: now).cases
        let answered = all.filter { report in CountedCase(report).map { measure.answers($0, at: report.point, Self.zone) } ?? false }
        #expect(figures.countBefore == answered.count && !answered.isEmpty)
        let tally = try #require(figures.reports)
        #expect(tally.before.count == figures.countBefore && tally.after.count == figures.countAfter)
        #expect(tally.weeks.values.reduce(0, +) == figures.countBefore + figures.countAfter)
        #expect(figures.examples.allSatisfy { example in answered.contains { $0.id == example.id } } && figures.examples.count == min(5, answered.count))
        for report in all {
            let found = try await city.desk.measures(answering: report, question.everybody, zone: Self.zone, at: now)
            #expect(found.isEmpty, "none is written yet")
        }
        try await city.desk.put(measure, try await city.staff(), at: now)
        for report in all {
            let found = try await city.desk.measures(answering: report, question.everybody, zone: Self.zone, at: now)
            #expect(found == (answered.contains { $0.id == report.id } ? [measure] : []))
        }
    }
}
