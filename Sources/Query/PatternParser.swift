/// Reads a regular expression into a tree.
struct PatternParser {
    private let scalars: [Unicode.Scalar]
    private var index = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    mutating func whole() throws(Pattern.Invalid) -> PatternNode {
        let node = try choice(depth: 0)
        guard index == scalars.count else { throw failure("a \u{201C})\u{201D} closes nothing") }
        return node
    }

    private var next: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    private func failure(_ reason: String) -> Pattern.Invalid {
        Pattern.Invalid(reason: "in the regular expression at \(index + 1): \(reason)")
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        index += 1
        return true
    }

    private mutating func choice(depth: Int) throws(Pattern.Invalid) -> PatternNode {
        guard depth <= Pattern.depthMax else { throw failure("groups nest more than \(Pattern.depthMax) deep") }
        var branches = [try sequence(depth: depth)]
        while take("|") { branches.append(try sequence(depth: depth)) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence(depth: Int) throws(Pattern.Invalid) -> PatternNode {
        var nodes: [PatternNode] = []
        while let scalar = next, scalar != "|", scalar != ")" { nodes.append(try repeated(depth: depth)) }
        switch nodes.count {
        case 0: return .empty
        case 1: return nodes[0]
        default: return .sequence(nodes)
        }
    }

    private mutating func repeated(depth: Int) throws(Pattern.Invalid) -> PatternNode {
        let atom = try atom(depth: depth)
        guard let (min, max) = try repetition() else { return atom }
        _ = take("?")  // a reluctant repetition has the same language
        if try repetition() != nil { throw failure("a repetition follows a repetition") }
        return .repetition(atom, min: min, max: max)
    }

    /// `*`, `+`, `?` or braces with numbers; nil when none of them comes next.
    private mutating func repetition() throws(Pattern.Invalid) -> (min: Int, max: Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        guard next == "{", let following = scalars[(index + 1)...].first, isDigit(following) else { return nil }
        index += 1
        let min = try number()
        var max: Int? = min
        if take(",") { max = next.map(isDigit) == true ? try number() : nil }
        guard take("}") else { throw failure("braces are not closed") }
        if let max, max < min { throw failure("{\(min),\(max)} counts backwards") }
        return (min, max)
    }

    private func isDigit(_ scalar: Unicode.Scalar) -> Bool { (48...57).contains(scalar.value) }

    private mutating func number() throws(Pattern.Invalid) -> Int {
        var number = 0
        while let scalar = next, isDigit(scalar) {
            number = number * 10 + Int(scalar.value - 48)
            guard number <= Pattern.repetitionMax else {
                throw failure("a repetition counts to at most \(Pattern.repetitionMax)")
            }
            index += 1
        }
        return number
    }

    private mutating func atom(depth: Int) throws(Pattern.Invalid) -> PatternNode {
        guard let scalar = next else { throw failure("something expected at the end") }
        index += 1
        switch scalar {
        case ".": return .set(.all)
        case "^": return .start
        case "$": return .end
        case "(": return try group(depth: depth)
        case "[": return .set(try bracket())
        case "\\": return .set(try escape())
        case "*", "+", "?":
            index -= 1
            throw failure("\u{201C}\(scalar)\u{201D} repeats nothing")
        default: return .set(ScalarSet(scalar))
        }
    }

    private mutating func group(depth: Int) throws(Pattern.Invalid) -> PatternNode {
        if take("?") {
            guard take(":") else { throw failure("of the groups that begin with (? only (?: is known") }
        }
        let inner = try choice(depth: depth + 1)
        guard take(")") else { throw failure("a \u{201C}(\u{201D} is not closed") }
        return inner
    }

    private mutating func escape() throws(Pattern.Invalid) -> ScalarSet {
        guard let scalar = next else { throw failure("a backslash stands at the end") }
        index += 1
        switch scalar {
        case "d": return .digit
        case "D": return ScalarSet(ScalarSet.digit.ranges, isNegated: true)
        case "w": return .word
        case "W": return ScalarSet(ScalarSet.word.ranges, isNegated: true)
        case "s": return .space
        case "S": return ScalarSet(ScalarSet.space.ranges, isNegated: true)
        case "t": return ScalarSet("\t")
        case "n": return ScalarSet("\n")
        case "r": return ScalarSet("\r")
        default:
            guard scalar.value >= 0x80 || !(scalar.isLetter || isDigit(scalar)) else {
                index -= 1
                throw failure("\\\(scalar) is not known")
            }
            return ScalarSet(scalar)
        }
    }

    /// What stands between `[` and `]`. A `]` that comes first, and a `-` that comes first or last, are literal.
    private mutating func bracket() throws(Pattern.Invalid) -> ScalarSet {
        let isNegated = take("^")
        var ranges: [ClosedRange<UInt32>] = []
        var isFirst = true
        while let scalar = next, isFirst || scalar != "]" {
            isFirst = false
            let low = try bracketElement()
            guard next == "-", index + 1 < scalars.count, scalars[index + 1] != "]" else {
                ranges += low.isNegated ? low.complement : low.ranges
                continue
            }
            index += 1
            let high = try bracketElement()
            guard let first = low.single, let last = high.single, first <= last else { throw failure("a range counts backwards") }
            ranges.append(first.value...last.value)
        }
        guard take("]") else { throw failure("a \u{201C}[\u{201D} is not closed") }
        return ScalarSet(ranges, isNegated: isNegated)
    }

    private mutating func bracketElement() throws(Pattern.Invalid) -> ScalarSet {
        guard let scalar = next else { throw failure("a \u{201C}[\u{201D} is not closed") }
        index += 1
        if scalar == "\\" { return try escape() }
        guard scalar == "[", take(":") else { return ScalarSet(scalar) }
        var name = ""
        while let letter = next, letter.isLetter, name.utf8.count < 8 {
            name.unicodeScalars.append(letter)
            index += 1
        }
        guard let set = ScalarSet.named(name), take(":"), take("]") else { throw failure("[:\(name):] is not a class") }
        return set
    }
}
