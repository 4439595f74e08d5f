import Broker
@testable import Cases
import CityModel
import Query
import Services
import Store
import Testing
import Trust

/// Rows of tables that staff import.
@Suite struct FiledRowTests {
    private func report(_ key: String, email: String? = nil, in city: CaseCity) async throws -> CaseReport {
        let service = try await city.desk.catalogue.service("lamp", try await city.staff().reading)
        let answers = try service.definition.answers(to: ["place": ["43.61,3.87"], "details": ["On paper"]], today: .init(number: 20_000))
        var report = CaseReport(service: service, answers: answers, channel: .paper, contact: CaseContact(email: email))
        report.row = CaseRow(source: "letters", key: key)
        return report
    }

    @Test func `a row is one case however often it is filed, and by however many at once`() async throws {
        let city = try await CaseCity()
        let (access, report, desk) = (try await city.staff(), try await report("17", in: city), city.desk)
        let filed = try await withThrowingTaskGroup(of: FiledCase.self) { group in
            for _ in 0..<20 { group.addTask { try await desk.file(report, access, at: CaseCity.noon) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(filed.map(\.reference)).count == 1 && filed.filter { !$0.isRepeated }.count == 1)
        #expect(try await city.desk.count(CaseQuery(), access.reading, at: CaseCity.noon) == 1)
        #expect(try await city.desk.isFiled(CaseRow(source: "letters", key: "17"), access.reading))
        let others = [CaseRow(source: "letters", key: "18"), CaseRow(source: "letter", key: "s 17"), CaseRow(source: "other", key: "17")]
        for row in others { #expect(try await !city.desk.isFiled(row, access.reading)) }
    }

    @Test func `a row stays filed when forms are forgotten, and when its case is kept no longer`() async throws {
        let city = try await CaseCity()
        let (access, report) = (try await city.staff(), try await report("17", in: city))
        let filed = try await city.desk.file(report, access, at: CaseCity.noon)
        let later = CaseCity.noon.adding(seconds: 400 * 86_400)
        try await city.desk.forgetForms(access, at: later)
        #expect(try await city.desk.file(report, access, at: later).reference == filed.reference)
        try await city.broker.jointly(access, at: later) { writer in
            let reference = filed.reference
            try writer.eraseWhole([reference.request, reference.file, reference.dossier, reference.reporter], keysOf: ["case:\(reference)"])
        }
        #expect(try await city.desk.file(report, access, at: later).isRepeated)
        #expect(try await city.desk.count(CaseQuery(), access.reading, at: later) == 0)
    }

    @Test func `nothing of a row's key is in the municipality's file`() async throws {
        let city = try await CaseCity()
        _ = try await city.desk.file(try await report("Marker-Key-0467", in: city), try await city.staff(), at: CaseCity.noon)
        #expect(try city.files(with: "Marker-Key-0467").isEmpty)
    }

    @Test(arguments: [true, false])
    func `who left an address is told that it has come in, unless the source says no`(isAcknowledged: Bool) async throws {
        let city = try await CaseCity()
        let access = try await city.staff()
        var report = try await report("17", email: "ana@example.org", in: city)
        report.isAcknowledged = isAcknowledged
        _ = try await city.desk.file(report, access, at: CaseCity.noon)
        #expect(try await city.broker.dueNotices(access, limit: 10, at: CaseCity.noon).count == (isAcknowledged ? 1 : 0))
    }
}
