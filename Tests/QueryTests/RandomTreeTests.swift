import CityModel
import Query
import Testing

/// Trees made at random come back unchanged from printing and parsing. A failure names its seed.
@Suite struct RandomTreeTests {
    @Test(arguments: UInt64(0)..<300)
    func `a query survives printing and parsing`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let tree = try expression(depth: 4, &random)
        #expect(try QueryExpression(parsing: tree.description, expand: expand) == tree)
    }

    @Test(arguments: UInt64(0)..<100)
    func `a type selection survives printing and parsing`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let tree = types(depth: 4, &random)
        #expect(try TypeSelection(parsing: tree.description, expand: expand) == tree)
    }

    @Test(arguments: UInt64(0)..<100)
    func `a scope query survives printing and parsing`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let tree = try scopes(depth: 4, &random)
        #expect(try ScopeQuery(parsing: tree.description) == tree)
    }

    @Test(arguments: UInt64(0)..<300)
    func `any text is parsed or refused`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("ab1.;|,(){}[]:=!~<>\"\\* /#+-é\u{0}")
        let text = String((0..<Int.random(in: 0..<24, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "a" })
        // Whatever is accepted must print to something that reads back the same.
        if let tree = try? QueryExpression(parsing: text, expand: expand) {
            #expect(try QueryExpression(parsing: tree.description, expand: expand) == tree, "\(text)")
        }
        if let tree = try? TypeSelection(parsing: text, expand: expand) {
            #expect(try TypeSelection(parsing: tree.description, expand: expand) == tree, "\(text)")
        }
        if let tree = try? ScopeQuery(parsing: text) { #expect(try ScopeQuery(parsing: tree.description) == tree, "\(text)") }
        if let pattern = try? Pattern(text) { _ = pattern.matches(text) }
        _ = try? Ordering(parsing: text, expand: expand)
        _ = try? Projection(pick: text, expand: expand)
        _ = try? GeoQuery(georel: "within", geometry: "Polygon", coordinates: .string(text), expand: expand)
    }

    private func expression(depth: Int, _ random: inout SeededGenerator) throws -> QueryExpression {
        guard depth > 0, Bool.random(using: &random) else {
            return .term(QueryTerm(path: try path(&random), condition: try condition(&random)))
        }
        let operands = try (0..<Int.random(in: 2...3, using: &random)).map { _ in try expression(depth: depth - 1, &random) }
        return Bool.random(using: &random) ? .and(operands) : .or(operands)
    }

    private func path(_ random: inout SeededGenerator) throws -> AttributePath {
        func names(_ count: ClosedRange<Int>, _ random: inout SeededGenerator) -> [AttributePath.Name] {
            (0..<Int.random(in: count, using: &random)).map { _ in
                let term = ["speed", "naïve", "a_1", "température", "X9", "b-c"].randomElement(using: &random) ?? "a"
                return .init(term: term, iri: name(term))
            }
        }
        let hops = names(0...2, &random).map { AttributePath.Hop(relationship: $0, types: names(0...2, &random)) }
        let members = (0..<Int.random(in: 0...2, using: &random)).map { _ in
            let member = ["city", "en-GB", "x y", "@type"].randomElement(using: &random) ?? "a"
            return AttributePath.Member(name: member, iri: member == "city" || member == "en-GB" ? name(member) : nil)
        }
        return AttributePath(hops: hops, root: names(1...1, &random)[0], subattributes: names(0...2, &random), members: members)
    }

    private func value(_ random: inout SeededGenerator) throws -> QueryValue {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: .integer(Int64.random(in: -1000...1000, using: &random))
        case 1: .number(Double.random(in: -1e6...1e6, using: &random) + 0.1234)
        case 2: .text(["", "red", "a;b|c,(d)", "say \"x\"\\\n", "1", "true", "é😀", "urn:x:1..2"].randomElement(using: &random) ?? "")
        case 3: .moment(Moment(kind: .dateTime, instant: Instant(milliseconds: Int64.random(in: -1_000_000_000_000...4_000_000_000_000, using: &random))))
        case 4: .moment(try #require(Moment("2020-02-29")))
        default: .moment(try #require(Moment("23:59:59.5Z")))
        }
    }

    private func condition(_ random: inout SeededGenerator) throws -> QueryTerm.Condition {
        func values(_ random: inout SeededGenerator) throws -> [QueryValue] {
            try (0..<Int.random(in: 1...3, using: &random)).map { _ in Int.random(in: 0..<5, using: &random) == 0 ? .bool(true) : try value(&random) }
        }
        let pattern = ["^a.*b$", "a\"b", "(x|y);z", "\\d{2,3}", "[\";|)]"].randomElement(using: &random) ?? "a"
        switch Int.random(in: 0..<7, using: &random) {
        case 0: return .exists
        case 1: return .equal(try values(&random))
        case 2: return .unequal(try values(&random))
        case 3: return .compare(QueryTerm.Comparison.allCases.randomElement(using: &random) ?? .less, try value(&random))
        case 4: return .like(try Pattern(pattern))
        case 5: return .unlike(try Pattern(pattern))
        default:
            let (min, max) = (try value(&random), try value(&random))
            return QueryRange(min: min, max: max).map { .inside($0) } ?? .exists
        }
    }

    private func types(depth: Int, _ random: inout SeededGenerator) -> TypeSelection {
        guard depth > 0, Bool.random(using: &random) else { return .type(name(["A", "B", "C"].randomElement(using: &random) ?? "A")) }
        let operands = (0..<Int.random(in: 2...3, using: &random)).map { _ in types(depth: depth - 1, &random) }
        return Bool.random(using: &random) ? .and(operands) : .or(operands)
    }

    private func scopes(depth: Int, _ random: inout SeededGenerator) throws -> ScopeQuery {
        guard depth > 0, Bool.random(using: &random) else {
            let text = ["/A", "/A/#", "/#", "/+/B", "/A/+/B/#"].randomElement(using: &random) ?? "/A"
            return .pattern(try #require(ScopePattern(text)))
        }
        let operands = try (0..<Int.random(in: 2...3, using: &random)).map { _ in try scopes(depth: depth - 1, &random) }
        return Bool.random(using: &random) ? .and(operands) : .or(operands)
    }
}
