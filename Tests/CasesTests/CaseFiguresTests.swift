import Foundation
import OrderedCollections
import Cases
import CityModel
import Testing

@Suite struct CaseFiguresTests {
    private static let start = Instant("2026-06-01T08:00:00Z")!
    private static let now = Instant("2026-07-01T00:00:00Z")!

    /// A case that was closed after so many hours; open without them.
    private func one(
        _ hours: Double? = nil, of code: String = "pothole", in district: String? = nil, target: Double? = nil, isDone: Bool? = nil, step: String? = nil,
        channel: String? = nil
    ) -> CountedCase {
        CountedCase(
            code: code, name: code.capitalized, district: district, requestedAt: Self.start, expectedAt: target.map { Self.start.adding(seconds: $0 * 3600) },
            closedAt: hours.map { Self.start.adding(seconds: $0 * 3600) }, isDone: isDone, step: step, channel: channel)
    }

    private func figures(_ cases: [CountedCase], at now: Instant = Self.now) throws -> CaseFigures {
        var fold = CaseFiguresFold(at: now)
        for one in cases { try fold.add(one) }
        return fold.figures
    }

    private func hours(_ durations: CaseFigure.Durations?) -> [Double]? { durations.map { [$0.median / 3600, $0.ninetieth / 3600] } }

    @Test func `without a case there is nothing to say`() throws {
        let found = try figures([])
        #expect(found.services.isEmpty && found.all.districts.isEmpty)
        #expect(found.all.whole == CaseFigure())
        #expect(found.all.whole.shareWithinTarget == nil && found.all.whole.isFew)
    }

