import CityModel
import OrderedCollections
import Sources
import Testing

struct MappingTests {
    /// The value of attribute `a` of a table with one row whose field `v` holds `text`.
    private func value(_ mapping: String, _ text: String, more: String = "") throws -> JSON? {
        let run = try run(yaml(attributes: "{a: {\(mapping)}}", more: more), "id,v\n1,\"\(text)\"\n")
        if let finding = run.rejections.first { return .string("<\(finding.ruleID)>") }
        return run.entities.first?.entity.value("a")
    }

    @Test(
        arguments: [
            ("12", JSON.integer(12)), ("-12", -12), ("+3", 3), ("0012", 12), ("4.0", 4.0), ("1.5", 1.5), (".5", 0.5), ("5.", 5.0),
            ("1e3", 1000.0),
            ("1.5E-2", 0.015), ("9223372036854775807", .integer(.max)), ("9223372036854775808", .number(9_223_372_036_854_775_808)),
            ("0.1", 0.1), ("123456789.123456789", 123456789.123456789), ("3.8792582780827600001", .number(3.87925827808276)),
            (" 7 ", 7), ("", nil), ("1,5", "<type>"), ("-", "<type>"), ("1.2.3", "<type>"), ("1e", "<type>"), ("NaN", "<type>"),
            ("0x10", "<type>"),
            ("1e999", "<type>"), ("1 000", "<type>"),
        ] as [(String, JSON?)])
    func `a number is read as written`(text: String, expected: JSON?) throws {
        #expect(try value("field: v, as: number", text) == expected)
    }

    @Test(
        arguments: [
            ("1 063 850,00", ",", " ", JSON.number(1_063_850)), ("1\u{A0}063\u{A0}850,5", ",", " ", 1_063_850.5),
            ("1\u{202F}000", ",", " ", 1000),
            ("1.063.850", ",", ".", 1_063_850), ("17545630,88", ",", " ", 17_545_630.88), ("1.5", ",", ".", "<type>"),
            ("1 00", ",", " ", "<type>"),
            ("1234 567", ",", " ", "<type>"), ("1 000 ,5", ",", " ", "<type>"), (" 200,00    ", ",", " ", 200.0),
            ("1'000", ".", "'", 1000),
        ] as [(String, String, String, JSON)])
    func `decimal and thousands separators are the definition's`(text: String, decimal: String, thousands: String, expected: JSON)
        throws
    {
        let numbers = "numbers: {decimal: \"\(decimal)\", thousands: \"\(thousands)\"}"
        #expect(try value("field: v, as: number", text, more: numbers) == expected)
    }

    @Test(
        arguments: [
            ("field: v", "007", JSON.string("007")), ("field: v, as: integer", "12", 12), ("field: v, as: integer", "12.0", 12),
            ("field: v, as: integer", "12.5", "<type>"), ("field: v, as: boolean", "Oui", true),
            ("field: v, as: boolean", "0", false),
            ("field: v, as: boolean", "maybe", "<type>"), ("field: v, as: number, factor: 0.5", "3", 1.5),
            ("field: v, as: number, factor: 1e300", "1e300", "<type>"),
            ("field: v, list: ;", "a; b;;c", ["a", "b", "c"]), ("field: v, list: ', ', as: integer", "1, 2", [1, 2]),
            ("field: v, values: {a: 1, b: [x]}", "b", ["x"]), ("field: v, values: {a: 1}", "c", "<enumeration>"),
            ("field: v, values: {a: 1}, unknownValue: keep", "c", "c"), ("field: v, values: {N: 0}, as: number", "N", 0),
            ("field: v, as: date, format: '%d/%m/%Y'", "29/02/2012", ["@type": "Date", "@value": "2012-02-29"]),
            ("field: v, as: date, format: '%d/%m/%Y'", "29/02/2013", "<time>"),
            (
                "field: v, as: dateTime, zone: Europe/Paris", "2024-07-01 12:30",
                ["@type": "DateTime", "@value": "2024-07-01T10:30:00Z"]
            ),
            ("template: '{v} and {id}'", "x/y", "x/y and 1"), ("template: '{v|upper}'", "é", "É"),
            ("template: '{v|slug}'", "L'Œuf à  la  Coque!", "l-oeuf-a-la-coque"),
            ("template: '{{{v}}}'", "x", "{x}"), ("constant: x", "y", "x"),
            ("object: {s: v, c: {constant: FR}}", "y", ["s": "y", "c": "FR"]),
        ] as [(String, String, JSON)])
    func `a field is converted as its mapping says`(mapping: String, text: String, expected: JSON) throws {
        #expect(try value(mapping, text) == expected)
    }

    @Test(arguments: [
        "field: v", "template: 'x{v}'", "object: {s: v, c: {constant: FR}}", "field: v, values: {a: 1}, unknownValue: omit",
        "language: {fr: v}",
    ])
    func `what is missing makes no attribute`(mapping: String) throws {
        #expect(try value(mapping, mapping.contains("omit") ? "b" : "") == nil)
        #expect(try value(mapping, mapping.contains("omit") ? "b" : "#N/A", more: "nulls: ['#N/A']") == nil)
    }

