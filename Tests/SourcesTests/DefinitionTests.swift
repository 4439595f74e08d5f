import CityModel
import Sources
import Testing

struct DefinitionTests {
    private func failure(_ yaml: String) -> SourceError? {
        do throws(SourceError) {
            _ = try SourceDefinition(parsing: yaml)
            return nil
        } catch {
            return error
        }
    }

    @Test func `the smallest definition has the documented defaults`() throws {
        let definition = try SourceDefinition(parsing: yaml())
        #expect(definition.encoding == .utf8)
        #expect(definition.csv.separator == UInt8(ascii: ","))
        #expect(definition.csv.quote == UInt8(ascii: "\""))
        #expect(definition.csv.missingFields == .reject)
        #expect(definition.csv.extraFields == .reject)
        #expect(definition.crs == "EPSG:4326")
        #expect(definition.time.zone == "UTC")
        #expect(definition.numbers.decimalSeparator == UInt8(ascii: "."))
        #expect(!definition.isPassThrough)
    }

    @Test(arguments: [
        ("licens: x", 8, "licens", "licence"), ("csv:\n  seperator: ';'", 9, "csv.seperator", "separator"),
        ("numbers: {decimals: ','}", 8, "numbers.decimals", "decimal"), ("time: {timezone: UTC}", 8, "time.timezone", "zone"),
        ("rules:\n  - {id: a, fild: b, required: true}", 9, "rules[0].fild", "field"),
        ("retention: {raw: P1D, dayly: P2D}", 8, "retention.dayly", "daily"),
        ("retention:\n  attributes: {a: {raw: P1D, hurly: P2D}}", 9, "retention.attributes.a.hurly", "hourly"),
    ])
    func `an unknown key is an error with its line and the nearest key`(more: String, line: Int, key: String, nearest: String) {
        let error = failure(yaml(more: more).replacing("attributes: {}", with: "attributes: {a: b}"))
        guard case .definition(let foundLine, let foundKey, let reason) = error else {
            Issue.record("no error, or another one: \(String(describing: error))")
            return
        }
        #expect((foundLine, foundKey) == (line - 1, key))
        #expect(reason.hasSuffix("the nearest is \(nearest)"), "\(reason)")
    }

