public import CityModel

extension QueryExpression {
    /// Parses the `q` parameter of clause 4.9. Beyond the grammar, parentheses may nest, spaces may stand between tokens,
    /// and `==` and `!=` take bare words.
    /// - Parameters:
    ///   - expandValues: the attributes whose texts are expanded like names before comparing.
    ///   - parameter: the name that errors begin with.
    /// - Throws: `badRequestData` with the place of a syntax error, `tooComplexQuery` beyond `limits`.
    public init(
        parsing text: String, expand: @escaping NameExpansion, expandValues: Set<IRI> = [], parameter: String = "q",
        limits: QueryLimits = .standard
    ) throws(CityError) {
        var parser = QueryParser(
            scanner: try TextScanner(text, parameter: parameter, limits: limits), expand: expand, expandValues: expandValues)
        self = try parser.whole()
    }
}

extension QueryExpression {
    /// Parses the `expandValues` parameter, a list of attribute names between commas, for the initializer above.
    /// - Throws: `badRequestData` that names the parameter.
    public static func attributeNames(
        parsing text: String, parameter: String = "expandValues", expand: @escaping NameExpansion,
        limits: QueryLimits = .standard
    ) throws(CityError) -> Set<IRI> {
        var scanner = try TextScanner(text, parameter: parameter, limits: limits)
        var names: Set<IRI> = []
        repeat {
            scanner.skipSpaces()
            try scanner.countNode()
            let name = scanner.read { $0 != "," && $0 != " " }
            guard let iri = expand(name), name.unicodeScalars.first?.isLetter == true else {
                throw scanner.failure("an attribute's name expected, not \u{201C}\(name)\u{201D}")
            }
            names.insert(iri)
            scanner.skipSpaces()
        } while scanner.take(",")
        guard scanner.isAtEnd else { throw scanner.failure("a comma expected, not \(scanner.nextInWords)") }
        return names
    }
}

/// A recursive descent over the grammar, one function a production.
private struct QueryParser {
    var scanner: TextScanner
    let expand: NameExpansion
    let expandValues: Set<IRI>

    mutating func whole() throws(CityError) -> QueryExpression {
        let expression = try disjunction(depth: 0)
        guard scanner.isAtEnd else {
            throw scanner.failure("\u{201C};\u{201D} or \u{201C}|\u{201D} expected, not \(scanner.nextInWords)")
        }
        return expression
    }

    private mutating func disjunction(depth: Int) throws(CityError) -> QueryExpression {
        var operands = [try conjunction(depth: depth)]
        while scanner.take("|") { operands.append(try conjunction(depth: depth)) }
        return operands.count == 1 ? operands[0] : .or(operands)
    }

    private mutating func conjunction(depth: Int) throws(CityError) -> QueryExpression {
        var operands = [try operand(depth: depth)]
        while scanner.take(";") { operands.append(try operand(depth: depth)) }
        return operands.count == 1 ? operands[0] : .and(operands)
    }

    private mutating func operand(depth: Int) throws(CityError) -> QueryExpression {
        scanner.skipSpaces()
        guard scanner.take("(") else {
            try scanner.countNode()
            return .term(try term())
        }
        try scanner.check(depth: depth + 1)
        let inner = try disjunction(depth: depth + 1)
        try scanner.expect(")")
        scanner.skipSpaces()
        return inner
    }

    private mutating func term() throws(CityError) -> QueryTerm {
        let path = try AttributePathParser(expand: expand).path(from: &scanner)
        scanner.skipSpaces()
        let condition = try condition(on: path)
        scanner.skipSpaces()
        return QueryTerm(path: path, condition: condition)
    }

    private mutating func condition(on path: AttributePath) throws(CityError) -> QueryTerm.Condition {
        if scanner.take(text: "==") { return try equality(on: path, isNegated: false) }
        if scanner.take(text: "!=") { return try equality(on: path, isNegated: true) }
        if scanner.take(text: "~=") { return .like(try pattern()) }
        if scanner.take(text: "!~=") { return .unlike(try pattern()) }
        if scanner.take(text: ">=") { return .compare(.greaterOrEqual, try comparable()) }
        if scanner.take(text: "<=") { return .compare(.lessOrEqual, try comparable()) }
        if scanner.take(">") { return .compare(.greater, try comparable()) }
        if scanner.take("<") { return .compare(.less, try comparable()) }
        switch scanner.next {
        case nil, ";", "|", ")": return .exists
        default: throw scanner.failure("an operator expected, not \(scanner.nextInWords)")
        }
    }
}

// MARK: - Values

extension QueryParser {
    private enum Operand {
        case value(QueryValue, isBareWord: Bool)
        case range(QueryRange)
    }

    private mutating func equality(on path: AttributePath, isNegated: Bool) throws(CityError) -> QueryTerm.Condition {
        var values: [QueryValue] = []
        repeat {
            switch try operandValue() {
            case .value(let value, _): values.append(try expanded(value, on: path))
            case .range(let range):
                scanner.skipSpaces()
                guard values.isEmpty, scanner.next != "," else { throw scanner.failure("a list holds no ranges") }
                return isNegated ? .outside(range) : .inside(range)
            }
            scanner.skipSpaces()
        } while scanner.take(",")
        return isNegated ? .unequal(values) : .equal(values)
    }

