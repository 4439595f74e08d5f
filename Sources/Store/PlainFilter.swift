internal import CityModel
internal import Glibc
internal import LinkedData
internal import Query

/// Asks the bytes of a stored document whether a filter holds, where both are plain: a filter that asks for types, for values of attributes and for where
/// the entity is, and attributes of one instance whose value is a number, a text, a truth value or a point. Nothing is made of what nobody asks for.
///
/// It says nothing where it is not sure: then the document is to be read. What has expired it does not know.
struct PlainFilter {
    /// Any of them; nil does not restrict.
    private let types: Set<Int64>?
    private let terms: [(attribute: Int64, condition: QueryTerm.Condition)]
    private let geo: (attribute: Int64, query: GeoQuery)?
    /// What is to be looked at: values of attributes, the type where it restricts.
    private let questionCount: Int

    /// Nil for a filter that is not plain, or names what has no number.
    init?(_ filter: EntityFilter, terms names: TermTable) {
        guard filter.ids == nil, filter.idPattern == nil, filter.attributes == nil, filter.scopes == nil, filter.alternatives == nil,
            let types = Self.types(filter.types, names), let terms = Self.terms(filter.query, names)
        else { return nil }
        (self.types, self.terms) = (types.any, terms)
        if let query = filter.geo {
            guard let attribute = names.number(of: query.property) else { return nil }
            geo = (attribute, query)
        } else {
            geo = nil
        }
        questionCount = terms.count + (geo == nil ? 0 : 1) + (self.types == nil ? 0 : 1)
    }

    private static func types(_ selection: TypeSelection?, _ names: TermTable) -> (any: Set<Int64>?, Void)? {
        let types: [IRI]
        switch selection {
        case nil, .any?: return (nil, ())
        case .type(let type)?: types = [type]
        case .or(let operands)?:
            types = operands.compactMap { if case .type(let type) = $0 { type } else { nil } }
            guard types.count == operands.count else { return nil }
        case .and?: return nil
        }
        // An entity has no type that has no number.
        return (Set(types.compactMap(names.number)), ())
    }

    private static func terms(_ query: QueryExpression?, _ names: TermTable) -> [(Int64, QueryTerm.Condition)]? {
        let operands: [QueryExpression]
        switch query {
        case nil: return []
        case .and(let all)?: operands = all
        case let one?: operands = [one]
        }
        let terms = operands.compactMap { operand -> (Int64, QueryTerm.Condition)? in
            guard case .term(let term) = operand, term.path.isPlain, term.path.entityMember == nil,
                let number = names.number(of: term.path.root.iri)
            else { return nil }
            return (number, term.condition)
        }
        return terms.count == operands.count ? terms : nil
    }

    /// Whether the entity meets the filter; nil where the document has to be read to tell.
    func holds(for document: StoredDocument) -> Bool? {
        document.bytes.withUnsafeBufferPointer { bytes in
            var scanner = DocumentScanner(bytes)
            return holds(&scanner)
        }
    }

    /// Passes over the document once, as far as there are questions left. An attribute that is not there meets no condition.
    private func holds(_ scanner: inout DocumentScanner) -> Bool? {
        guard scanner.take(UInt8(ascii: "{")) else { return nil }
        var open = questionCount
        while open > 0, scanner.next != UInt8(ascii: "}"), scanner.next != StoredDocument.Mark.systemBegin {
            _ = scanner.take(UInt8(ascii: ","))
            if let name = scanner.takeName() {
                guard scanner.take(UInt8(ascii: ":")) else { return nil }
                let start = scanner.index
                guard scanner.skipValue() else { return nil }
                for term in terms where term.attribute == name {
                    guard let value = scanner.propertyValue(at: start) else { return nil }
                    guard term.condition.holds(forValue: value) else { return false }
                    open -= 1
                }
                if let geo, geo.attribute == name {
                    guard let point = scanner.point(at: start) else { return nil }
                    guard geo.query.matches(point) else { return false }
                    open -= 1
                }
            } else {
                guard let member = scanner.takeText(), scanner.take(UInt8(ascii: ":")) else { return nil }
                let start = scanner.index
                guard scanner.skipValue() else { return nil }
                if let types, scanner.isText(member, "type") {
                    guard scanner.names(at: start, holdAny: types) else { return false }
                    open -= 1
                }
            }
        }
        return open == 0
    }
}

