import CityModel
import OrderedCollections
import Sources
import Testing

struct RuleTests {
    @Test(arguments: [
        ("required: true", "x", true), ("required: true", "", false), ("required: true", "  ", false),
        ("range: {min: 1, max: 3}", "1", true), ("range: {min: 1, max: 3}", "3", true), ("range: {min: 1, max: 3}", "0.999", false),
        ("range: {min: 1, max: 3}", "3.001", false), ("range: {min: 1}", "1e9", true), ("range: {max: 3}", "-5", true),
        ("range: {max: 3}", "x", false),
        ("range: {max: 3}", "", true), ("pattern: '\\d{5}'", "34000", true), ("pattern: '\\d{5}'", "340000", false),
        ("pattern: '\\d{5}'", "", true), ("pattern: 'a|bc'", "bc", true), ("pattern: 'a|bc'", "ac", false),
        ("oneOf: [a, b]", "b", true), ("oneOf: [a, b]", "B", false), ("oneOf: [a, b]", "", true),
    ])
    func `a rule holds or does not`(rule: String, text: String, holds: Bool) throws {
        let run = try run(yaml(more: "rules: [{id: mine, field: v, \(rule)}]"), "id,v\n1,\(text)\n")
        #expect(run.report.acceptedCount == (holds ? 1 : 0))
        #expect(run.rejections.map(\.ruleID) == (holds ? [] : ["mine"]))
        let flagged = try self.flagged(rule, text)
        #expect(flagged.report.acceptedCount == 1)
        #expect(flagged.report.flaggedCount == (holds ? 0 : 1))
    }

    private func flagged(_ rule: String, _ text: String) throws -> Run {
        try run(yaml(more: "rules: [{id: mine, field: v, \(rule), severity: flag}]"), "id,v\n1,\(text)\n")
    }

    @Test(.timeLimit(.minutes(1))) func `no pattern takes long on a text that almost matches`() throws {
        let run = try run(yaml(more: "rules: [{id: mine, field: v, pattern: '(a+)+'}]"), "id,v\n1,\(String(repeating: "a", count: 4000))!\n")
        #expect(run.rejections.map(\.ruleID) == ["mine"])
    }

    @Test func `a record can be as fresh as 100 years`() throws {
        let definition = try SourceDefinition(
            parsing: yaml(entity: "id: 'urn:x:{id}', type: T, observedAt: t", more: "rules: [{id: fresh, freshWithin: P36525D}]"))
        #expect(try SourcesTests.run(definition, MemoryChunks(Array("id,t\n1,0001-01-01\n2,2026-01-01\n".utf8)), now: Instant(seconds: 1_780_000_000)).report.acceptedCount == 1)
    }

    @Test func `values repeat in no two accepted records`() throws {
        let text = "id,v,w\n1,a,\n2,b,x\n3,a,x\n4,,\n5,,\n"
        #expect(try run(yaml(more: "rules: [{id: once, field: v, unique: true}]"), text).rejections.map(\.line) == [4])
        #expect(try run(yaml(more: "rules: [{id: once, fields: [v, w], unique: true}]"), text).report.rejectedCount == 0)
        // A record that another rule refuses does not take its value with it.
        let rules = "rules: [{id: once, field: v, unique: true}, {id: w, field: w, required: true}]"
        #expect(try run(yaml(more: rules), text).report.acceptedCount == 2)
    }

    @Test(arguments: [
        (-86_400, true), (-86_401, false), (0, true), (86_400, true), (86_401, false),
    ])
    func `a record is fresh within its time and not from the future`(offsetSeconds: Int64, isFresh: Bool) throws {
        let now = Instant(seconds: 1_400_000_000)
        let definition = try SourceDefinition(
            parsing: yaml(
                entity: "id: 'urn:x:{id}', type: T, observedAt: {field: t, format: unix}",
                more: "rules: [{id: fresh, freshWithin: P1D}]"))
        let text = "id,t\n1,\(1_400_000_000 + offsetSeconds)\n"
        #expect(try run(definition, MemoryChunks(Array(text.utf8)), now: now).report.acceptedCount == (isFresh ? 1 : 0))
    }

    @Test func `references are handed out to be looked up`() throws {
        let run = try run(
            yaml(more: "rules: [{id: known, referenceExists: 'urn:ngsi-ld:District:{v}', severity: flag}]"), "id,v\n1,a b\n2,\n")
        #expect(run.entities.map(\.references.count) == [1, 0])
        let reference = try #require(run.entities.first?.references.first)
        #expect(reference.target.text == "urn:ngsi-ld:District:a%20b")
        #expect((reference.finding.line, reference.finding.ruleID, reference.finding.severity) == (2, "known", .flag))
    }
}

