import CityModel
import Query
import Testing

@Suite struct TypeSelectionTests {
    /// Clause 4.17.
    @Test(arguments: [
        ("Building|House", ["House"], true), ("Building,House", ["Building", "X"], true), ("Building,House", ["Barn"], false),
        ("(Home;Vehicle)", ["Vehicle", "Home"], true), ("(Home;Vehicle)", ["Home"], false), ("(Home;Vehicle)|Motorhome", ["Motorhome"], true),
        ("(Home;Vehicle),Motorhome", ["Vehicle"], false), ("Home;Vehicle", ["Vehicle", "Home"], true), ("https://example.org/A", ["A"], true), ("*", ["Any"], true),
        ("((A|B);C)", ["B", "C"], true), ("((A|B);C)", ["B"], false),
    ])
    func `types are selected`(text: String, types: [String], isMatch: Bool) throws {
        #expect(try TypeSelection(parsing: text, expand: expand).matches(types.map(name)) == isMatch)
    }

    /// Clause 4.17.
    @Test func `all types are listed once`() throws {
        #expect(try TypeSelection(parsing: "(A;B)|A,C", expand: expand).types == [name("A"), name("B"), name("C")])
    }

    /// Clause 4.17: each conjunction within a disjunction is in parentheses. Where more is nested, which is beyond it, these are left out where they can be.
    @Test(arguments: [
        ("A", "A"), ("A,B", "A|B"), ("A;B", "A;B"), ("A;B|C", "(A;B)|C"), ("(A;B),(C;D)", "(A;B)|(C;D)"), ("((A|B);C)", "(A|B);C"), ("(A;B|C);D", "(A;B|C);D"),
        ("((A|B);C)|D", "(A|B);C|D"), ("(A|B)|C", "(A|B)|C"), ("*", "*"),
    ])
    func `they are written as the standard has it`(text: String, written: String) throws {
        let tree = try TypeSelection(parsing: text) { IRI("urn:\($0)") }
        #expect(tree.description.replacing("urn:", with: "") == written)
    }

    @Test func `what is read within a depth is written within it`() throws {
        for depth in 1...QueryLimits.standard.depthMax {
            let text = (1...depth).reduce("A;B|C") { text, _ in "(\(text));D|E" }
            let tree = try TypeSelection(parsing: text, expand: expand)
            #expect(try TypeSelection(parsing: tree.description, expand: expand) == tree)
        }
    }

    /// Clause 4.17.
    @Test(arguments: ["", "A|", "|A", "(A", "A)", "(A;)", "A,,B", "A B", "1A", "()", "*,A"])
    func `what is no selection is refused and the error names type`(text: String) {
        #expect { try TypeSelection(parsing: text, expand: expand) } throws: { error in
            guard case .badRequestData(let detail) = error as? CityError else { return false }
            return detail.hasPrefix("type")
        }
    }
}

@Suite struct ScopeQueryTests {
    func scopes(_ texts: [String]) -> [Scope] { texts.compactMap { Scope($0) } }

    /// Clause 4.19.
    @Test(arguments: [
        ("/Madrid", ["/Madrid"], true), ("/Madrid", ["/Madrid/Gardens"], false), ("/Madrid/Gardens/#", ["/Madrid/Gardens"], true),
        ("/Madrid/Gardens/#", ["/Madrid/Gardens/ParqueNorte/Parterre1"], true), ("/Madrid/Gardens/#", ["/Madrid"], false), ("/Madrid/Gardens/#", ["/Madrid/GardensX"], false),
        ("/Madrid/+/ParqueNorte", ["/Madrid/Sights/ParqueNorte"], true), ("/Madrid/+/ParqueNorte", ["/Madrid/ParqueNorte"], false),
        ("/Madrid/+/ParqueNorte", ["/Madrid/Sights/ParqueNorte/Deep"], false), ("/+/Gardens/#", ["/Madrid/Gardens/X"], true), ("/#", ["/A"], true), ("/#", [], false),
        ("(/Madrid/Districts;/CompanyA)", ["/Madrid/Districts", "/CompanyA"], true), ("(/Madrid/Districts;/CompanyA)", ["/CompanyA"], false),
        ("(/Madrid/Districts;/CompanyA)|CompanyB", ["/CompanyB"], true), ("(/Madrid/Districts;/CompanyA),CompanyB", ["/CompanyB"], true),
        ("/A;/B", ["/A", "/B"], true), ("/A;/B", ["/A"], false), ("/A,/B", ["/B"], true),
    ])
    func `scopes are selected`(text: String, texts: [String], isMatch: Bool) throws {
        #expect(try ScopeQuery(parsing: text).matches(scopes(texts)) == isMatch)
    }

