/// A pattern as a nondeterministic automaton (K. Thompson, 1968). Numbers are indexes into `steps`.
struct PatternProgram: Sendable {
    enum Step: Sendable {
        case one(Unicode.Scalar)
        case any
        case set(ScalarSet)
        case start, end
        case jump(Int)
        case fork(Int, Int)
        case found
    }

    let steps: [Step]

    /// Advances through the text with the set of all steps that could come next. The search may begin at every scalar.
    func isFound(in text: String.UnicodeScalarView) -> Bool {
        var current = StepSet(count: steps.count)
        var entered: [Int] = []
        var stack: [Int] = []
        let startsAnchored = if case .start? = steps.first { true } else { false }
        let firstScalar: Unicode.Scalar? = if case .one(let scalar)? = steps.first { scalar } else { nil }
        var isAtStart = true
        var iterator = text.makeIterator()
        var next = iterator.next()
        var remaining = Pattern.searchedScalarCountMax
        while remaining >= 0 {
            remaining -= 1
            if let firstScalar, entered.isEmpty {
                // Nothing has begun, and only this scalar can begin anything.
                while let scalar = next, scalar != firstScalar, remaining > 0 {
                    next = iterator.next()
                    remaining -= 1
                }
                if next == nil { return false }
            }
            current.removeAll()
            if isAtStart || !startsAnchored { entered.append(0) } else if entered.isEmpty { return false }
            for step in entered where add(step, to: &current, stack: &stack, isAtStart: isAtStart, isAtEnd: next == nil) {
                return true
            }
            guard let scalar = next else { return false }
            entered.removeAll(keepingCapacity: true)
            for step in current.members {
                let isRead = switch steps[step] {
                case .one(let wanted): wanted == scalar
                case .any: true
                case .set(let set): set.contains(scalar)
                default: false
                }
                if isRead { entered.append(step + 1) }
            }
            next = iterator.next()
            isAtStart = false
        }
        return false
    }

    /// Adds a step and all that it leads to without reading; true when the pattern is found.
    private func add(_ step: Int, to set: inout StepSet, stack: inout [Int], isAtStart: Bool, isAtEnd: Bool) -> Bool {
        stack.removeAll(keepingCapacity: true)
        stack.append(step)
        while let step = stack.popLast() {
            guard set.insert(step) else { continue }
            switch steps[step] {
            case .one, .any, .set: break
            case .start: if isAtStart { stack.append(step + 1) }
            case .end: if isAtEnd { stack.append(step + 1) }
            case .jump(let target): stack.append(target)
            case .fork(let first, let second):
                stack.append(second)
                stack.append(first)
            case .found: return true
            }
        }
        return false
    }
}

/// A set of steps with constant-time insertion and emptying (P. Briggs and L. Torczon, 1993).
private struct StepSet {
    private(set) var members: [Int] = []
    private var positions: [Int]

    init(count: Int) { positions = [Int](repeating: 0, count: count) }

    mutating func insert(_ step: Int) -> Bool {
        let position = positions[step]
        if position < members.count, members[position] == step { return false }
        positions[step] = members.count
        members.append(step)
        return true
    }

    mutating func removeAll() { members.removeAll(keepingCapacity: true) }
}

/// Writes the steps of a tree; repetitions with numbers are written out.
struct PatternCompiler {
    private var steps: [PatternProgram.Step] = []
    /// Counts nodes also where they write no step: repeated empty groups would cost time without end.
    private var visitCount = 0

    mutating func compile(_ node: PatternNode) throws(Pattern.Invalid) {
        visitCount += 1
        guard visitCount <= 10 * Pattern.stepCountMax else { throw tooLarge }
        switch node {
        case .empty: break
        case .set(.all): try append(.any)
        case .set(let set): try append(set.single.map(PatternProgram.Step.one) ?? .set(set))
        case .start: try append(.start)
        case .end: try append(.end)
        case .sequence(let nodes): for node in nodes { try compile(node) }
        case .choice(let branches): try choice(branches)
        case .repetition(let node, let min, let max): try repetition(of: node, min: min, max: max)
        }
    }

    func finished() -> PatternProgram { PatternProgram(steps: steps + [.found]) }

    private mutating func append(_ step: PatternProgram.Step) throws(Pattern.Invalid) {
        guard steps.count < Pattern.stepCountMax else { throw tooLarge }
        steps.append(step)
    }

    private var tooLarge: Pattern.Invalid {
        Pattern.Invalid(reason: "the regular expression has more than \(Pattern.stepCountMax) steps")
    }

    private mutating func choice(_ branches: [PatternNode]) throws(Pattern.Invalid) {
        var jumps: [Int] = []
        for branch in branches.dropLast() {
            let fork = steps.count
            try append(.found)
            try compile(branch)
            jumps.append(steps.count)
            try append(.found)
            steps[fork] = .fork(fork + 1, steps.count)
        }
        if let last = branches.last { try compile(last) }
        for jump in jumps { steps[jump] = .jump(steps.count) }
    }

    private mutating func repetition(of node: PatternNode, min: Int, max: Int?) throws(Pattern.Invalid) {
        for _ in 0..<min { try compile(node) }
        guard let max else {
            let fork = steps.count
            try append(.found)
            try compile(node)
            try append(.jump(fork))
            steps[fork] = .fork(fork + 1, steps.count)
            return
        }
        var forks: [Int] = []
        for _ in min..<max {
            forks.append(steps.count)
            try append(.found)
            try compile(node)
        }
        for fork in forks { steps[fork] = .fork(fork + 1, steps.count) }
    }
}
