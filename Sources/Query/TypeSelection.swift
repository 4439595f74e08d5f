public import CityModel

/// Which entity types are wanted (clause 4.17).
public indirect enum TypeSelection: Hashable, Sendable {
    /// Every type: the text `*` (table 6.4.3.2-1).
    case any
    case type(IRI)
    /// At least two operands.
    case and([TypeSelection])
    /// At least two operands.
    case or([TypeSelection])

    /// Parses `A,B`, `A|B`, `(A;B)|C` and `*`. Beyond the grammar, `;` needs no parentheses (it binds stronger than `|`
    /// and `,`) and parentheses may nest. An IRI that contains one of these characters cannot be written.
    /// - Throws: `badRequestData` with the place of an error, `tooComplexQuery` beyond `limits`.
    public init(
        parsing text: String, expand: @escaping NameExpansion, parameter: String = "type", limits: QueryLimits = .standard
    ) throws(CityError) {
        if text == "*" {
            self = .any
            return
        }
        let grammar = SelectionGrammar { scanner throws(CityError) in
            let name = scanner.read { !SelectionGrammar<TypeSelection>.isReserved($0) && $0.value > 0x20 }
            guard let first = name.unicodeScalars.first, first.isLetter, let iri = expand(name) else {
                throw scanner.failure(name.isEmpty ? "a type expected, not \(scanner.nextInWords)" : "\(name) is not a type's name")
            }
            return TypeSelection.type(iri)
        } and: {
            .and($0)
        } or: {
            .or($0)
        }
        self = try grammar.whole(text, parameter: parameter, limits: limits)
    }

    /// Whether an entity of these types is selected.
    public func matches(_ types: [IRI]) -> Bool {
        switch self {
        case .any: true
        case .type(let type): types.contains(type)
        case .and(let operands): operands.allSatisfy { $0.matches(types) }
        case .or(let operands): operands.contains { $0.matches(types) }
        }
    }

    /// All types that are mentioned, once each, in order.
    public var types: [IRI] {
        var seen: Set<IRI> = []
        return allTypes.filter { seen.insert($0).inserted }
    }

    private var allTypes: [IRI] {
        switch self {
        case .any: []
        case .type(let type): [type]
        case .and(let operands), .or(let operands): operands.flatMap(\.allTypes)
        }
    }
}

extension TypeSelection: CustomStringConvertible, SelectionTree {
    public var description: String { written() }

    var node: SelectionNode<TypeSelection> {
        switch self {
        case .any: .operand("*")
        case .type(let type): .operand(type.text)
        case .and(let operands): .and(operands)
        case .or(let operands): .or(operands)
        }
    }
}

/// The grammar that type selections and scope queries share: operands joined by `;` (and), `|` and `,` (or), grouped by
/// parentheses.
struct SelectionGrammar<Tree> {
    let operand: (inout TextScanner) throws(CityError) -> Tree
    let and: ([Tree]) -> Tree
    let or: ([Tree]) -> Tree

    static func isReserved(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case ";", "|", ",", "(", ")": true
        default: false
        }
    }

    func whole(_ text: String, parameter: String, limits: QueryLimits) throws(CityError) -> Tree {
        var scanner = try TextScanner(text, parameter: parameter, limits: limits)
        let tree = try disjunction(from: &scanner, depth: 0)
        guard scanner.isAtEnd else { throw scanner.failure("an operator expected, not \(scanner.nextInWords)") }
        return tree
    }

    private func disjunction(from scanner: inout TextScanner, depth: Int) throws(CityError) -> Tree {
        var operands = [try conjunction(from: &scanner, depth: depth)]
        while scanner.take("|") || scanner.take(",") { operands.append(try conjunction(from: &scanner, depth: depth)) }
        return operands.count == 1 ? operands[0] : or(operands)
    }

    private func conjunction(from scanner: inout TextScanner, depth: Int) throws(CityError) -> Tree {
        var operands = [try single(from: &scanner, depth: depth)]
        while scanner.take(";") { operands.append(try single(from: &scanner, depth: depth)) }
        return operands.count == 1 ? operands[0] : and(operands)
    }

    private func single(from scanner: inout TextScanner, depth: Int) throws(CityError) -> Tree {
        scanner.skipSpaces()
        defer { scanner.skipSpaces() }
        guard scanner.take("(") else {
            try scanner.countNode()
            return try operand(&scanner)
        }
        try scanner.check(depth: depth + 1)
        let tree = try disjunction(from: &scanner, depth: depth + 1)
        try scanner.expect(")")
        return tree
    }
}

/// A tree of `SelectionGrammar`.
protocol SelectionTree {
    var node: SelectionNode<Self> { get }
}

enum SelectionNode<Tree> {
    case operand(String)
    case and([Tree])
    case or([Tree])
}

extension SelectionTree {
    /// The text that is read as this tree. As the standard has it each `and` within an `or` is in parentheses; where there are more within these, which is beyond the standard, they
    /// are left out where they can be, so that what was read within a depth is written within it.
    func written(isWithin: Bool = false) -> String {
        switch node {
        case .operand(let text): text
        case .and(let operands): operands.map { $0.isOperand ? $0.written() : "(\($0.written(isWithin: true)))" }.joined(separator: ";")
        case .or(let operands): operands.map { $0.written(among: operands, isWithin: isWithin) }.joined(separator: "|")
        }
    }

    private func written(among operands: [Self], isWithin: Bool) -> String {
        let text = written(isWithin: true)
        switch node {
        case .operand: return text
        case .and: return isWithin || !operands.allSatisfy(\.isFlat) ? text : "(\(text))"
        case .or: return "(\(text))"
        }
    }

    private var isOperand: Bool { if case .operand = node { true } else { false } }

    private var isFlat: Bool {
        switch node {
        case .operand: true
        case .and(let operands): operands.allSatisfy(\.isOperand)
        case .or: false
        }
    }
}
