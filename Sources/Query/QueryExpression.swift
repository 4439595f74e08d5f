/// A query over attribute values (clause 4.9): a tree of terms, open to inspection so that a store can use its indexes.
public indirect enum QueryExpression: Hashable, Sendable {
    case term(QueryTerm)
    /// At least two operands.
    case and([QueryExpression])
    /// At least two operands.
    case or([QueryExpression])
}

/// One condition on what an attribute path leads to.
public struct QueryTerm: Hashable, Sendable {
    public enum Comparison: String, CaseIterable, Hashable, Sendable {
        case greater = ">", greaterOrEqual = ">=", less = "<", lessOrEqual = "<="
    }

    public enum Condition: Hashable, Sendable {
        case exists
        /// `==`: one of the values, of which there is at least one.
        case equal([QueryValue])
        /// `!=`: none of the values, of which there is at least one.
        case unequal([QueryValue])
        case inside(QueryRange)
        case outside(QueryRange)
        /// The value is an integer, a number, a text or a moment.
        case compare(Comparison, QueryValue)
        /// `~=`: a part of the text is in the pattern's language.
        case like(Pattern)
        /// `!~=`
        case unlike(Pattern)
    }

    public var path: AttributePath
    public var condition: Condition

    public init(path: AttributePath, condition: Condition) {
        self.path = path
        self.condition = condition
    }
}

extension QueryExpression {
    /// All terms of the tree, from left to right.
    public var terms: [QueryTerm] {
        switch self {
        case .term(let term): [term]
        case .and(let operands), .or(let operands): operands.flatMap(\.terms)
        }
    }

    /// Whether some term is about an attribute and not only about `createdAt` and the like: without one, and with
    /// nothing else to narrow it, a query is too wide (clause 5.7.2.4).
    public var namesAttribute: Bool { terms.contains { !$0.path.hops.isEmpty || $0.path.entityMember == nil } }

    /// How many relationships are followed at most, one after another; 0 when only the entity itself is looked at.
    public var linkDepth: Int { terms.map(\.path.hops.count).max() ?? 0 }
}

extension QueryExpression: CustomStringConvertible {
    /// The query in the language of clause 4.9. Parsing it gives an equal tree.
    public var description: String {
        switch self {
        case .term(let term): term.description
        case .and(let operands):
            operands.map { if case .term = $0 { $0.description } else { "(\($0))" } }.joined(separator: ";")
        case .or(let operands):
            operands.map { if case .or = $0 { "(\($0))" } else { $0.description } }.joined(separator: "|")
        }
    }
}

extension QueryTerm: CustomStringConvertible {
    public var description: String {
        func list(_ values: [QueryValue]) -> String { values.map(\.description).joined(separator: ",") }
        return switch condition {
        case .exists: path.description
        case .equal(let values): "\(path)==\(list(values))"
        case .unequal(let values): "\(path)!=\(list(values))"
        case .inside(let range): "\(path)==\(range.min)..\(range.max)"
        case .outside(let range): "\(path)!=\(range.min)..\(range.max)"
        case .compare(let comparison, let value): "\(path)\(comparison.rawValue)\(value)"
        case .like(let pattern): "\(path)~=\(QueryTerm.quoted(pattern))"
        case .unlike(let pattern): "\(path)!~=\(QueryTerm.quoted(pattern))"
        }
    }

    /// Inside quotes a pattern stands as it is, but for a backslash before each quote, also before one that is one character with what follows.
    private static func quoted(_ pattern: Pattern) -> String {
        var text = String.UnicodeScalarView("\"".unicodeScalars)
        for scalar in pattern.text.unicodeScalars {
            if scalar == "\"" { text.append("\\") }
            text.append(scalar)
        }
        text.append("\"")
        return String(text)
    }
}