    private mutating func comparable() throws(CityError) -> QueryValue {
        let start = scanner.index
        let operand = try operandValue()
        scanner.skipSpaces()
        if scanner.next == "," { throw scanner.failure("a list of values needs == or !=") }
        switch operand {
        case .range: throw .badRequestData("\(scanner.parameter), character \(start + 1): a range needs == or !=")
        case .value(.bool, _): throw .badRequestData("\(scanner.parameter), character \(start + 1): a boolean needs == or !=")
        case .value(_, isBareWord: true):
            throw .badRequestData("\(scanner.parameter), character \(start + 1): text to compare with stands in quotes")
        case .value(let value, _): return value
        }
    }

    /// One value or range. Spaces before it are skipped.
    private mutating func operandValue() throws(CityError) -> Operand {
        scanner.skipSpaces()
        try scanner.countNode()
        guard scanner.next != "\"" else {
            let min = QueryValue.text(try scanner.quotedText())
            guard scanner.take(text: "..") else { return .value(min, isBareWord: false) }
            guard scanner.next == "\"" else { throw scanner.failure("both ends of a range are of one kind") }
            let max = QueryValue.text(try scanner.quotedText())
            return try range(min, max)
        }
        let start = scanner.index
        var word = bareWord()
        // Clause 4.6.3 allows a comma before the fraction of a second: it separates values only when no time ends here.
        if scanner.next == ",", Moment(word + "Z") != nil, scanner.take(",") { word += "," + bareWord() }
        guard !word.isEmpty else { throw scanner.failure("a value expected, not \(scanner.nextInWords)") }
        if let range = try bareRange(word) { return .range(range) }
        guard let value = QueryValue(bare: word) else {
            throw .badRequestData("\(scanner.parameter), character \(start + 1): \(word) is too large a number")
        }
        return .value(value, isBareWord: value.textValue != nil)
    }

    private mutating func bareWord() -> String {
        scanner.read { $0 != ";" && $0 != "|" && $0 != "," && $0 != ")" && $0 != "(" && $0 != "\"" && $0.value > 0x20 }
    }

    /// `a..b` where `a` is a number or a moment; nil for anything else, such as an IRI with dots in it.
    private func bareRange(_ word: String) throws(CityError) -> QueryRange? {
        guard let dots = word.firstRange(of: "..") else { return nil }
        guard let min = QueryValue(bare: String(word[..<dots.lowerBound])), min.textValue == nil else { return nil }
        guard let max = QueryValue(bare: String(word[dots.upperBound...])), max.textValue == nil,
            let range = QueryRange(min: min, max: max)
        else { throw scanner.failure("both ends of a range are numbers, or dates and times of one kind") }
        return range
    }

    private func range(_ min: QueryValue, _ max: QueryValue) throws(CityError) -> Operand {
        guard let range = QueryRange(min: min, max: max) else {
            throw scanner.failure("both ends of a range are of one kind")
        }
        return .range(range)
    }

    /// Texts for an attribute of `expandValues`, and entity types, are names.
    private func expanded(_ value: QueryValue, on path: AttributePath) throws(CityError) -> QueryValue {
        guard case .text(let text) = value else { return value }
        let target = path.subattributes.last ?? path.root
        let isType = path.subattributes.isEmpty && path.entityMember == .type
        guard isType || expandValues.contains(target.iri) else { return value }
        guard let iri = expand(text) else { throw scanner.failure("\(text) cannot be expanded") }
        return .text(iri.text)
    }

    /// A regular expression: in quotes, before which a backslash stands where they belong to it, or bare, up to the first `;`, `|` or `)` that stands
    /// outside its own brackets.
    private mutating func pattern() throws(CityError) -> Pattern {
        scanner.skipSpaces()
        let start = scanner.index
        let text = scanner.take("\"") ? try quotedPattern() : barePattern()
        guard !text.isEmpty else { throw scanner.failure("a regular expression expected, not \(scanner.nextInWords)") }
        do {
            return try Pattern(text)
        } catch {
            throw .badRequestData("\(scanner.parameter), character \(start + 1): \(error.reason)")
        }
    }

    private mutating func quotedPattern() throws(CityError) -> String {
        var text = String.UnicodeScalarView()
        while let scalar = scanner.advance() {
            if scalar == "\"" { return String(text) }
            if scalar == "\\", let escaped = scanner.advance() { append(escaped: escaped, to: &text) } else { text.append(scalar) }
        }
        throw scanner.failure("the quote is not closed")
    }

    private mutating func barePattern() -> String {
        var text = String.UnicodeScalarView()
        var depth = 0
        while let scalar = scanner.next {
            if depth == 0, scalar == ";" || scalar == "|" || scalar == ")" { break }
            if scalar == "(" || scalar == "[" { depth += 1 }
            if scalar == ")" || scalar == "]" { depth = max(0, depth - 1) }
            _ = scanner.advance()
            if scalar == "\\", let escaped = scanner.advance() { append(escaped: escaped, to: &text) } else { text.append(scalar) }
        }
        return String(text)
    }

    /// A quote needs no backslash within a pattern. Without one there is a single way to write the pattern in quotes.
    private func append(escaped: Unicode.Scalar, to text: inout String.UnicodeScalarView) {
        if escaped != "\"" { text.append("\\") }
        text.append(escaped)
    }
}
