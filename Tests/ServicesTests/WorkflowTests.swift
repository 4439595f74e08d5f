import CityModel
import Services
import Testing

struct WorkflowTests {
    private static func answers(_ kind: String) -> ServiceAnswers { ServiceAnswers(["kind": .choices([kind])]) }

    private static func example() throws -> ServiceDefinition {
        try service([
            "departments": "[{department: Bridges, when: {field: kind, is: deep}}, {department: North, districts: [Mosson, Ovalie]}, {department: Roads}]",
            "targets": "[{when: {field: kind, is: deep}, answer: 2 hours, close: 1 day}, {close: 5 days}]",
            "steps": """

                  - {id: new, title: New, phase: open, next: [working, refused]}
                  - {id: working, title: Working, phase: working, next: [done, refused]}
                  - {id: done, title: Done, phase: closed, done: true}
                  - {id: refused, title: Refused, phase: closed, needsAnswer: true}
                """,
            "reopen": "{within: 7 days, step: working}",
        ])
    }

    @Test(arguments: [
        ("deep", "Mosson", "Bridges"), ("flat", "Mosson", "North"), ("flat", "Centre", "Roads"), ("flat", nil, "Roads"), ("deep", nil, "Bridges"),
    ] as [(String, String?, String)])
    func `the first department that applies handles a case`(kind: String, district: String?, department: String) throws {
        #expect(try Self.example().department(for: Self.answers(kind), district: district) == department)
    }

    @Test func `the first target that applies counts`() throws {
        let service = try Self.example()
        let begin = try instant("2026-11-26T09:00:00Z")
        #expect(service.deadlines(for: Self.answers("deep"), since: begin) == (try instant("2026-11-26T11:00:00Z"), try instant("2026-11-27T16:00:00Z")))
        #expect(service.deadlines(for: Self.answers("flat"), since: begin) == (nil, try instant("2026-12-03T16:00:00Z")))
        #expect(service.target(for: ServiceAnswers())?.close == .days(5))
    }

    @Test func `a case goes where its step leads, with an answer where one is needed`() throws {
        let service = try Self.example()
        #expect(try service.transition(from: "new", to: "working", hasAnswer: false).phase == .working)
        #expect(throws: ServiceDefinition.TransitionFault.notNext(next: ["working", "refused"])) { _ = try service.transition(from: "new", to: "done", hasAnswer: true) }
        #expect(throws: ServiceDefinition.TransitionFault.answerMissing) { _ = try service.transition(from: "new", to: "refused", hasAnswer: false) }
        #expect(try service.transition(from: "new", to: "refused", hasAnswer: true).id == "refused")
        #expect(throws: ServiceDefinition.TransitionFault.notNext(next: [])) { _ = try service.transition(from: "done", to: "working", hasAnswer: true) }
        #expect(throws: ServiceDefinition.TransitionFault.unknownStep("gone")) { _ = try service.transition(from: "new", to: "gone", hasAnswer: true) }
        #expect(throws: ServiceDefinition.TransitionFault.unknownStep("gone")) { _ = try service.transition(from: "gone", to: "new", hasAnswer: true) }
    }

    @Test func `a resident opens a closed case again until the last day is over in the city`() throws {
        let service = try Self.example()
        let closedAt = try instant("2026-11-26T09:00:00Z")
        let end = try instant("2026-12-03T23:00:00Z")  // midnight in Paris
        #expect(service.reopeningEnd(closedAt: closedAt) == end)
        #expect(try service.reopening(from: "done", closedAt: closedAt, now: end.adding(seconds: -1)).id == "working")
        #expect(throws: ServiceDefinition.ReopeningFault.tooLate(since: end)) { _ = try service.reopening(from: "done", closedAt: closedAt, now: end) }
        #expect(throws: ServiceDefinition.ReopeningFault.notClosed) { _ = try service.reopening(from: "working", closedAt: closedAt, now: closedAt) }
        var final = service
        final.reopening = nil
        #expect(throws: ServiceDefinition.ReopeningFault.neverPossible) { _ = try final.reopening(from: "done", closedAt: closedAt, now: closedAt) }
    }
}