    @Test(arguments: [
        // As numpy.percentile(values, 100 * share) gives them.
        ([7], 0.5, 7), ([7], 0.9, 7), ([1, 2], 0.5, 1.5), ([1, 2], 0.9, 1.9), ([1, 2, 3, 4], 0.9, 3.7), ([10, 20, 30], 0.9, 28), ([5, 5, 5, 50], 0.5, 5),
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.9, 9), ([1, 2, 3], 0, 1), ([1, 2, 3], 1, 3),
    ] as [([Double], Double, Double)])
    func `a percentile lies between the values beside it`(values: [Double], share: Double, expected: Double) {
        #expect(abs(Percentile.of(values, share) - expected) < 1e-12)
    }

    @Test func `half of the cases and nine of ten were closed in what is said`() throws {
        let found = try figures((1...11).map { one(Double($0)) })
        #expect(hours(found.all.whole.durations) == [6, 10])
        #expect((found.all.whole.count, found.all.whole.closedCount, found.all.whole.openCount) == (11, 11, 0))
    }

    @Test func `the order in which cases come changes nothing`() throws {
        var cases = (0..<200).map { one(Double($0 * 37 % 101), of: "s\($0 % 7)", in: "d\($0 % 5)", target: 40, channel: "web") }
        let first = try figures(cases)
        cases.shuffle()
        #expect(try figures(cases) == first)
    }

    @Test func `two closed cases say nothing of times, three do`() throws {
        let cases = [one(1), one(2), one(), one()]
        #expect(try figures(cases).all.whole.durations == nil)
        #expect(hours(try figures(cases + [one(6)]).all.whole.durations) == [2, 5.2])
    }

    @Test func `cases that were merged, transferred or declined are counted, but not for times`() throws {
        let counted = [one(1, isDone: true), one(2, isDone: true), one(3, isDone: true)]
        let others = [
            one(900, target: 1, isDone: false, step: CaseStep.merged), one(901, target: 1, isDone: false, step: CaseStep.transferred), one(902, isDone: false, step: "declined"),
        ]
        let whole = try figures(counted + others).all.whole
        #expect((whole.count, whole.closedCount, whole.doneCount) == (6, 6, 3))
        #expect(hours(whole.durations) == [2, 2.8])
        #expect((whole.judgedCount, whole.target) == (0, nil))
        #expect(whole.outcomes == [.unsaid: 3, .step("merged"): 1, .step("transferred"): 1, .step("declined"): 1])
    }

    @Test func `a case that was closed before it came counts for no time`() throws {
        let whole = try figures([one(-1), one(1), one(2)]).all.whole
        #expect((whole.closedCount, whole.durations) == (3, nil))
    }

    @Test func `within the target is who was closed by its end, and late also who is open after it`() throws {
        let cases = [one(8, target: 8), one(9, target: 8), one(target: 8), one(target: 8000), one(), one(5)]
        let whole = try figures(cases).all.whole
        #expect((whole.judgedCount, whole.withinTargetCount) == (3, 1))
        #expect(whole.shareWithinTarget == 1.0 / 3)
        #expect(whole.target == 28_800.0)
    }

    @Test func `services and districts are told apart, and what has no district stands last`() throws {
        let cases = [one(1, in: "West"), one(2, in: "East"), one(3), one(of: "light", in: "East", channel: "phone"), one(of: "light", in: "East", channel: "web")]
        let found = try figures(cases)
        #expect(found.services.map(\.code) == ["light", "pothole"])
        #expect(found.service("pothole")?.districts.map(\.name) == ["East", "West", nil])
        #expect(found.service("light")?.whole.channels == ["phone": 1, "web": 1])
        #expect(found.all.districts.map(\.name) == ["East", "West", nil])
        #expect(found.all.districts.map(\.figure.count) == [3, 1, 1])
        #expect(found.services.map(\.whole.count).reduce(0, +) == found.all.whole.count)
    }

    @Test func `more groups than can be told apart are refused`() throws {
        var fold = CaseFiguresFold(at: Self.now)
        for number in 0..<CaseFiguresFold.groupCountMax { try fold.add(one(of: "s\(number)")) }
        try fold.add(one(of: "s1"))
        #expect(throws: CityError.self) { try fold.add(one(of: "one more")) }
    }

    private func entity(_ values: [String: JSON]) -> Entity {
        var entity = Entity(id: CaseType.request.id("1"), types: [CaseType.request.iri])
        for (name, value) in values { entity.attributes[name == "status" ? CaseTerm.status : IRI(known: IRI.defaultContextNamespace + name)] = [Attribute(kind: .property, value: value)] }
        return entity
    }

    @Test func `an imported case was closed when it changed last, and lies in its neighbourhood`() throws {
        let closed = try #require(
            CountedCase(entity([
                "service_code": "pothole", "service_name": "Pothole", "status": "closed", "neighbourhood": "Dorchester", "requested_datetime": "2026-06-01T08:00:00Z",
                "updated_datetime": "2026-06-01T10:00:00Z",
            ])))
        #expect(closed == CountedCase(code: "pothole", name: "Pothole", district: "Dorchester", requestedAt: Self.start, closedAt: Self.start.adding(seconds: 7200)))
        let open = try #require(
            CountedCase(entity(["service_code": "pothole", "status": "open", "requested_datetime": "2026-06-01T08:00:00Z", "updated_datetime": "2026-06-01T10:00:00Z"])))
        #expect(open.closedAt == nil && !open.isClosed)
    }

    @Test func `a case that does not say when it came is not counted`() { #expect(CountedCase(entity(["service_code": "pothole"])) == nil) }

    // MARK: How they ended

    private func ended(_ number: Int, step: String? = nil, _ said: String? = nil, saidAfter hours: Double? = nil) -> CountedCase {
        var one = one(Double(number), step: step)
        (one.reference, one.said, one.saidAt) = (String(10_000 + number), said, hours.map { Self.start.adding(seconds: (Double(number) + $0) * 3600) })
        return one
    }

    @Test func `every closed case is in one outcome, and the sentences that come most often are told apart`() throws {
        // The sentence of number n comes n times.
        let sentences = (1...30).flatMap { number in (0..<number).map { ended($0, "  Words  \(number)\n") } }
        let cases = sentences + [ended(1, step: "done", "Mended"), ended(2, step: "done"), ended(3), one(), ended(4, "  ")]
        let whole = try figures(cases.shuffled()).all.whole
        var expected: [CaseOutcome: Int] = [.step("done"): 2, .unsaid: 2, .other: (1...18).reduce(0, +)]
        for number in 19...30 { expected[.said("Words \(number)")] = number }
        #expect(whole.outcomes == expected)
        #expect(whole.outcomes.values.reduce(0, +) == whole.closedCount)
    }

    @Test(arguments: [
        (" a\t\n b ", "a b"), ("\u{A0}é\u{2003}ü", "é ü"), (String(repeating: "x", count: 201), String(repeating: "x", count: 200)), (String(repeating: "x", count: 199) + " y", String(repeating: "x", count: 199)),
        (String(repeating: "x", count: 200) + " y", String(repeating: "x", count: 200)), (String(repeating: "x", count: 198) + " yz", String(repeating: "x", count: 198) + " y"),
    ])
    func `of a sentence its first words count`(said: String, words: String) { #expect(ended(1, said).outcome == .said(words)) }

    @Test func `the outcomes of districts are those of the service`() throws {
        let cases = (0..<300).map { number in
            var one = ended(number, step: number % 3 == 0 ? "s\(number % 7)" : nil, number % 4 == 0 ? nil : "Words \(number % 5)")
            one.district = "d\(number % 6)"
            return one
        }
        let service = try #require(try figures(cases).service("pothole"))
        let sums = service.districts.map(\.figure.outcomes).reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
        #expect(sums == service.whole.outcomes)
    }

    @Test func `steps without end are taken together`() throws {
        let whole = try figures((0..<1000).map { ended($0, step: "s\($0)") }).all.whole
        #expect(whole.outcomes.count == 113 && whole.outcomes[.other] == 888)
    }

    @Test func `the last answers are those of the cases that were closed last`() throws {
        let cases = (1...50).map { ended($0, step: "done", "Words \($0)", saidAfter: 0) }
        let found = try figures(cases.shuffled())
        #expect(found.service("pothole")?.answers.map(\.text) == (41...50).reversed().map { "Words \($0)" })
        #expect(found.all.answers == found.service("pothole")?.answers)
        #expect(found.all.answers.first?.outcome == .step("done"))
    }

    @Test func `what was said before the end is no answer at the end`() throws {
        let cases = [ended(5, step: "merged", "We come on Monday", saidAfter: -1), ended(6, step: "done", "Mended", saidAfter: 0), ended(7, step: "done", "And painted", saidAfter: 2), ended(8)]
        #expect(try figures(cases).all.answers.map(\.text) == ["And painted", "Mended"])
    }

    @Test func `of a long answer its first words are kept`() throws {
        #expect(try figures([ended(5, String(repeating: "word ", count: 1000))]).all.answers.map(\.text.count) == [ClosingAnswer.textCountMax])
    }
}