    @Test func `a missing field in a template may have a stand-in`() throws {
        #expect(try value("template: '{v|or=none}'", "") == "none")
        let run = try run(yaml(entity: "id: 'urn:x:{id}:{v|or=none}', type: T"), "id,v\n1,\n2,y\n")
        #expect(run.entities.map(\.entity.id.text) == ["urn:x:1:none", "urn:x:2:y"])
    }

    @Test func `attributes carry kind, unit, time and dataset`() throws {
        let run = try run(
            yaml(
                entity: "id: 'urn:x:{id}', type: [T, U], scope: ['/City/{area}', '/{bad}'], observedAt: t",
                attributes: """
                    {m: {field: v, as: number, unit: MTR, datasetId: 'urn:d:{id}'}, r: {relationship: 'urn:y:{area}'},
                     rs: {relationship: 'urn:y:{many}', list: ;}, n: {language: {fr: area}}, c: {constant: 1}, o: {field: v, observedAt: none},
                     own: {field: v, observedAt: {field: t2, format: unix}}}
                    """),
            "id,v,area,many,t,t2,bad\n1,2,Port Marianne,a;b,2024-01-01T00:00:00Z,60,9\n")
        let entity = try #require(run.entities.first?.entity)
        let time = Instant("2024-01-01T00:00:00Z")
        #expect(entity.types == [name("T"), name("U")])
        #expect(entity.scopes == [Scope("/City/Port_Marianne")])
        #expect(run.entities.first?.flags.map(\.ruleID) == [FindingID.scope])
        let measured = try #require(entity.instance(of: name("m"), datasetID: IRI("urn:d:1")))
        #expect((measured.kind, measured.value, measured.unitCode, measured.observedAt) == (.property, 2, "MTR", time))
        #expect(entity.instance(of: name("r"))?.kind == .relationship)
        #expect(entity.value("r") == "urn:y:Port%20Marianne")
        #expect(entity.value("rs") == ["urn:y:a", "urn:y:b"])
        #expect(entity.instance(of: name("n"))?.kind == .languageProperty)
        #expect(entity.value("n") == ["fr": "Port Marianne"])
        #expect(entity.instance(of: name("c"))?.observedAt == nil)
        #expect(entity.instance(of: name("o"))?.observedAt == nil)
        #expect(entity.instance(of: name("own"))?.observedAt == Instant(seconds: 60))
    }

    @Test func `of several mappings of one attribute the first with a value counts, and datasets stand side by side`() throws {
        let attributes = "{a: [v, w, {field: w, datasetId: 'urn:d:w'}]}"
        let run = try run(yaml(attributes: attributes), "id,v,w\n1,x,y\n2,,y\n3,,\n")
        #expect(run.entities.map { $0.entity.value("a") } == ["x", "y", nil])
        #expect(run.entities.map { $0.entity.attributes[name("a")]?.count } == [2, 2, nil])
    }

    @Test func `a value that cannot be had refuses the record or is only counted`() throws {
        let rejecting = try run(yaml(attributes: "{a: {field: v, as: number}}"), "id,v\n1,x\n2,2\n")
        #expect(
            rejecting.rejections == [
                Finding(line: 2, ruleID: "type", field: "v", reason: "a: “x” is not a number", severity: .reject)
            ])
        #expect(rejecting.entities.count == 1)
        let flagging = try run(yaml(attributes: "{a: {field: v, as: number, onError: flag}}"), "id,v\n1,x\n2,2\n")
        #expect(flagging.entities.map(\.flags.count) == [1, 0])
        #expect(flagging.entities.first?.entity.attributes.isEmpty == true)
    }

    @Test(arguments: [
        ("id: 'urn:x:{id}', type: T", ",x", FindingID.identifier), ("id: '{id}', type: T", "not-an-iri,x", FindingID.identifier),
        ("id: 'urn:x:{id}', type: T, observedAt: v", "1,yesterday", FindingID.time),
        ("id: 'urn:x:{id}', type: T, observedAt: v", "1,", FindingID.time),
    ])
    func `a record without identifier or time is refused`(entity: String, row: String, ruleID: String) throws {
        #expect(try run(yaml(entity: entity), "id,v\n\(row)\n").rejections.map(\.ruleID) == [ruleID])
    }

    @Test func `a column that is not there is an error with the nearest one`() throws {
        #expect(throws: SourceError.input(line: 1, reason: "the file has no column montant; the nearest is Montant")) {
            try run(yaml(attributes: "{a: montant}"), "id,\"Montant \"\n1,2\n")
        }
    }

    @Test func `a column may be declared optional`() throws {
        let run = try run(yaml(attributes: "{a: [v, w]}", more: "csv: {optionalColumns: [v]}"), "id,w\n1,2\n")
        #expect(run.entities.first?.entity.value("a") == "2")
    }

    @Test func `a name without an IRI is an error`() throws {
        let definition = try SourceDefinition(parsing: yaml(attributes: "{a: v}"))
        #expect(throws: SourceError.definition(line: 6, key: "attributes.a", reason: "the context gives this name no IRI")) {
            _ = try Mapper(definition, columns: ["id", "v"], now: Instant(seconds: 0)) { $0 == "a" ? nil : IRI("urn:\($0)") }
        }
    }
}
