@testable import Cases
import CityModel
import OrderedCollections
import Query
import Services
import Testing

@Suite struct MeasureTests {
    private static let paris = CivilZone("Europe/Paris")!
    private static func day(_ text: String) -> CivilDay { CivilDay(text)! }
    private static let words = LocalizedText("Lamps", language: "en")

    private func measure(
        on day: String = "2026-03-02", from: String = "2026-01-01", to: String = "2026-03-01", services: [String] = ["lamp"], place: (Double, Double)? = nil,
        area: Measure.Area = .municipality, days: Int? = nil
    ) -> Measure {
        Measure(
            key: "K7QM2P4D", title: Self.words, text: Self.words, effectiveOn: Self.day(day), place: place.map { try! Geometry(longitude: $0.0, latitude: $0.1) }, services: services,
            reportsFrom: Self.day(from), reportsTo: Self.day(to), area: area,
            indicator: days.map { Measure.Indicator(type: .plain("NoiseLevelObserved"), attribute: .plain("LAeq"), dayCount: $0) })
    }

    // MARK: Windows

    @Test func `as many days are compared after as before`() {
        let windows = MeasureWindows(measure(days: 28), today: Self.day("2027-01-01"))
        #expect((windows.reportsBefore.dayCount, windows.reportsAfter.dayCount, windows.reportDayCount) == (60, 60, 60))
        #expect((windows.reportsAfter.first, windows.reportsAfter.last) == (Self.day("2026-03-02"), Self.day("2026-04-30")))
        #expect(windows.indicatorBefore == DaySpan(Self.day("2026-02-02"), Self.day("2026-03-02")))
        #expect(windows.indicatorAfter == DaySpan(Self.day("2026-03-02"), Self.day("2026-03-30")))
    }

    @Test(arguments: [
        // Today is not over: the day of the measure is counted from the next one on.
        ("2026-03-02", 0, 0), ("2026-03-03", 1, 1), ("2026-03-30", 28, 28), ("2026-03-31", 29, 28), ("2026-04-30", 59, 28), ("2026-05-01", 60, 28), ("2026-05-02", 60, 28),
    ])
    func `what is not over yet is cut`(today: String, reports: Int, sensors: Int) {
        let windows = MeasureWindows(measure(days: 28), today: Self.day(today))
        #expect((windows.reportsAfter.dayCount, windows.indicatorAfter?.dayCount) == (reports, sensors))
        #expect((windows.reportsBefore.dayCount, windows.indicatorBefore?.dayCount) == (60, 28))
    }

    @Test func `of a measure that is still to come nothing is after, and before is what there is`() {
        let windows = MeasureWindows(measure(days: 28), today: Self.day("2026-02-10"))
        #expect(windows.reportsAfter.isEmpty && windows.indicatorAfter?.isEmpty == true)
        #expect((windows.reportsBefore.dayCount, windows.indicatorBefore?.dayCount) == (40, 8))
        #expect(MeasureWindows(measure(), today: Self.day("2025-12-31")).weeks.isEmpty)
    }

    @Test func `days begin and end as the city's clocks have it`() {
        // On 2026-03-29 clocks in Paris go forward: the day has 23 hours.
        let span = DaySpan(Self.day("2026-03-29"), Self.day("2026-03-30")).interval(Self.paris)
        #expect(span == Instant("2026-03-28T23:00:00Z")!..<Instant("2026-03-29T22:00:00Z")!)
    }

    @Test func `weeks are counted from the measure, and cut where the days end`() {
        let windows = MeasureWindows(measure(on: "2026-03-04", from: "2026-02-15", to: "2026-03-02"), today: Self.day("2026-03-13"))
        // 16 days before, with one of them left out next to the measure; 9 of 16 after.
        #expect(windows.weeks.map(\.number) == [-3, -2, -1, 0, 1])
        #expect(windows.weeks.map(\.days.dayCount) == [3, 7, 6, 7, 2])
        #expect(windows.weeks.map(\.days.dayCount).reduce(0, +) == windows.reportsBefore.dayCount + windows.reportsAfter.dayCount)
        #expect([-8, -7, -1, 0, 6, 7].map { windows.weekNumber(of: windows.effectiveOn.adding($0)) } == [-2, -1, -1, 0, 0, 1])
    }

    @Test func `every counted day is in exactly one week`() {
        for length in 1...60 {
            let windows = MeasureWindows(measure(from: Self.day("2026-03-02").adding(-length).text), today: Self.day("2026-03-02").adding(length / 2))
            let days = windows.weeks.flatMap { week in (week.days.first.number..<week.days.end.number).map { (week.number, $0) } }
            #expect(days.map(\.1) == Array(windows.reportsBefore.first.number..<windows.reportsAfter.end.number))
            #expect(days.allSatisfy { windows.weekNumber(of: CivilDay(number: $0.1)) == $0.0 })
        }
    }

