internal import CityModel

/// Reads one query parameter from left to right. Errors carry the parameter's name and the place, counted in Unicode
/// scalars from 1.
struct TextScanner {
    let parameter: String
    let limits: QueryLimits
    private let scalars: [Unicode.Scalar]
    private(set) var index = 0
    private var nodeCount = 0

    init(_ text: String, parameter: String, limits: QueryLimits) throws(CityError) {
        guard text.utf8.count <= limits.byteCountMax else {
            throw .tooComplexQuery("\(parameter): \(text.utf8.count) bytes; at most \(limits.byteCountMax)")
        }
        self.parameter = parameter
        self.limits = limits
        scalars = Array(text.unicodeScalars)
        skipSpaces()
        guard !isAtEnd else { throw .badRequestData("\(parameter): is empty") }
    }

    var isAtEnd: Bool { index == scalars.count }
    var next: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    func scalar(after distance: Int) -> Unicode.Scalar? {
        index + distance < scalars.count ? scalars[index + distance] : nil
    }

    func failure(_ reason: String) -> CityError { .badRequestData("\(parameter), character \(index + 1): \(reason)") }

    /// What comes next, for an error message.
    var nextInWords: String { next.map { "\u{201C}\($0)\u{201D}" } ?? "the end" }

    /// Counts one more node of the tree.
    mutating func countNode() throws(CityError) {
        nodeCount += 1
        guard nodeCount <= limits.nodeCountMax else {
            throw .tooComplexQuery("\(parameter): more than \(limits.nodeCountMax) terms and values")
        }
    }

    func check(depth: Int) throws(CityError) {
        guard depth <= limits.depthMax else {
            throw .tooComplexQuery("\(parameter): nested more than \(limits.depthMax) deep")
        }
    }

    mutating func advance() -> Unicode.Scalar? {
        guard let scalar = next else { return nil }
        index += 1
        return scalar
    }

    mutating func skipSpaces() {
        while next == " " { index += 1 }
    }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        index += 1
        return true
    }

    mutating func take(text: String) -> Bool {
        let wanted = text.unicodeScalars
        guard scalars[index...].starts(with: wanted) else { return false }
        index += wanted.count
        return true
    }

    mutating func expect(_ scalar: Unicode.Scalar) throws(CityError) {
        guard take(scalar) else { throw failure("\u{201C}\(scalar)\u{201D} expected, not \(nextInWords)") }
    }

    mutating func read(while isWanted: (Unicode.Scalar) -> Bool) -> String {
        var text = String.UnicodeScalarView()
        while let scalar = next, isWanted(scalar) {
            text.append(scalar)
            index += 1
        }
        return String(text)
    }

    /// A JSON string with its quotes, which come next (RFC 8259 section 7).
    mutating func quotedText() throws(CityError) -> String {
        let start = index
        index += 1
        while let scalar = next, scalar != "\"" { index += scalar == "\\" ? 2 : 1 }
        guard index < scalars.count else {
            index = start
            throw failure("the quote is not closed")
        }
        index += 1
        var literal = String.UnicodeScalarView()
        literal.append(contentsOf: scalars[start..<index])
        guard case .string(let text)? = try? JSON(parsing: String(literal)) else {
            index = start
            throw failure("the quoted text is not a JSON string")
        }
        return text
    }
}

extension Unicode.Scalar {
    /// Whether the scalar has category Letter (`unicodeLetter` of clause 4.6.2).
    var isLetter: Bool {
        if value < 0x80 { return (65...90).contains(value) || (97...122).contains(value) }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return true
        default: return false
        }
    }

    /// Whether the scalar may stand inside a name: letters, numbers and `_` (clause 4.6.2), and `-`, as deployed data uses it.
    var isNameScalar: Bool {
        if value < 0x80 { return isLetter || (48...57).contains(value) || self == "_" || self == "-" }
        switch properties.generalCategory {
        case .decimalNumber, .letterNumber, .otherNumber: return true
        default: return isLetter
        }
    }
}