extension DocumentScanner {
    /// The value of an attribute of one instance, which is a property whose value is no array and no object; nil for any other.
    fileprivate func propertyValue(at start: Int) -> JSON? {
        var scanner = DocumentScanner(source, from: start)
        guard scanner.take(#"{"type":"Property","value":"#) else { return nil }
        return scanner.takeScalar()
    }

    /// Where an attribute of one instance is, whose value is a point of two coordinates; nil for any other.
    fileprivate func point(at start: Int) -> Geometry? {
        var scanner = DocumentScanner(source, from: start)
        guard scanner.take(#"{"type":"GeoProperty","value":{"type":"Point","coordinates":["#), let longitude = scanner.takeScalar()?.doubleValue,
            scanner.take(UInt8(ascii: ",")), let latitude = scanner.takeScalar()?.doubleValue, scanner.take("]}")
        else { return nil }
        return try? Geometry(longitude: longitude, latitude: latitude)
    }

    /// Whether the name that stands here, or one of an array of them, is one of these.
    fileprivate func names(at start: Int, holdAny wanted: Set<Int64>) -> Bool {
        var scanner = DocumentScanner(source, from: start)
        _ = scanner.take(UInt8(ascii: "["))
        while let name = scanner.takeName() {
            if wanted.contains(name) { return true }
            guard scanner.take(UInt8(ascii: ",")) else { break }
        }
        return false
    }

    fileprivate func isText(_ range: Range<Int>, _ text: StaticString) -> Bool {
        guard let start = source.baseAddress, range.count == text.utf8CodeUnitCount else { return false }
        return memcmp(start + range.lowerBound, text.utf8Start, range.count) == 0
    }

    private mutating func take(_ text: StaticString) -> Bool {
        let end = index + text.utf8CodeUnitCount
        guard end <= source.count, isText(index..<end, text) else { return false }
        index = end
        return true
    }

    /// A number, a text without escapes, or a truth value. Nil for others, and for a number that is not surely read to the last bit here.
    private mutating func takeScalar() -> JSON? {
        switch next {
        case UInt8(ascii: "\""):
            guard let range = takeText() else { return nil }
            let text = UnsafeBufferPointer(rebasing: source[range])
            return text.contains(UInt8(ascii: "\\")) ? nil : .string(String(decoding: text, as: UTF8.self))
        case UInt8(ascii: "t"): return take("true") ? true : nil
        case UInt8(ascii: "f"): return take("false") ? false : nil
        default: return takeNumber()
        }
    }

    /// A number of at most 15 digits, none of them an exponent's: the whole number of its digits and the power of ten by which it is divided are doubles, so that
    /// the quotient is the double next to it.
    private mutating func takeNumber() -> JSON? {
        let isNegative = take(UInt8(ascii: "-"))
        var (digits, count, decimals): (Int64, Int, Int?) = (0, 0, nil)
        scan: while index < source.count {
            switch source[index] {
            case let digit where (48...57).contains(digit):
                digits = digits * 10 + Int64(digit - 48)
                count += 1
                decimals = decimals.map { $0 + 1 }
                guard count <= 15 else { return nil }
            case UInt8(ascii: "."): decimals = 0
            case UInt8(ascii: "e"), UInt8(ascii: "E"): return nil
            default: break scan
            }
            index += 1
        }
        guard count > 0 else { return nil }
        guard let decimals else { return .integer(isNegative ? -digits : digits) }
        let number = Double(digits) / Self.powersOfTen[decimals]
        return .number(isNegative ? -number : number)
    }

    private static let powersOfTen: [Double] = (0...15).reduce(into: [1]) { powers, _ in powers.append((powers.last ?? 1) * 10) }
}
