import Cases
import CityModel
import Foundation
import Query
import Services
@testable import Sources
import Testing

/// Rows of a table as reports to a service.
@Suite struct CaseMappingTests {
    private static let now = Instant("2026-06-10T12:00:00Z")!

    private static let service = """
        id: lamp
        title: {en: Street light, fr: Éclairage public}
        fields:
          - {id: place, label: {en: Where?, fr: Où ?}, type: place, required: true}
          - {id: fault, label: {en: What?, fr: Quoi ?}, type: choice, required: true, choices: [{id: dark, label: {en: Dark, fr: Éteint}}, {id: day, label: {en: By day, fr: Le jour}}]}
          - {id: since, label: {en: Since?, fr: Depuis ?}, type: date, when: past}
          - {id: height, label: {en: Height?, fr: Hauteur ?}, type: number, max: 20}
          - {id: details, label: {en: Details, fr: Détails}, type: text, lines: 4}
          - {id: photos, label: {en: Photos, fr: Photos}, type: photo}
        departments: [{department: Lighting}]
        steps: [{id: new, title: {en: New, fr: Nouveau}, phase: open, next: [done]}, {id: done, title: {en: Done, fr: Fait}, phase: closed, done: true}]
        calendar: {zone: Europe/Paris, hours: {weekdays: '08:00-17:00'}}
        public: {when: atOnce, place: exact}
        """

    private static func source(_ cases: String, classification: String = "personal", more: String = "") -> String {
        """
        id: letters
        title: Letters
        classification: \(classification)
        format: csv
        csv: {separator: ';'}
        numbers: {decimal: ','}
        cases:
        \(cases.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"))
        \(more)
        """
    }

    private static let whole = """
        service: lamp
        key: Nr
        date: {field: Datum, format: '%d.%m.%Y', zone: Europe/Paris}
        fields:
          fault: {field: Was, values: {aus: dark, Tag: day}}
          since: {field: Seit, as: date, format: '%d.%m.%Y'}
          height: Höhe
          details: {template: '{Text}'}
        place: {x: O, y: N, address: Ort}
        contact: {name: Name, email: Mail, telephone: Tel, language: {constant: fr}}
        remark: Rand
        notices: false
        """
    private static let header = "Nr;Datum;Was;Seit;Höhe;Text;O;N;Ort;Name;Mail;Tel;Rand"

    private func offered() throws -> OfferedService { OfferedService(definition: try ServiceDefinition(parsing: Self.service), version: 3, isOffered: true) }