    @Test(arguments: [(60, 12, 6.0), (7, 7, 30.0), (6, 6, nil), (0, 0, nil)] as [(Int, Int, Double?)])
    func `fewer than seven days tell no rate`(days: Int, count: Int, rate: Double?) {
        #expect(MeasureWindows.perThirtyDays(count, in: DaySpan(CivilDay(number: 0), CivilDay(number: days))) == rate)
    }

    // MARK: The wave

    private func report(_ moment: String, of code: String = "lamp", in district: String? = nil) -> CountedCase {
        CountedCase(code: code, name: code, district: district, requestedAt: Instant(moment)!)
    }

    @Test(arguments: [
        ("2025-12-31T22:59:59Z", false), ("2025-12-31T23:00:00Z", true), ("2026-03-01T22:59:59Z", true), ("2026-03-01T23:00:00Z", false),
    ])
    func `a report belongs to the wave from the first day to the last`(moment: String, isAnswered: Bool) {
        #expect(measure().answers(report(moment), at: nil, Self.paris) == isAnswered)
    }

    @Test func `a report about something else is not answered`() {
        #expect(!measure().answers(report("2026-02-01T12:00:00Z", of: "pothole"), at: nil, Self.paris))
        #expect(measure(services: ["noise", "pothole"]).answers(report("2026-02-01T12:00:00Z", of: "pothole"), at: nil, Self.paris))
    }

    @Test func `around a place are reports no farther than its metres`() throws {
        let measure = measure(place: (3.87, 43.61), area: .around(metres: 100))
        func answers(_ longitude: Double) throws -> Bool {
            measure.answers(report("2026-02-01T12:00:00Z"), at: try Geometry(longitude: longitude, latitude: 43.61), Self.paris)
        }
        // A thousandth of a degree is 80.5 m here.
        #expect(try answers(3.87) && answers(3.8712) && !answers(3.8713))
        #expect(!measure.answers(report("2026-02-01T12:00:00Z"), at: nil, Self.paris))
    }

    @Test func `in a district are those that say so`() {
        let measure = measure(area: .district("West"))
        #expect(measure.answers(report("2026-02-01T12:00:00Z", in: "West"), at: nil, Self.paris))
        #expect(!measure.answers(report("2026-02-01T12:00:00Z", in: "East"), at: nil, Self.paris) && !measure.answers(report("2026-02-01T12:00:00Z"), at: nil, Self.paris))
    }

    // MARK: As an entity

    @Test func `a measure survives as an entity`() throws {
        for var one in [measure(), measure(place: (3.87, 43.61), area: .around(metres: 250), days: 14), measure(area: .district("West"), days: 7)] {
            one.indicator?.unitCode = "2N"
            one.title = LocalizedText(["en": "Lamps", "ar": "مصابيح"], first: "ar")!
            var entity = Entity(id: one.id, types: [Measure.type])
            one.write(to: &entity, at: Instant("2026-03-02T00:00:00Z")!)
            #expect(Measure(entity) == one)
        }
    }

    @Test func `what others write with less is the reports of a year in the whole municipality`() throws {
        var entity = Entity(id: IRI(known: "urn:ngsi-ld:CityMeasure:Lamps-2026"), types: [Measure.type])
        entity.attributes[MeasureTerm.title] = [Attribute(kind: .property, value: "New lamps")]
        entity.attributes[MeasureTerm.effectiveOn] = [Attribute(kind: .property, value: ["@type": "DateTime", "@value": "2026-03-02T08:00:00Z"])]
        #expect(Measure(entity) == nil)
        entity.attributes[MeasureTerm.services] = [Attribute(kind: .property, value: "lamp")]
        let read = try #require(Measure(entity))
        #expect((read.key, read.services, read.area) == ("Lamps-2026", ["lamp"], .municipality))
        #expect((read.reportsFrom, read.reportsTo) == (Self.day("2025-03-02"), Self.day("2026-03-01")))
        #expect(Measure.id(read.key) == entity.id && Measure.key(of: IRI(known: "urn:x:1")) == "urn:x:1" && Measure.id("urn:x:1").text == "urn:x:1")
        // Reports after the measure are none that it answers.
        entity.attributes[MeasureTerm.reportsTo] = [Attribute(kind: .property, value: "2026-05-01")]
        #expect(try #require(Measure(entity)).reportsTo == Self.day("2026-03-01"))
    }