struct ReportTests {
    @Test func `a report keeps the first findings of each rule and counts all`() {
        var report = ImportReport(findingCountMax: 2)
        for line in 1...5 {
            report.reject(Finding(line: line, ruleID: "a", field: "f", reason: "r", severity: .reject))
        }
        report.accept(flags: [Finding(line: 6, ruleID: "a", field: "f", reason: "r", severity: .flag)])
        report.accept(flags: [], isUnchanged: true)
        #expect((report.recordCount, report.acceptedCount, report.unchangedCount, report.rejectedCount) == (7, 1, 1, 5))
        #expect(report.tallies.map(\.value.count) == [5, 1])
        #expect(report.tallies.values.first?.first.map(\.line) == [1, 2])
        #expect(report.description.contains("    and 3 more"))
        #expect(report.json["rules"]?.arrayValue?.map { $0["count"] } == [5, 1])
        #expect(report.json["rejected"] == 5)
    }

    @Test func `rejected rows can be written, mended and read again`() throws {
        let rules = "rules: [{id: known, field: v, oneOf: [a]}]"
        let definition = try SourceDefinition(parsing: yaml(more: rules))
        var reader = RecordReader(definition, chunks: MemoryChunks(Array("id,v\n1,\"x, \"\"y\"\"\nz\"\n2,a\n3\n4,a,b\n".utf8)))
        var record = Record()
        #expect(try reader.next(into: &record))
        var mapper = try Mapper(definition, columns: reader.columns, now: Instant(seconds: 0), expand: expandForTest)
        let rejected = RejectedRows(definition, columns: reader.columns)
        var text = rejected.header
        repeat {
            if case .rejected(let finding) = mapper.map(record) { text += rejected.row(record, finding) }
        } while try reader.next(into: &record)
        #expect(
            try rows(text, options: "columns: [id, v, line, rule, field, reason]") == [
                ["1", "x, \"y\"\nz", "2", "known", "v", "“x, \"y\"\nz” is not one of the allowed values"],
                ["3", "", "5", "fields", "", "the row has 1 fields and the table 2 columns"],
                ["4", "a;b", "6", "fields", "", "the row has 3 fields and the table 2 columns"],
            ])
        // The source itself reads the mended table: the columns of the reasons do no harm.
        let mended = String(decoding: text, as: UTF8.self).replacing("\"x, \"\"y\"\"\nz\"", with: "a").replacing(
            "3,,", with: "3,a,")
        let second = try run(definition, MemoryChunks(Array(mended.utf8)))
        #expect(second.entities.map(\.entity.id.text) == ["urn:x:1", "urn:x:3"])
        #expect(second.report.rejectedCount == 1)
    }

    @Test func `rejected rows keep the separator of their source and the place of its titles`() throws {
        let definition = try SourceDefinition(
            parsing: yaml(
                more: "encoding: windows-1252\ncsv: {separator: ';', skipLines: 2}\nrules: [{id: r, field: v, required: true}]"))
        let bytes = Array("title\n\nid;v\n".utf8) + [0xE9] + Array(",;\n".utf8)
        var reader = RecordReader(definition, chunks: MemoryChunks(bytes))
        var record = Record()
        #expect(try reader.next(into: &record))
        var mapper = try Mapper(definition, columns: reader.columns, now: Instant(seconds: 0), expand: expandForTest)
        guard case .rejected(let finding) = mapper.map(record) else {
            Issue.record("the record was accepted")
            return
        }
        let rejected = RejectedRows(definition, columns: reader.columns)
        let text = String(decoding: rejected.header + rejected.row(record, finding), as: UTF8.self)
        #expect(
            text
                == "\u{FEFF}\n\nid;v;rejected_line;rejected_rule;rejected_field;rejected_reason\r\né,;;4;r;v;the value is missing\r\n"
        )
    }

    @Test func `a rejected JSON record is kept as it came`() throws {
        let definition = try SourceDefinition(parsing: yaml(format: "ndjson"))
        var reader = RecordReader(definition, chunks: MemoryChunks(Array("{\"id\": }\n".utf8)))
        var record = Record()
        #expect(try reader.next(into: &record))
        let finding = Finding(line: 1, ruleID: "syntax", field: "", reason: "r", severity: .reject)
        #expect(
            String(decoding: RejectedRows(definition, columns: nil).row(record, finding), as: UTF8.self)
                == "\"{\"\"id\"\": }\",1,syntax,,r\r\n")
    }
}