    @Test(arguments: [
        ("csv: {separator: ';;'}", "csv.separator"), ("csv: {separator: '\"'}", "csv"), ("csv: {header: false}", "csv"),
        ("csv: {skipLines: -1}", "csv.skipLines"), ("csv: {skipLines: 1001}", "csv.skipLines"),
        ("csv: {header: yes}", "csv.header"),
        ("encoding: latin1", "encoding"), ("numbers: {decimal: ',', thousands: ','}", "numbers"),
        ("time: {zone: Europe/Montpellier}", "time.zone"), ("time: {format: '%H:%M'}", "time.format"),
        ("time: {format: '%Y-%Q'}", "time.format"), ("time: {ambiguous: maybe}", "time.ambiguous"), ("crs: EPSG:999999", "crs"),
        ("crs: '+proj=utm +zone=31'", "crs"), ("crs: 'EPSG:2154 +towgs84'", "crs"), ("json: {records: a}", "json"),
        ("licence: {url: x}", "licence"), ("classification: secret", "classification"), ("nulls: [[a]]", "nulls[0]"),
        ("retention: {}", "retention"), ("retention: {hourly: P9D}", "retention"), ("retention: {raw: 90}", "retention.raw"),
        ("retention: {raw: P9D, hourly: P8D}", "retention.hourly"), ("retention: {raw: P9D, hourly: P9D, daily: PT1H}", "retention.daily"),
        ("retention: {attributes: {other: {raw: P1D}}}", "retention.attributes.other"), ("retention: {limit: true}", "retention"),
        ("retention: {raw: P1D, limit: perhaps}", "retention.limit"), ("retention: {limit: true, attributes: {}}", "retention"),
        ("rules: [{id: a, field: b}]", "rules[0]"), ("rules: [{field: b, required: true}]", "rules[0]"),
        ("rules: [{id: a, field: b, required: true, unique: true}]", "rules[0]"),
        ("rules: [{id: a, field: b, required: false}]", "rules[0].required"),
        ("rules: [{id: a, field: b, range: {}}]", "rules[0].range"),
        ("rules: [{id: a, field: b, range: {min: 2, max: 1}}]", "rules[0].range"),
        ("rules: [{id: a, field: b, pattern: '('}]", "rules[0].pattern"),
        ("rules: [{id: a, field: b, pattern: '\(String(repeating: "[^", count: 30_000))'}]", "rules[0].pattern"), ("rules: [{id: a, field: b, pattern: 'a)|(b'}]", "rules[0].pattern"),
        ("rules: [{id: a, freshWithin: P1M}]", "rules[0].freshWithin"), ("rules: [{id: a, freshWithin: P1000000000W}]", "rules[0].freshWithin"),
        ("rules: [{id: a, field: b, freshWithin: P1D}]", "rules[0].field"),
        ("rules: [{id: type, field: b, required: true}]", "rules[0].id"),
        ("rules: [{id: a, fields: [b], required: true}]", "rules[0].fields"),
        ("rules: [{id: a, field: b, required: true}, {id: a, field: c, required: true}]", "rules[1]"),
        ("rules: [{id: a, field: b, required: true, severity: warn}]", "rules[0].severity"),
    ])
    func `a value that cannot be is an error that names its key`(more: String, key: String) {
        let text = yaml(more: more)
        let once = more.hasPrefix("classification") ? text.replacing("classification: open\n", with: "") : text
        guard case .definition(let line, let found, _) = failure(once) else {
            Issue.record("no error")
            return
        }
        #expect(found == key)
        #expect(line == (more.hasPrefix("classification") ? 6 : 7))
    }

    @Test(arguments: [
        ("{a: {}}", "attributes.a"), ("{a: {field: x, constant: 1}}", "attributes.a"),
        ("{a: {field: x, as: float}}", "attributes.a.as"),
        ("{a: {constant: 1, as: number}}", "attributes.a.as"), ("{a: {field: x, unit: metres}}", "attributes.a.unit"),
        ("{a: {relationship: 'urn:{x}', unit: MTR}}", "attributes.a.unit"),
        ("{a: {relationship: 'urn:{x'}}", "attributes.a.relationship"),
        ("{a: {relationship: 'urn:{x}{y}', list: ;}}", "attributes.a.list"),
        ("{a: {template: '{x|shout}'}}", "attributes.a.template"),
        ("{a: {template: '}'}}", "attributes.a.template"), ("{a: {point: {x: b}}}", "attributes.a.point"),
        ("{a: {point: {x: b, y: c, unknown: [[1]]}}}", "attributes.a.point.unknown[0]"),
        ("{a: {field: x, factor: 2}}", "attributes.a.factor"),
        ("{a: {field: x, unknownValue: keep}}", "attributes.a.unknownValue"),
        ("{a: {field: x, format: '%Y'}}", "attributes.a.format"),
        ("{a: {constant: 'urn:ngsi-ld:null'}}", "attributes.a.constant"), ("{a: {constant: null}}", "attributes.a.constant"),
        ("{a: {language: {}}}", "attributes.a.language"),
        ("{a: {object: {b: {relationship: 'urn:{x}'}}}}", "attributes.a.object.b.relationship"),
        ("{a: {field: x, observedAt: {zone: UTC}}}", "attributes.a.observedAt"),
        ("{a: [x, {field: y, colour: z}]}", "attributes.a[1].colour"),
    ])
    func `an attribute that cannot be is an error that names its key`(attributes: String, key: String) {
        guard case .definition(let line, let found, _) = failure(yaml(attributes: attributes)) else {
            Issue.record("no error")
            return
        }
        #expect(found == key)
        #expect(line == 6)
    }

    @Test(arguments: ["[\"]", "[\"", "[", "[1", "[-1]", "a.", "$a", "a..b"])
    func `what is no path into a record is an error`(path: String) {
        guard case .definition(_, let key, _) = failure(yaml(format: "json", attributes: "{a: '\(path)'}")) else {
            Issue.record("no error")
            return
        }
        #expect(key == "attributes.a")
    }

    @Test(arguments: ["id", "title", "classification", "format", "entity", "attributes"])
    func `a definition lacks nothing that it needs`(key: String) {
        let text = yaml().split(separator: "\n").filter { !$0.hasPrefix("\(key):") }.joined(separator: "\n")
        #expect(failure(text) == .definition(line: 1, key: "", reason: "the key \(key) is missing"))
    }

    @Test(arguments: ["", "a: [", "a: 1\na: 2", "- a", "just text"])
    func `what is no mapping of keys is an error`(text: String) { #expect(failure(text) != nil) }

    @Test(arguments: ["a b", "A", "", String(repeating: "a", count: 65)])
    func `an id that cannot be one is refused`(id: String) {
        #expect(failure(yaml().replacing("id: test", with: "id: '\(id)'")) != nil)
    }

    @Test func `an id of 64 characters is accepted`() {
        #expect(failure(yaml().replacing("id: test", with: "id: \(String(repeating: "a", count: 64))")) == nil)
    }

    @Test func `quoted values of constants are text and plain ones have their type`() throws {
        let run = try run(yaml(attributes: "{a: {constant: [1, '1', 1.5, true, 'true', no, {b: 01x}]}}"), "id\n1\n")
        #expect(run.entities.first?.entity.value("a") == [1, "1", 1.5, true, "true", "no", ["b": "01x"]])
    }

    @Test func `NGSI-LD sources are not mapped`() {
        #expect(
            failure("id: a\ntitle: A\nclassification: open\nformat: ngsi-ld\nentity: {id: x, type: T}")
                == .definition(line: 5, key: "entity", reason: "NGSI-LD records are entities already and are not mapped"))
    }
}