    @Test(arguments: ["0000-01-01", "0001-01-01", "1970-01-01", "9999-12-31"], [-1_000_000_000, 7, 1_000_000_000] as [Int64])
    func `days at the ends of time are days`(day: String, length: Int64) throws {
        var entity = Entity(id: measure().id, types: [Measure.type])
        measure(days: 28).write(to: &entity, at: Instant("2026-03-02T00:00:00Z")!)
        for name in [MeasureTerm.effectiveOn, MeasureTerm.reportsFrom, MeasureTerm.reportsTo] { entity.attributes[name] = [Attribute(kind: .property, value: .string(day))] }
        entity.attributes[MeasureTerm.indicatorDays] = [Attribute(kind: .property, value: .integer(length))]
        guard let measure = Measure(entity) else { return }
        for today in ["0001-01-01", "2026-05-01", "9999-12-31"].map(Self.day) {
            let windows = MeasureWindows(measure, today: today)
            for span in [windows.reportsBefore, windows.reportsAfter, windows.indicatorBefore, windows.indicatorAfter].compactMap({ $0 }) {
                #expect(span.interval(Self.paris).lowerBound <= span.interval(Self.paris).upperBound && span.dayCount <= 366)
            }
            #expect(windows.weeks.count <= 110)
        }
        #expect(!MeasureDraft(measure).effectiveOn.isEmpty)
    }

    @Test(arguments: [(2000, Geometry.Kind.lineString), (9000, .point)])
    func `of a place with very many positions the middle is held against reports`(count: Int, kind: Geometry.Kind) throws {
        var entity = Entity(id: measure().id, types: [Measure.type])
        measure().write(to: &entity, at: Instant("2026-03-02T00:00:00Z")!)
        let line = JSON.array((0...count).map { [.number(3 + Double($0) / Double(count)), 43.5] })
        entity.attributes[.location] = [Attribute(kind: .geoProperty, value: ["type": "LineString", "coordinates": line])]
        let place = try #require(Measure(entity)?.place)
        #expect(place.kind == kind && place.boundingBox.center == (3.5, 43.5))
    }

    // MARK: Sensors

    private func window(_ days: Int, _ sums: [(Double, Int)]) -> IndicatorWindow {
        IndicatorWindow(DaySpan(CivilDay(number: 0), CivilDay(number: days)), sums: sums.map { (sum: $0.0, count: $0.1) }, sensorCount: 2)
    }

    @Test func `in the mean every number counts the same`() {
        let window = window(4, [(10, 1), (0, 0), (90, 9), (20, 10)])
        #expect((window.mean, window.count, window.answeredDayCount) == (6, 20, 3))
        #expect(window.parts.map(\.mean) == [10, nil, 10, 2] && !window.isFew)
    }

    @Test func `many days are shown by week`() {
        let window = window(36, (0..<36).map { (Double($0), 1) })
        #expect(window.parts.map(\.days.dayCount) == [7, 7, 7, 7, 7, 1])
        #expect(window.parts.map(\.mean) == [3, 10, 17, 24, 31, 35])
        #expect(self.window(35, Array(repeating: (1, 1), count: 35)).parts.count == 35)
    }

    @Test(arguments: [([(5.0, 9)], true), ([(5.0, 10)], true), ([(1.0, 4), (1, 3), (1, 3)], false), ([(1.0, 3), (1, 3), (1, 3)], true), ([], true)] as [([(Double, Int)], Bool)])
    func `too few numbers, or on too few days, are not compared`(sums: [(Double, Int)], isFew: Bool) {
        let few = window(sums.count, sums), many = window(3, [(50, 10), (50, 10), (50, 10)])
        #expect(few.isFew == isFew)
        #expect((IndicatorComparison(before: few, after: many, sensorCount: 1, unitCode: nil).difference == nil) == isFew)
    }

    // MARK: As it is typed

    private static let rules = MeasureRules(languages: ["en", "fr"], services: ["lamp", "noise"], indicators: ["NoiseLevelObserved LAeq"], today: day("2026-05-01"))

    private var draft: MeasureDraft {
        var draft = MeasureDraft()
        (draft.titles, draft.texts) = (["en": " New lamps "], ["en": "We put up\nten lamps."])
        (draft.effectiveOn, draft.services, draft.reportsFrom) = ("2026-03-02", ["lamp"], "2026-01-01")
        return draft
    }