    /// What each row becomes.
    private func map(_ rows: [String], _ cases: String = whole, more: String = "") throws -> [CaseResult] {
        let definition = try SourceDefinition(parsing: Self.source(cases, more: more))
        var reader = RecordReader(definition, chunks: MemoryChunks(Array(([Self.header] + rows).joined(separator: "\n").utf8), chunkByteCount: 50))
        var record = Record()
        var mapper: CaseMapper?
        var results: [CaseResult] = []
        while try reader.next(into: &record) {
            if mapper == nil { mapper = try CaseMapper(definition, try #require(definition.cases), try offered(), columns: reader.columns, now: Self.now) }
            if let result = mapper?.map(record) { results.append(result) }
        }
        return results
    }

    private func report(_ result: CaseResult) throws -> CaseReport {
        guard case .mapped(let mapped) = result else { throw Unexpected(result: "\(result)") }
        return mapped.report
    }

    private struct Unexpected: Error { let result: String }

    @Test func `a row is a report with all that it says`() throws {
        let report = try report(try map(["17;02.06.2026;aus;01.06.2026;6,5;Es ist dunkel;3,87;43,61;Rue Haute 4;Ana;ana@example.org;0467;Brief liegt bei"])[0])
        #expect(report.row == CaseRow(source: "letters", key: "17"))
        #expect(report.requestedAt == Instant("2026-06-01T22:00:00Z"))
        #expect(report.channel == .paper && !report.isAcknowledged && report.remark == "Brief liegt bei")
        #expect(report.answers["fault"] == .choices(["dark"]) && report.answers["height"] == .number(6.5) && report.answers["details"] == .text("Es ist dunkel"))
        #expect(report.answers["since"] == .date(.init("2026-06-01")!))
        guard case .place(let place)? = report.answers["place"] else { throw Unexpected(result: "no place") }
        #expect(place.coordinates == .init(latitude: 43.61, longitude: 3.87) && place.address == "Rue Haute 4")
        #expect(report.contact == CaseContact(name: "Ana", email: "ana@example.org", telephone: "0467", language: "fr"))
    }

    @Test(arguments: [
        ("17;;aus;;;;3,87;43,61;;;;;", "time", "Datum", "the value is missing"),
        ("17;02.06.2027;aus;;;;3,87;43,61;;;;;", "time", "Datum", "2027-06-01T22:00:00Z lies in the future"),
        (";02.06.2026;aus;;;;3,87;43,61;;;;;", "case-key", "Nr", "the value is missing; without it a row could be filed twice"),
        ("17;02.06.2026;kaputt;;;;3,87;43,61;;;;;", "enumeration", "Was", "“kaputt” is not among the values"),
        ("17;02.06.2026;;;;;3,87;43,61;;;;;", "case-answers", "Was", "fault is needed"),
        ("17;02.06.2026;aus;;25;;3,87;43,61;;;;;", "case-answers", "Höhe", "height is more than 20"),
        ("17;02.06.2026;aus;03.06.2026;tall;;3,87;43,61;;;;;", "case-answers", "Seit", "since lies in the future; height is not a number"),
        ("17;02.06.2026;aus;;;;;;;;;;", "case-answers", "O, N, Ort", "place is needed"),
        ("17;02.06.2026;aus;;;;3,87;;;;;;", "geometry", "N", "the other coordinate is there and this one is missing"),
        ("17;02.06.2026;aus;;;;3,87;43,61;;;nobody;;", "case-answers", "Mail", "“nobody” is not an e-mail address"),
        ("17;02.06.2026", "fields", "", "2 fields in a table of 13 columns"),
    ])
    func `a row that is wrong says where and why`(row: String, rule: String, field: String, reason: String) throws {
        guard case .rejected(let finding, let known) = try map([row])[0] else { throw Unexpected(result: "accepted") }
        #expect(finding.ruleID == rule && finding.field == field && finding.line == 2)
        if rule != "fields" { #expect(finding.reason == reason) }
        // It may have been filed before, but for one that can't say which it is.
        #expect((known == nil) == ["case-key", "fields"].contains(rule))
    }

    @Test func `of two rows with one key the second is refused, whatever else they say`() throws {
        let results = try map(["17;02.06.2026;aus;;;;3,87;43,61;;;;;", "17;03.06.2026;Tag;;;;3,87;43,61;;;;;", "18;03.06.2026;Tag;;;;3,87;43,61;;;;;"])
        guard case .mapped = results[0], case .rejected(let finding, nil) = results[1], case .mapped = results[2] else { throw Unexpected(result: "\(results)") }
        #expect(finding.ruleID == "case-key" && finding.reason == "“17” occurred before")
    }

    @Test func `keys of several fields that are different are never the same`() throws {
        let cases = Self.whole.replacing("key: Nr", with: "key: [Nr, Name]")
        let rows = [#"1;02.06.2026;aus;;;;3,87;43,61;;"2"",""3";;;"#, #""1"",""2";02.06.2026;aus;;;;3,87;43,61;;3;;;"#]
        let keys = try map(rows, cases).map { try report($0).row?.key }
        #expect(Set(keys).count == 2)
    }

    @Test func `rules of the source hold for rows that become cases`() throws {
        let more = "rules:\n  - {id: phone, field: Tel, pattern: '\\d+', severity: flag}\n  - {id: name, field: Name, required: true}"
        let results = try map(["1;02.06.2026;aus;;;;3,87;43,61;;Ana;;x1;", "2;02.06.2026;aus;;;;3,87;43,61;;;;;"], more: more)
        guard case .mapped(let mapped) = results[0], case .rejected(let finding, _) = results[1] else { throw Unexpected(result: "\(results)") }
        #expect(mapped.flags.map(\.ruleID) == ["phone"] && finding.ruleID == "name")
    }

    @Test(arguments: [
        ("service: lamp\nkeys: Nr", 9, "cases.keys", "there is no such key here; the nearest is key"),
        ("service: lamp", 7, "cases", "key"),
        ("service: lamp\nkey: []", 9, "cases.key", "at least one field is needed here"),
        ("service: lamp\nkey: Nr\nchannel: papr", 10, "cases.channel", "did you mean paper?"),
        ("service: lamp\nkey: Nr\nplace: {x: O}", 10, "cases.place", "x and y go together"),
        ("service: lamp\nkey: Nr\nplace: {}", 10, "cases.place", "x and y, or address, or all of them are needed here"),
        ("service: lamp\nkey: Nr\ncontact: {mail: M}", 10, "cases.contact.mail", "there is no such key here; the nearest is email"),
        ("service: lamp\nkey: Nr\nfields:\n  fault: {field: Was, list: ;, factor: 2}", 11, "cases.fields.fault.factor", "factor goes with as: number"),
        ("service: lamp\nkey: Nr\nnotices: maybe", 10, "cases.notices", "true or false is needed here"),
    ])
    func `a mapping that can't be is an error with its line and key`(cases: String, line: Int, key: String, reason: String) {
        #expect(throws: SourceError.self) { try SourceDefinition(parsing: Self.source(cases)) }
        do throws(SourceError) { _ = try SourceDefinition(parsing: Self.source(cases)) } catch {
            guard case .definition(let foundLine, let foundKey, let foundReason) = error else { return }
            #expect((foundKey, foundReason.contains(reason)) == (key, true), "\(error)")
            #expect(foundLine == line)
        }
    }

    @Test(arguments: [("entity: {id: 'urn:x:{Nr}', type: T}", "entity"), ("attributes: {a: b}", "attributes"), ("retention: {raw: P1D}", "retention")])
    func `a source makes either entities or cases`(more: String, key: String) {
        #expect { _ = try SourceDefinition(parsing: Self.source("service: lamp\nkey: Nr", more: more)) } throws: { error in
            if case .definition(_, key, _)? = error as? SourceError { true } else { false }
        }
    }

    @Test func `what people wrote is personal`() {
        #expect { _ = try SourceDefinition(parsing: Self.source("service: lamp\nkey: Nr", classification: "internal")) } throws: { error in
            if case .definition(_, "classification", _)? = error as? SourceError { true } else { false }
        }
    }

    @Test(arguments: [
        ("fields:\n  fault: Was\n  detail: Text\nplace: {x: O, y: N}", "cases.fields.detail", "the service lamp has no such question; the nearest is details"),
        ("fields:\n  fault: Was\n  photos: Text\nplace: {x: O, y: N}", "cases.fields.photos", "it is answered with photos or files, which no table holds"),
        ("fields:\n  fault: Was\n  place: Ort", "cases.fields.place", "where it is stands under cases.place"),
        ("place: {x: O, y: N}", "cases.fields", "the service lamp always asks for fault, and nothing here answers it"),
        ("fields: {fault: Was}", "cases.place", "the service lamp always asks for place, and nothing here answers it"),
    ])
    func `a mapping is held against the questions of its service`(cases: String, key: String, reason: String) throws {
        let mapping = try #require(try SourceDefinition(parsing: Self.source("service: lamp\nkey: Nr\n" + cases)).cases)
        let service = try offered().definition
        do throws(SourceError) {
            try mapping.check(service)
            Issue.record("no error")
        } catch {
            #expect(error.description.hasSuffix(": \(key): \(reason)"), "\(error)")
        }
    }

    @Test func `the channels of the schema are those that cases know`() throws {
        let schema = try JSON(parsing: try Places.text(Places.root.appending(path: "docs/schemas/source.schema.json")))
        let channels = schema["$defs"]?["cases"]?["properties"]?["channel"]?["enum"]?.arrayValue?.compactMap(\.stringValue)
        #expect(channels == CaseChannel.allCases.map(\.rawValue))
    }
}
