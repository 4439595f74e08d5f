@testable import Cases
import CityModel
@testable import Open311
import Services
import Testing

struct UpdateTests {
    private static let reference = CaseReference("K7QM2P4D")!

    private func updates(_ events: [(Int64, CaseEvent.Kind)], _ language: String? = nil) throws -> [RequestUpdate] {
        RequestUpdate.updates(
            of: Self.reference.text, events.map { CaseEvent(at: Instant(seconds: $0.0), kind: $0.1) }, try Example.definition(), try Example.language(language))
    }

    @Test func `what was said with a step is one update with it, and that it was reported is none`() throws {
        let found = try updates([(1, .step("new")), (2, .answer("Soon")), (3, .step("ordered")), (4, .department("Roads")), (5, .step("done")), (5, .answer("Mended")), (6, .step("merged"))])
        #expect(found.map(\.description) == ["Soon", "Ordered", "Mended", "merged"])
        #expect(found.map(\.isClosed) == [false, false, true, true])
        #expect(found.map(\.id) == ["K7QM2P4D-2000000", "K7QM2P4D-3000000", "K7QM2P4D-5000000", "K7QM2P4D-6000000"])
    }

    private func brought(_ events: [(Int64, CaseEvent.Kind)]) -> [RequestUpdate] {
        RequestUpdate.updates(of: "101", brought: events.map { CaseEvent(at: Instant(seconds: $0.0), kind: $0.1) })
    }

    @Test func `what a source brought has an update where its status changes or something is said`() {
        let found = brought([(1, .step("Open")), (2, .answer("Soon")), (3, .step("open")), (4, .step("Closed")), (4, .answer("Mended")), (5, .step("open"))])
        #expect(found.map(\.description) == ["Soon", "Mended", "open"])
        #expect(found.map(\.isClosed) == [false, true, false])
        #expect(found.map(\.id) == ["101-2000000", "101-4000000", "101-5000000"])
        #expect(brought([(1, .step("closed"))]).map(\.description) == ["closed"], "that it was closed when it came tells something")
        #expect(brought([(1, .step("open"))]).isEmpty)
    }

    @Test func `a step without words is told by its name in the language asked for`() throws {
        #expect(try updates([(1, .step("new")), (2, .step("ordered"))], "fr").map(\.description) == ["Commandé"])
    }

    @Test(arguments: [
        ("new", "open", nil), ("new", "OPEN", nil), ("new", "in_progress", "ordered"), ("new", "CLOSED", "done"), ("new", "fixed", "done"), ("new", "duplicate", "declined"),
        ("new", "ordered", "ordered"), ("new", "new", nil), ("ordered", "closed", "done"), ("ordered", "no_further_action", "declined"), ("ordered", "open", nil),
        ("done", "closed", nil), ("done", "open", "ordered"), ("declined", "closed", nil),
    ] as [(String, String, String?)])
    func `a status leads to a step that means it`(current: String, status: String, step: String?) throws {
        #expect(try WantedStatus(status).step(from: current, in: Example.definition())?.id == step)
    }

    @Test(arguments: [("open", false), ("IN_PROGRESS", false), ("closed", true), ("FIXED", true), ("duplicate", true)])
    func `without steps a request is closed or not`(status: String, isClosed: Bool) throws {
        #expect(try WantedStatus(status).isClosed() == isClosed)
        #expect(throws: Open311Fault.self) { try WantedStatus("ordered").isClosed() }
    }

    @Test(arguments: [("declined", "open"), ("declined", "fixed"), ("done", "duplicate"), ("new", "nothing"), ("ordered", "new"), ("merged", "open")])
    func `where a service leads to no such step it is refused`(current: String, status: String) throws {
        #expect(throws: Open311Fault.self) { try WantedStatus(status).step(from: current, in: Example.definition()) }
    }
}
