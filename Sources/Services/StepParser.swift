internal import Declarations

/// Reads the steps that a case goes.
struct StepParser {
    let texts: TextParser

    static let countMax = 30

    /// Steps with the places where they stand, for what can be said only once all are known.
    struct Steps {
        let known: [ServiceStep]
        fileprivate let values: [YAMLValue]
    }

    func steps(_ value: YAMLValue) throws(DeclarationError) -> Steps {
        let values = try value.elements(countMax: Self.countMax)
        var (steps, parts): ([ServiceStep], [YAMLPart]) = ([], [])
        for element in values {
            let part = try element.part(keys: ServiceKeys.step)
            let step = try step(part)
            guard !steps.contains(where: { $0.id == step.id }) else { throw element.failure("another step is called \(step.id)") }
            steps.append(step)
            parts.append(part)
        }
        guard let first = steps.first else { throw value.failure("at least two steps are needed here: one to begin with and one that is closed") }
        guard first.phase != .closed else { throw values[0].failure("a case begins with the first step, so that one is not closed") }
        for part in parts { try checkNext(part, steps) }
        return Steps(known: steps, values: values)
    }

    private func step(_ part: YAMLPart) throws(DeclarationError) -> ServiceStep {
        let phase = try part.required("phase").choice(ServiceStep.Phase.self)
        let isDone = try part["done"]?.boolean() ?? false
        if isDone, phase != .closed, let value = part["done"] { throw value.failure("only a step of phase closed is done") }
        let next = try part["next"]?.texts() ?? []
        if next.isEmpty, phase != .closed { throw part.value.failure("the key next is missing: a case leads on from every step that is not closed") }
        return ServiceStep(
            id: try TextParser.identifier(part.required("id")), title: try texts.text(part.required("title"), countMax: TextParser.titleCountMax), phase: phase,
            next: next, needsAnswer: try part["needsAnswer"]?.boolean() ?? false, isDone: isDone)
    }

    private func checkNext(_ part: YAMLPart, _ steps: [ServiceStep]) throws(DeclarationError) {
        var seen: Set<String> = []
        let own = part["id"]?.scalar
        for element in try part["next"]?.elements() ?? [] {
            let id = try element.text()
            guard steps.contains(where: { $0.id == id }) else { throw element.unknown("step", id, known: steps.map(\.id)) }
            guard id != own else { throw element.failure("a step does not lead to itself") }
            guard seen.insert(id).inserted else { throw element.failure("\(id) stands here already") }
        }
    }
}

extension StepParser.Steps {
    /// Every step can be reached, and from every step an end.
    /// - Parameter reopeningStep: where the resident can bring a closed case.
    func checkWays(reopeningStep: String?) throws(DeclarationError) {
        let ways = known.flatMap { step in step.next.map { (from: step.id, to: $0) } }
        let reached = Self.closure(of: [known[0].id] + (reopeningStep.map { [$0] } ?? []), ways)
        if let index = known.firstIndex(where: { !reached.contains($0.id) }) {
            throw values[index].failure("no step leads here: name \(known[index].id) in next of another step")
        }
        let ends = known.filter { $0.phase == .closed }.map(\.id)
        guard !ends.isEmpty else { throw values[0].failure("no step is of phase closed, so that no case would ever end") }
        let leading = Self.closure(of: ends, ways.map { (from: $0.to, to: $0.from) })
        if let index = known.firstIndex(where: { !leading.contains($0.id) }) {
            throw values[index].failure("from here no closed step can be reached")
        }
    }

    private static func closure(of ids: [String], _ ways: [(from: String, to: String)]) -> Set<String> {
        var (reached, waiting) = (Set(ids), ids)
        while let id = waiting.popLast() {
            for way in ways where way.from == id && reached.insert(way.to).inserted { waiting.append(way.to) }
        }
        return reached
    }
}