    /// Clause 4.19.
    @Test(arguments: ["", "/", "//A", "/A/", "/A/#/B", "/A#", "/1A", "/A|", "(/A", "/A)", "/A/++", "/A /B", "#x"])
    func `what is no scope query is refused and the error names scopeQ`(text: String) {
        #expect { try ScopeQuery(parsing: text) } throws: { error in
            guard case .badRequestData(let detail) = error as? CityError else { return false }
            return detail.hasPrefix("scopeQ")
        }
    }

    /// Found by fuzzing: a slash and a mark that combines with it are one character.
    @Test func `a level begins with a letter and no mark, and marks within one are part of it`() throws {
        for text in ["\u{65E}-u", "/\u{65E}a", "/A/\u{301}b"] {
            #expect(Scope(text) == nil)
            #expect(throws: CityError.self) { try ScopeQuery(parsing: text) }
        }
        let scope = try #require(Scope("/Ae\u{301}/B\u{301}"))
        #expect(scope.levels == ["Ae\u{301}", "B\u{301}"])
        #expect(Scope(scope.text) == scope)
        #expect(try ScopeQuery(parsing: "/Ae\u{301}/+").matches([scope]))
    }

    @Test func `a pattern tells an index what to look for`() throws {
        let exact = try #require(ScopePattern("Madrid/Gardens"))
        #expect(exact.exact == Scope("/Madrid/Gardens"))
        let wild = try #require(ScopePattern("/Madrid/+/X/#"))
        #expect(wild.exact == nil)
        #expect(wild.literalPrefix == "/Madrid")
    }
}

@Suite struct TemporalQueryTests {
    /// Clause 4.11.
    @Test(arguments: [
        ("before", nil, "2020-01-01T00:00:00Z", false), ("before", nil, "2019-12-31T23:59:59.999999Z", true), ("after", nil, "2020-01-01T00:00:00Z", true),
        ("after", nil, "2019-12-31T23:59:59Z", false), ("between", "2020-01-02T00:00:00Z", "2020-01-01T00:00:00Z", true),
        ("between", "2020-01-02T00:00:00Z", "2020-01-01T23:59:59Z", true), ("between", "2020-01-02T00:00:00Z", "2020-01-02T00:00:00Z", false),
    ] as [(String, String?, String, Bool)])
    func `the lower end is included and the upper is not`(timerel: String, end: String?, moment: String, isMatch: Bool) throws {
        let query = try #require(try TemporalQuery.parsing(timerel: timerel, timeAt: "2020-01-01T00:00:00Z", endTimeAt: end))
        #expect(query.property == .observedAt)
        #expect(query.matches(try instant(moment)) == isMatch)
    }

    /// Clause 4.11.
    @Test func `a timestamp alone asks for what has it, and nothing asks for nothing`() throws {
        #expect(try TemporalQuery.parsing(timerel: nil, timeAt: nil, timeproperty: "deletedAt") == TemporalQuery(nil, of: .deletedAt))
        #expect(try TemporalQuery.parsing(timerel: nil, timeAt: nil) == nil)
    }

    /// Clauses 4.11, 5.2.21.
    @Test(arguments: [
        ("during", "2020-01-01T00:00:00Z", nil, nil, "timerel"), ("before", nil, nil, nil, "timeAt"), ("before", "2020-01-01", nil, nil, "timeAt"),
        ("between", "2020-01-01T00:00:00Z", nil, nil, "endTimeAt"), ("between", "2020-01-01T00:00:00Z", "2019-01-01T00:00:00Z", nil, "endTimeAt"),
        ("after", "2020-01-01T00:00:00Z", nil, "speed", "timeproperty"), (nil, "2020-01-01T00:00:00Z", nil, nil, "timerel"),
    ] as [(String?, String?, String?, String?, String)])
    func `what is no temporal query is refused by name`(timerel: String?, timeAt: String?, end: String?, property: String?, parameter: String) {
        #expect { try TemporalQuery.parsing(timerel: timerel, timeAt: timeAt, endTimeAt: end, timeproperty: property) } throws: { error in
            guard case .badRequestData(let detail) = error as? CityError else { return false }
            return detail.hasPrefix(parameter + ":")
        }
    }
}