    private func faults(_ change: (inout MeasureDraft) -> Void) -> [MeasureFault] {
        var draft = draft
        change(&draft)
        let (measure, faults) = draft.measure("K", Self.rules)
        #expect((measure == nil) == !faults.isEmpty)
        return faults
    }

    @Test func `what is whole is a measure, and comes back as it was typed`() throws {
        var draft = draft
        (draft.latitude, draft.longitude, draft.radius) = ("43,61", "3.87", "250")
        (draft.indicator, draft.indicatorRadius, draft.indicatorUnit, draft.indicatorDays) = ("NoiseLevelObserved LAeq", "500", "2n", "")
        let measure = try #require(draft.measure("K", Self.rules).measure)
        #expect(measure.title == LocalizedText("New lamps", language: "en") && measure.reportsTo == Self.day("2026-03-01"))
        #expect(measure.area == .around(metres: 250) && measure.indicator == .init(type: .plain("NoiseLevelObserved"), attribute: .plain("LAeq"), metres: 500, unitCode: "2N", dayCount: 28))
        #expect(MeasureDraft(measure).measure("K", Self.rules).measure == measure)
    }

    @Test func `nothing typed is all that is needed`() {
        let faults = MeasureDraft().measure("K", Self.rules).faults
        #expect(faults == ["title.en", "text.en", "effectiveOn", "services", "reportsFrom"].map { MeasureFault(field: $0, reason: .missing) })
    }

    @Test func `each fault names its field`() {
        func expect(_ field: String, _ reason: MeasureFault.Reason, _ change: (inout MeasureDraft) -> Void) { #expect(faults(change) == [MeasureFault(field: field, reason: reason)]) }
        expect("text.fr", .missing) { $0.titles["fr"] = "Lampes" }
        expect("title.fr", .missing) { $0.texts["fr"] = "Dix lampes" }
        expect("title.en", .tooLong(countMax: 120)) { $0.titles["en"] = String(repeating: "x", count: 121) }
        expect("effectiveOn", .notADay) { $0.effectiveOn = "soon" }
        expect("effectiveOn", .tooFarAhead) { ($0.effectiveOn, $0.reportsFrom) = ("2027-05-03", "2027-01-01") }
        expect("services", .unknownChoice) { $0.services = ["lamp", "nope"] }
        expect("reportsFrom", .notBeforeEffect) { $0.reportsFrom = "2026-03-02" }
        expect("reportsTo", .notBeforeEffect) { $0.reportsTo = "2026-03-02" }
        expect("reportsTo", .beforeFirstDay) { $0.reportsTo = "2025-12-31" }
        expect("reportsFrom", .tooManyDays(countMax: 366)) { $0.reportsFrom = "2025-02-28" }
        expect("longitude", .missing) { $0.latitude = "43.61" }
        expect("latitude", .notANumber) { ($0.latitude, $0.longitude) = ("north", "3.87") }
        expect("latitude", .above(90)) { ($0.latitude, $0.longitude) = ("91", "3.87") }
        expect("radius", .withoutPlace) { $0.radius = "100" }
        expect("radius", .below(10)) { ($0.latitude, $0.longitude, $0.radius) = ("43.61", "3.87", "9") }
        expect("district", .twoAreas) { ($0.latitude, $0.longitude, $0.radius, $0.district) = ("43.61", "3.87", "100", "West") }
        expect("indicator", .unknownChoice) { $0.indicator = "NoiseLevelObserved secret" }
        expect("indicatorDays", .above(365)) { ($0.indicator, $0.indicatorDays) = ("NoiseLevelObserved LAeq", "366") }
        expect("indicatorRadius", .withoutPlace) { ($0.indicator, $0.indicatorRadius) = ("NoiseLevelObserved LAeq", "100") }
        expect("indicatorUnit", .notAUnit) { ($0.indicator, $0.indicatorUnit) = ("NoiseLevelObserved LAeq", "µg/m³") }
        expect("reportsFrom", .missing) { $0.reportsFrom = "" }
    }

    @Test func `both sides of each border`() {
        #expect(faults { $0.effectiveOn = "2027-05-02"; $0.reportsFrom = "2027-01-01" } == [])
        #expect(faults { $0.reportsFrom = "2025-03-01" } == [])
        #expect(faults { $0.reportsFrom = "2026-03-01" } == [])
        #expect(faults { ($0.latitude, $0.longitude, $0.radius) = ("43.61", "3.87", "10") } == [])
        #expect(faults { ($0.indicator, $0.indicatorDays) = ("NoiseLevelObserved LAeq", "365") } == [])
        #expect(faults { $0.titles["en"] = String(repeating: "x", count: 120) } == [])
    }
}
