/// A regular expression in the manner of POSIX (IEEE 1003.2), searched for anywhere in a text.
///
/// Understood: literals, `.`, `[...]` with ranges, negation and `[:class:]`, `^`, `$`, `*`, `+`, `?`, `{m}`, `{m,}`,
/// `{m,n}`, `|`, `(...)`, `(?:...)`, `\` before punctuation, and `\d \D \w \W \s \S \t \n \r`. Everything works on Unicode
/// scalars and is case-sensitive.
///
/// Searching costs at most (scalars of the text) × (steps of the program), whatever the pattern: the text is read once
/// while all ways to match advance side by side, so no pattern can make it backtrack.
public struct Pattern: Hashable, Sendable {
    /// The pattern as it was written.
    public let text: String

    /// What a text must begin with to match; nil when the pattern says nothing about the beginning.
    public let literalPrefix: String?

    let program: PatternProgram

    /// Why a text is not a pattern.
    public struct Invalid: Error, Hashable, Sendable {
        public let reason: String
    }

    /// The longest pattern, in UTF-8 bytes.
    public static let byteCountMax = 512
    /// The largest number in braces (POSIX RE_DUP_MAX).
    public static let repetitionMax = 255
    /// The most steps of a program after repetitions are written out.
    public static let stepCountMax = 1_000
    /// How many scalars of a text are searched: a match that would end later is not found. It bounds what a pattern can
    /// cost on one long text to some tenths of a second.
    public static let searchedScalarCountMax = 65_536
    /// Groups inside one another.
    public static let depthMax = 32

    public init(_ text: String) throws(Invalid) {
        guard text.utf8.count <= Pattern.byteCountMax else {
            throw Invalid(reason: "the regular expression has more than \(Pattern.byteCountMax) bytes")
        }
        guard !text.isEmpty else { throw Invalid(reason: "the regular expression is empty") }
        var parser = PatternParser(text)
        let tree = try parser.whole()
        var compiler = PatternCompiler()
        try compiler.compile(tree.withoutLeadingAnything)
        self.text = text
        program = compiler.finished()
        literalPrefix = tree.literalPrefix
    }

    /// Whether some part of `candidate` is in the pattern's language.
    public func matches(_ candidate: String) -> Bool {
        if let literalPrefix, !candidate.utf8.starts(with: literalPrefix.utf8) { return false }
        return program.isFound(in: candidate.unicodeScalars)
    }

    public static func == (left: Pattern, right: Pattern) -> Bool { left.text == right.text }
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

/// The syntax tree of a pattern.
indirect enum PatternNode {
    case empty
    case set(ScalarSet)
    case start, end
    case sequence([PatternNode])
    case choice([PatternNode])
    /// `max` nil means without end.
    case repetition(PatternNode, min: Int, max: Int?)

    /// The same without a `.*` in front, which changes nothing where a match may begin anywhere.
    var withoutLeadingAnything: PatternNode {
        guard case .sequence(let nodes) = self, case .repetition(.set(.all), min: 0, max: nil)? = nodes.first else { return self }
        return .sequence(Array(nodes.dropFirst()))
    }

    /// The literal text that follows `^` at the beginning.
    var literalPrefix: String? {
        guard case .sequence(let nodes) = self, case .start? = nodes.first else {
            if case .start = self { return "" }
            return nil
        }
        var text = String.UnicodeScalarView()
        for node in nodes.dropFirst() {
            guard case .set(let set) = node, let scalar = set.single else { break }
            text.append(scalar)
        }
        return String(text)
    }
}

/// A set of Unicode scalars.
struct ScalarSet: Hashable, Sendable {
    var ranges: [ClosedRange<UInt32>] = []
    var isNegated = false

    init(_ ranges: [ClosedRange<UInt32>], isNegated: Bool = false) {
        self.ranges = ranges
        self.isNegated = isNegated
    }

    init(_ scalar: Unicode.Scalar) { ranges = [scalar.value...scalar.value] }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        for range in ranges where range.contains(scalar.value) { return !isNegated }
        return isNegated
    }

    /// The only scalar of the set.
    var single: Unicode.Scalar? {
        guard !isNegated, ranges.count == 1, let range = ranges.first, range.count == 1 else { return nil }
        return Unicode.Scalar(range.lowerBound)
    }

    var complement: [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
            next = max(next, range.upperBound + 1)
        }
        if next <= 0x10FFFF { result.append(next...0x10FFFF) }
        return result
    }

    static let all = ScalarSet([], isNegated: true)
    static let digit = ScalarSet([48...57])
    static let word = ScalarSet([48...57, 65...90, 95...95, 97...122])
    static let space = ScalarSet([9...13, 32...32])

    /// The classes of POSIX, in the C locale.
    static func named(_ name: String) -> ScalarSet? {
        switch name {
        case "alpha": ScalarSet([65...90, 97...122])
        case "digit": digit
        case "alnum": ScalarSet([48...57, 65...90, 97...122])
        case "upper": ScalarSet([65...90])
        case "lower": ScalarSet([97...122])
        case "space": space
        case "blank": ScalarSet([9...9, 32...32])
        case "punct": ScalarSet([33...47, 58...64, 91...96, 123...126])
        case "print": ScalarSet([32...126])
        case "graph": ScalarSet([33...126])
        case "cntrl": ScalarSet([0...31, 127...127])
        case "xdigit": ScalarSet([48...57, 65...70, 97...102])
        default: nil
        }
    }
}
