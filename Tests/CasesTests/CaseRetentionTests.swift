import Broker
import Cases
import CityModel
import Foundation
import Query
import Services
import Store
import Testing
import Trust

/// What is kept of cases, for how long, and of what nothing is left afterwards.
struct CaseRetentionTests {
    private let noon = CaseCity.noon
    private func day(_ number: Double) -> Instant { noon.adding(seconds: number * 86_400) }

    @Test func `who reported it is erased when the time is over, and not before; then the case`() async throws {
        let city = try await CaseCity()
        let filed = try await city.report("dark", email: "marker@example.org", now: noon)
        let staff = try await city.staff()
        try await city.desk.move(filed.reference, to: "done", answer: nil, staff, at: day(1))
        #expect(try await city.desk.retire(staff, limit: 10, at: day(30)) == 0)
        #expect(try await city.desk.shown(filed.reference, staff.reading, at: day(30)).dossier != nil)
        #expect(try await city.desk.retire(staff, limit: 10, at: day(31)) == 1)
        let left = try await city.desk.shown(filed.reference, staff.reading, at: day(31))
        #expect(left.dossier == nil && left.request.text(CaseTerm.step) == "done")
        for text in ["marker@example.org", "Marker-Person", "Marker-dark"] { #expect(try city.files(with: text) == [], "\(text)") }
        #expect(try await city.desk.retire(staff, limit: 10, at: day(365)) == 0)
        #expect(try await city.desk.retire(staff, limit: 10, at: day(366)) == 1)
        await #expect(throws: CityError.self) { try await city.desk.shown(filed.reference, staff.reading, at: day(366)) }
    }

    @Test func `what was sealed with the key of a case can't be read in a copy that was made before`() async throws {
        let city = try await CaseCity()
        let filed = try await city.report(email: "marker@example.org", now: noon)
        let staff = try await city.staff()
        let copy = city.path + "/copy.sqlite"
        try await city.store.file(CaseCity.alder).copy(to: copy)
        try await city.desk.move(filed.reference, to: "done", answer: nil, staff, at: day(1))
        #expect(try await city.desk.retire(staff, limit: 10, at: day(40)) == 1)
        #expect(try !city.files(with: filed.reference.text).isEmpty)
        #expect(try city.files(with: "marker@example.org") == [])
    }

    @Test func `what is opened again is kept`() async throws {
        let city = try await CaseCity()
        let filed = try await city.report(email: "marker@example.org", now: noon)
        let staff = try await city.staff()
        try await city.desk.move(filed.reference, to: "done", answer: nil, staff, at: day(1))
        let holder = try await city.gatekeeper.following(CaseCity.alder, filed.link)
        try await city.desk.reopen(try await city.desk.followed(filed.link, holder, at: day(2)), saying: "Still dark", holder, at: day(2))
        #expect(try await city.desk.retire(staff, limit: 10, at: day(200)) == 0)
        #expect(try await city.desk.shown(filed.reference, staff.reading, at: day(200)).dossier != nil)
    }

    @Test func `opening again is possible until the day is over that the service says, and not later`() async throws {
        let city = try await CaseCity()
        let filed = try await city.report(now: noon)
        let staff = try await city.staff()
        try await city.desk.move(filed.reference, to: "done", answer: nil, staff, at: noon)
        let holder = try await city.gatekeeper.following(CaseCity.alder, filed.link)
        let late = Instant("2026-06-15T22:00:00Z")!
        let shown = try await city.desk.followed(filed.link, holder, at: noon)
        await #expect(throws: CaseFault.notReopenable) { try await city.desk.reopen(shown, saying: "Still dark", holder, at: late) }
        try await city.desk.reopen(shown, saying: "Still dark", holder, at: late.adding(seconds: -1))
    }

    @Test func `the link shows a closed case for as long as links last`() async throws {
        let city = try await CaseCity { $0.replacingOccurrences(of: "contact: 30 days", with: "contact: 300 days") }
        let filed = try await city.report(now: noon)
        try await city.desk.move(filed.reference, to: "done", answer: nil, try await city.staff(), at: noon)
        let holder = try await city.gatekeeper.following(CaseCity.alder, filed.link)
        _ = try await city.desk.followed(filed.link, holder, at: day(90))
        await #expect(throws: CaseFault.linkIsOver) { try await city.desk.followed(filed.link, holder, at: day(90).adding(seconds: 1)) }
    }
}

/// What a form that is sent again comes to.
struct FiledFormTests {
    @Test func `a form is known for as long as the limits say, and forgotten then`() async throws {
        let city = try await CaseCity()
        let access = try await city.gatekeeper.filing(CaseCity.alder, .none)
        let service = try await city.desk.catalogue.service("lamp", access.reading)
        let answers = try service.definition.answers(to: ["place": ["43.61,3.87"]], today: .init(number: 20_000))
        let report = CaseReport(service: service, answers: answers, channel: .web, formToken: "one-and-the-same-form")
        let (first, end) = (try await city.desk.file(report, access, at: CaseCity.noon), CaseCity.noon.adding(seconds: city.desk.limits.formSeconds))
        try await city.desk.forgetForms(try await city.staff(), at: end)
        #expect(try await city.desk.file(report, access, at: end).reference == first.reference)
        try await city.desk.forgetForms(try await city.staff(), at: end.adding(seconds: 1))
        #expect(try await city.desk.file(report, access, at: end).reference != first.reference)
    }
}

/// Giving a case to another municipality.
struct CaseTransferTests {
    private let noon = CaseCity.noon

