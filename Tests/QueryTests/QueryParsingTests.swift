import CityModel
import Query
import Testing

@Suite struct QueryParsingTests {
    func term(_ text: String) throws -> QueryTerm {
        guard case .term(let term) = try QueryExpression(parsing: text, expand: expand) else {
            throw CityError.internalFault("no single term")
        }
        return term
    }

    /// Found by fuzzing: a quotation mark and a mark that combines with it are one character; a backslash may stand at the end.
    @Test(arguments: [#"a~=x\\"#, #"a~="x\\""#, #"a~=x\"y"#, #"a~=x\\\"y"#, #"a~="x\\\"y""#, #"a~="\d\\"|b"#, "a~=\"x\\\"y\"", "a~=\"x\\\"\u{311}y\"", "a!~=\"\\\"\u{311}\""])
    func `a pattern with quotes is written so that it is read again`(text: String) throws {
        let query = try QueryExpression(parsing: text, expand: expand)
        #expect(try QueryExpression(parsing: query.description, expand: expand) == query)
    }

    /// Clause 4.9.
    @Test func `a plain term says its attribute, its operator and its value`() throws {
        let term = try term("temperature==20")
        #expect(term.path.isPlain)
        #expect(term.path.root.iri == name("temperature"))
        #expect(term.condition == .equal([.integer(20)]))
    }

    /// Clause 4.9.
    @Test(arguments: [
        ("a==20", QueryTerm.Condition.equal([.integer(20)])), ("a==20.0", .equal([.integer(20)])),
        ("a==-2.5e-1", .equal([.number(-0.25)])), ("a==true", .equal([.bool(true)])), ("a!=false", .unequal([.bool(false)])),
        (#"a=="true""#, .equal([.text("true")])), (#"a!="x","y""#, .unequal([.text("x"), .text("y")])),
        (#"a=="x", "y""#, .equal([.text("x"), .text("y")])), (#"a=="q\"\u00e9;|)""#, .equal([.text("q\"é;|)")])),
        ("a==urn:ngsi-ld:X:1", .equal([.text("urn:ngsi-ld:X:1")])), ("a==http://e.org/a..b", .equal([.text("http://e.org/a..b")])),
        ("a>50", .compare(.greater, .integer(50))), ("a>=50", .compare(.greaterOrEqual, .integer(50))),
        ("a<50", .compare(.less, .integer(50))), ("a<=50", .compare(.lessOrEqual, .integer(50))),
        (#"a>"m""#, .compare(.greater, .text("m"))), ("a", .exists),
    ])
    func `a term is read`(text: String, condition: QueryTerm.Condition) throws {
        #expect(try term(text).condition == condition)
    }

    /// Clause 4.9.
    @Test func `ranges are of numbers, of moments or of texts`() throws {
        #expect(try term("a==10..20").condition == .inside(#require(QueryRange(min: .integer(10), max: .integer(20)))))
        #expect(try term("a!=1.5..2").condition == .outside(#require(QueryRange(min: .number(1.5), max: .integer(2)))))
        #expect(try term(#"a=="a".."c""#).condition == .inside(#require(QueryRange(min: .text("a"), max: .text("c")))))
        guard case .inside(let range) = try term("a==2020-01-01..2020-12-31").condition else {
            Issue.record("no range")
            return
        }
        #expect(range.min.momentValue?.kind == .date)
        #expect(QueryRange(min: .integer(1), max: .text("x")) == nil)
    }

    /// Clauses 4.9, 4.6.3.
    @Test(arguments: [
        ("2017-12-24T12:00:00Z", Moment.Kind.dateTime), ("2017-12-24T12:00:00,5Z", .dateTime), ("2017-12-24", .date), ("12:00:00Z", .time),
    ])
    func `moments without quotes are moments`(text: String, kind: Moment.Kind) throws {
        guard case .compare(_, .moment(let moment)) = try term("temperature.observedAt>=\(text)").condition else {
            Issue.record("no moment")
            return
        }
        #expect(moment.kind == kind)
    }

    /// Clause 4.9.
    @Test func `paths have subattributes, trailing members and hops`() throws {
        let raw = try term("sensor.rawdata[airquality.particulate]==40").path
        #expect(raw.root.term == "sensor" && raw.subattributes.map(\.term) == ["rawdata"])
        #expect(raw.members.map(\.name) == ["airquality", "particulate"])
        #expect(!raw.isPlain)

        let linked = try term("sensor{Device,Meter:room{owner.name[en]}}==40").path
        #expect(linked.hops.map(\.relationship.term) == ["sensor", "room"])
        #expect(linked.hops[0].types.map(\.iri) == [name("Device"), name("Meter")])
        #expect(linked.hops[1].types.isEmpty)
        #expect(linked.root.term == "owner" && linked.subattributes.map(\.term) == ["name"] && linked.members.map(\.name) == ["en"])
    }

    /// Clause 4.9.
    @Test func `and binds stronger than or, and parentheses bind strongest`() throws {
        func shape(_ text: String) throws -> QueryExpression { try QueryExpression(parsing: text, expand: expand) }
        let (a, b, c) = (try shape("a"), try shape("b"), try shape("c"))
        #expect(try shape("a;b|c") == .or([.and([a, b]), c]))
        #expect(try shape("a|b;c") == .or([a, .and([b, c])]))
        #expect(try shape("(a|b);c") == .and([.or([a, b]), c]))
        #expect(try shape("((a|b);c)") == .and([.or([a, b]), c]))
        #expect(try shape(" a ; ( b | c ) ") == .and([a, .or([b, c])]))
    }

    @Test(arguments: [
        "temperature", "temperature==20", #"brandName!="Mercedes""#, #"isParked=="urn:ngsi-ld:OffStreetParking:Downtown1""#,
        #"speed>50;brandName!="Mercedes""#, "isMonitoredBy", #"((speed>50|rpm>3000);brandName=="Mercedes")"#,
        "(temperature>=20;temperature<=25)|capacity<=10", "temperature.observedAt>=2017-12-24T12:00:00Z",
        #"address[city]=="Berlin""#, "sensor.rawdata[airquality.particulate]==40", #"parkingTickets[value]=="Overstay 60 minutes""#,
        "gender==Male", "sensor{humidity}==40", "sensor{Device:humidity}==40", #"color[*]!="black","red""#,
    ])
    func `every example of clause 4.9 parses and survives printing`(text: String) throws {
        let expression = try QueryExpression(parsing: text, expand: expand)
        #expect(try QueryExpression(parsing: expression.description, expand: expand) == expression)
    }

    /// Clause 4.9.
    @Test(arguments: [
        "", " ", "==5", "a==", "a>", "a=5", "a=>5", "a==5;", "a==5|", ";a", "(a", "a)", "()", "a b", "a==5 6", "a..b==5", "a.==1",
        ".a==1", "1a==5", "a[b==5", "a[]==5", "a[b][c]==5", "a[b.]==5", "a{b==5", "a{}==5", "a{T:}==5", "a{T,U}==5", "a{b}}==5",
        "a>4..5", "a>1,2", "a>true", "a>word", #"a=="open"#, #"a=="bad\x""#, "a==1,", "a==1..", "a==1..x", "a==1..2,3", "a==3,1..2",
        #"a=="x"..2"#, "a==1e400", "a~=", #"a~="""#, #"a~="x"#, "a~=x**", "a~=(x", "a!5", "a~5", "a==x(y",
    ])
    func `what is no query is refused and the error names q`(text: String) {
        #expect { try QueryExpression(parsing: text, expand: expand) } throws: { error in
            guard case .badRequestData(let detail) = error as? CityError else { return false }
            return detail.hasPrefix("q")
        }
    }

    @Test func `an error says where`() {
        #expect(throws: CityError.badRequestData("q, character 7: an operator expected, not \u{201C}=\u{201D}")) {
            try QueryExpression(parsing: "speed =5", expand: expand)
        }
    }

    @Test func `the length has a limit`() throws {
        var limits = QueryLimits()
        limits.byteCountMax = 10
        _ = try QueryExpression(parsing: "a==1234567", expand: expand, limits: limits)
        #expect(throws: CityError.tooComplexQuery("q: 11 bytes; at most 10")) {
            try QueryExpression(parsing: "a==12345678", expand: expand, limits: limits)
        }
    }

    @Test func `parentheses may nest 32 deep and no deeper`() throws {
        func nested(_ depth: Int) -> String { String(repeating: "(", count: depth) + "a" + String(repeating: ")", count: depth) }
        _ = try QueryExpression(parsing: nested(32), expand: expand)
        #expect(throws: CityError.tooComplexQuery("q: nested more than 32 deep")) {
            try QueryExpression(parsing: nested(33), expand: expand)
        }
    }

    /// Found by fuzzing: types are passed on with brackets that nobody had written.
    @Test func `what is read can be read again as it is written, however much it is`() throws {
        let types = try TypeSelection(parsing: Array(repeating: "A;B", count: 128).joined(separator: "|"), expand: expand)
        #expect(try TypeSelection(parsing: types.description, expand: expand) == types)
        let query = try QueryExpression(parsing: Array(repeating: "(a|b);c", count: 64).joined(separator: "|"), expand: expand)
        #expect(try QueryExpression(parsing: query.description, expand: expand) == query)
    }

    @Test func `a tree may have 256 terms and values and no more`() throws {
        let terms = Array(repeating: "a", count: 256)
        _ = try QueryExpression(parsing: terms.joined(separator: ";"), expand: expand)
        #expect(throws: CityError.tooComplexQuery("q: more than 256 terms and values")) {
            try QueryExpression(parsing: (terms + ["a"]).joined(separator: ";"), expand: expand)
        }
        #expect(throws: CityError.self) {
            try QueryExpression(parsing: "a==" + Array(repeating: "1", count: 300).joined(separator: ","), expand: expand)
        }
    }

    /// Clause 5.5.7.
    @Test func `a name without an expansion is refused`() {
        #expect(throws: CityError.badRequestData("q, character 2: a cannot be expanded to an attribute's name")) {
            try QueryExpression(parsing: "a==1", expand: { _ in nil })
        }
    }

    /// Clause 4.9.
    @Test func `expandValues lists names`() throws {
        #expect(try QueryExpression.attributeNames(parsing: "gender, mood", expand: expand) == [name("gender"), name("mood")])
        for text in ["", "a,,b", "a,", "1a", "a b"] {
            #expect { try QueryExpression.attributeNames(parsing: text, expand: expand) } throws: { error in
                guard case .badRequestData(let detail) = error as? CityError else { return false }
                return detail.hasPrefix("expandValues")
            }
        }
    }

    /// Clause 5.7.2.4.
    @Test(arguments: [("createdAt>2020-01-01T00:00:00Z", false), ("id==urn:x:1", false), ("a;createdAt", true), ("a{createdAt}", true)])
    func `system attributes alone name no attribute`(text: String, namesAttribute: Bool) throws {
        #expect(try QueryExpression(parsing: text, expand: expand).namesAttribute == namesAttribute)
    }

    @Test(arguments: [("a", 0), ("a{b}", 1), ("a|b{c{d}};e{f}", 2)])
    func `the depth of links is the longest chain`(text: String, depth: Int) throws {
        #expect(try QueryExpression(parsing: text, expand: expand).linkDepth == depth)
    }

    /// Clause 4.9: a query is percent-encoded within a URI; some clients encode it in a body too.
    @Test(arguments: [
        ("a%3E0.9%3Bb%3D%3D%22urn%3Ax%3A1%22", "a>0.9;b==\"urn:x:1\""), ("a>0.9", "a>0.9"), ("a==\"50%25\"", "a==\"50%25\""),
        ("a>1;b==%22Tesla%22", "a>1;b==\"Tesla\""), ("b!=%22x%22,%22y%22", "b!=\"x\",\"y\""), ("b==\"x\",%22y", "b==\"x\",%22y"),
        ("b==http://x.example/%22y", "b==http://x.example/%22y"),
    ])
    func `a query in a body that is none as it stands is read decoded`(text: String, meant: String) throws {
        let query = try QueryExpression(parsingBody: text, expand: expand)
        #expect(try query == QueryExpression(parsing: meant, expand: expand))
    }

    @Test func `a body's query that is none either way is refused as it stands`() {
        #expect(throws: CityError.badRequestData("q, character 2: an operator expected, not \u{201C}%\u{201D}")) {
            try QueryExpression(parsingBody: "a%3E%3E", expand: expand)
        }
    }
}
