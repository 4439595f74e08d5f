public import CityModel

/// Which scopes are wanted (clause 4.19).
public indirect enum ScopeQuery: Hashable, Sendable {
    case pattern(ScopePattern)
    /// At least two operands. Each must be met by one of the entity's scopes, not all by the same.
    case and([ScopeQuery])
    /// At least two operands.
    case or([ScopeQuery])

    /// Parses `/A`, `/A/#`, `/A/+/B`, `/#`, `(/A;/B)|/C`. Beyond the grammar, the leading slash may be missing, `;` needs
    /// no parentheses, and parentheses may nest.
    /// - Throws: `badRequestData` with the place of an error, `tooComplexQuery` beyond `limits`.
    public init(parsing text: String, parameter: String = "scopeQ", limits: QueryLimits = .standard) throws(CityError) {
        let grammar = SelectionGrammar { scanner throws(CityError) in
            let text = scanner.read { !SelectionGrammar<ScopeQuery>.isReserved($0) && $0 != " " }
            guard let pattern = ScopePattern(text) else {
                guard !text.isEmpty else { throw scanner.failure("a scope expected, not \(scanner.nextInWords)") }
                throw scanner.failure("\(text) is not a scope, with + and # as wildcards")
            }
            return ScopeQuery.pattern(pattern)
        } and: {
            .and($0)
        } or: {
            .or($0)
        }
        self = try grammar.whole(text, parameter: parameter, limits: limits)
    }

    /// Whether an entity in these scopes is selected. An entity without scopes never is.
    public func matches(_ scopes: [Scope]) -> Bool {
        switch self {
        case .pattern(let pattern): scopes.contains(where: pattern.matches)
        case .and(let operands): operands.allSatisfy { $0.matches(scopes) }
        case .or(let operands): operands.contains { $0.matches(scopes) }
        }
    }
}

/// One scope with wildcards. `/#` alone has no levels and includes descendants: it matches every scope.
public struct ScopePattern: Hashable, Sendable {
    public enum Level: Hashable, Sendable {
        case name(String)
        /// `+`: any one level.
        case any
    }

    public let levels: [Level]
    /// Whether the pattern ends with `/#`: the scope itself and all below it.
    public let includesDescendants: Bool

    /// Nil when the text is not a scope with wildcards.
    public init?(_ text: String) {
        var parts = Scope.split(text)
        includesDescendants = parts.last == "#"
        if includesDescendants { parts.removeLast() }
        guard !parts.isEmpty || includesDescendants else { return nil }
        var levels: [Level] = []
        for part in parts {
            if part == "+" {
                levels.append(.any)
            } else {
                guard Scope(String(part))?.levels.count == 1 else { return nil }
                levels.append(.name(String(part)))
            }
        }
        self.levels = levels
    }

    public func matches(_ scope: Scope) -> Bool {
        let actual = scope.levels
        guard includesDescendants ? actual.count >= levels.count : actual.count == levels.count else { return false }
        return zip(levels, actual).allSatisfy { level, name in
            switch level {
            case .any: true
            case .name(let wanted): String(name).hasSameCodePoints(as: wanted)
            }
        }
    }

    /// The text that every matching scope begins with, such as `/Madrid/Gardens`; empty when the first level is open.
    public var literalPrefix: String {
        var text = ""
        for case .name(let name) in levels.prefix(while: { $0 != .any }) { text += "/" + name }
        return text
    }

    /// The one scope that matches; nil when there are wildcards.
    public var exact: Scope? { includesDescendants || levels.contains(.any) ? nil : Scope(literalPrefix) }
}

extension ScopePattern: CustomStringConvertible {
    public var description: String {
        levels.map { level in
            switch level {
            case .name(let name): "/" + name
            case .any: "/+"
            }
        }.joined() + (includesDescendants ? "/#" : "")
    }
}

extension ScopeQuery: CustomStringConvertible, SelectionTree {
    public var description: String { written() }

    var node: SelectionNode<ScopeQuery> {
        switch self {
        case .pattern(let pattern): .operand(pattern.description)
        case .and(let operands): .and(operands)
        case .or(let operands): .or(operands)
        }
    }
}