    @Test func `a case goes on in the other municipality with all that is known of it, once`() async throws {
        let city = try await CaseCity()
        let filed = try await city.report("dark", email: "ada@example.org", now: noon)
        let staff = try await city.staff()
        let there = try await city.gatekeeper.filing(CaseCity.birch, .none)
        let reference = try await city.desk.transfer(filed.reference, to: there, saying: "The lamp is theirs", staff, at: noon)
        let other = try await city.desk.shown(reference, try await city.staff(CaseCity.birch).reading, at: noon)
        #expect(other.dossier?.text(CaseTerm.description) == "dark" && other.dossier?.instance(of: CaseTerm.answers)?.value == ["secret": "Marker-dark"])
        #expect(other.request.text(CaseTerm.step) == "new" && other.dossier?.point != nil)
        let here = try await city.desk.shown(filed.reference, staff.reading, at: noon)
        #expect(here.request.text(CaseTerm.step) == CaseStep.transferred && here.isClosed && here.request.text(CaseTerm.answer) == "The lamp is theirs")
        #expect(here.dossier?.text(CaseTerm.continuedAt)?.hasPrefix("birch.\(reference).") == true)
        await #expect(throws: CaseFault.noSuchStep(CaseStep.transferred)) {
            try await city.desk.transfer(filed.reference, to: there, saying: "Again", staff, at: noon)
        }
    }

    @Test func `without the service there nothing happens here`() async throws {
        let city = try await CaseCity()
        try await city.broker.withdrawService("lamp", try await city.gatekeeper.administering(CaseCity.birch, .program), at: noon)
        let filed = try await city.report(now: noon)
        let there = try await city.gatekeeper.filing(CaseCity.birch, .none)
        await #expect(throws: CityError.self) { try await city.desk.transfer(filed.reference, to: there, saying: "Theirs", try await city.staff(), at: noon) }
        #expect(try await city.desk.shown(filed.reference, try await city.staff().reading, at: noon).request.text(CaseTerm.step) == "new")
    }
}

/// What many do at once.
struct CaseConcurrencyTests {
    @Test func `a form that is sent twenty times at once is one case`() async throws {
        let city = try await CaseCity()
        let access = try await city.gatekeeper.filing(CaseCity.alder, .none)
        let service = try await city.desk.catalogue.service("lamp", access.reading)
        let answers = try service.definition.answers(to: ["place": ["43.61,3.87"]], today: .init(number: 20_000))
        let report = CaseReport(service: service, answers: answers, channel: .web, formToken: "one-and-the-same-form")
        let desk = city.desk
        let references = try await withThrowingTaskGroup(of: CaseReference.self) { group in
            for _ in 0..<20 { group.addTask { try await desk.file(report, access, at: CaseCity.noon).reference } }
            return try await group.reduce(into: Set<CaseReference>()) { $0.insert($1) }
        }
        #expect(references.count == 1)
        #expect(try await desk.cases(CaseQuery(), access.reading, at: CaseCity.noon).count == 1)
    }

    @Test func `of two who bring a case on at once one is told that it has moved`() async throws {
        let city = try await CaseCity()
        let filed = try await city.report()
        let (desk, staff) = (city.desk, try await city.staff())
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 { group.addTask { (try? await desk.move(filed.reference, to: "done", answer: nil, staff, at: CaseCity.noon)) != nil } }
            return await group.reduce(into: [Bool]()) { $0.append($1) }
        }
        #expect(outcomes.count { $0 } == 1)
    }
}
