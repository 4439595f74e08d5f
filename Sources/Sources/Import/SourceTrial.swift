internal import Cases
package import CityModel
internal import OrderedCollections
internal import Query
package import Services

/// What a source would make of a file. Nothing is stored and nobody is told, so a source can be tried out before it is used; what only a municipality knows, such
/// as what was filed before and what lies outside of it, is not looked at.
package struct SourceTrial {
    private let definition: SourceDefinition
    /// Where records become cases.
    private let cases: (mapping: CaseMapping, service: OfferedService)?

    /// - Parameter services: among them the one that cases are for.
    /// - Throws: `SourceError.definition` where the mapping and its service do not go together.
    package init(_ definition: SourceDefinition, services: [ServiceDefinition]) throws(SourceError) {
        self.definition = definition
        guard let mapping = definition.cases else {
            cases = nil
            return
        }
        guard let service = services.first(where: { $0.id.text == mapping.service }) else {
            throw .definition(line: mapping.line, key: "cases.service", reason: "the file of the service \(mapping.service) is needed (--service)")
        }
        try mapping.check(service)
        cases = (mapping, OfferedService(definition: service, version: 1, isOffered: true))
    }

    /// Reads a file to its end.
    /// - Parameter shownCount: how many of the records are shown with all that they become.
    /// - Returns: lines for people, and the report, in which what would be stored counts as accepted.
    package func run(_ chunks: some ChunkSource, shownCount: Int, now: Instant) throws(SourceError) -> (lines: [String], report: ImportReport) {
        var reader = RecordReader(definition, chunks: chunks)
        var (lines, report, record): ([String], ImportReport, Record) = ([], ImportReport(), Record())
        var (mapper, caseMapper): (Mapper?, CaseMapper?) = (nil, nil)
        while try reader.next(into: &record) {
            let columns = definition.format.isTabular ? reader.columns : nil
            if let cases {
                if caseMapper == nil { caseMapper = try CaseMapper(definition, cases.mapping, cases.service, columns: columns, now: now) }
            } else if mapper == nil {
                mapper = try Mapper(definition, columns: columns, now: now) { IRI($0) ?? IRI(known: IRI.defaultContextNamespace + $0) }
            }
            let told = caseMapper != nil ? take(caseMapper?.map(record), &report) : take(mapper?.map(record), &report)
            if report.acceptedCount <= shownCount { lines += told }
        }
        return (lines, report)
    }

    private func take(_ result: CaseResult?, _ report: inout ImportReport) -> [String] {
        switch result {
        case .mapped(let mapped):
            report.accept(flags: mapped.flags)
            return Self.lines(mapped)
        case .rejected(let finding, _): report.reject(finding)
        case nil: break
        }
        return []
    }

    private func take(_ result: MappingResult?, _ report: inout ImportReport) -> [String] {
        switch result {
        case .mapped(let mapped):
            report.accept(flags: mapped.flags)
            let attributes = mapped.entity.attributes.map { name, instances in "  \(name.lastWord): \(instances.map(\.value.description).joined(separator: "; "))" }
            return ["line \(mapped.line): \(mapped.entity.id)"] + attributes
        case .document(let json, let line, let flags):
            report.accept(flags: flags)
            return ["line \(line): \(json["id"]?.stringValue ?? "")"]
        case .rejected(let finding): report.reject(finding)
        case nil: break
        }
        return []
    }

    private static func lines(_ mapped: MappedCase) -> [String] {
        let (report, contact) = (mapped.report, mapped.report.contact)
        var lines = ["line \(mapped.line): \(SaidText.cleaned(report.row?.key ?? ""))"]
        if let moment = report.requestedAt { lines.append("  received: \(moment)") }
        lines += report.service.definition.fields.compactMap { field in report.answers[field.id].map { "  \(field.id): \($0.words)" } }
        let said = [("name", contact.name), ("email", contact.email), ("telephone", contact.telephone)].compactMap { name, text in text.map { "\(name) \($0)" } }
        if !said.isEmpty { lines.append("  contact: \((said + ["language \(contact.language)"]).joined(separator: ", "))") }
        if let remark = report.remark { lines.append("  remark: \(remark)") }
        return lines
    }
}

extension ServiceAnswers.Answer {
    /// As it would be typed.
    fileprivate var words: String {
        switch self {
        case .text(let text): text
        case .number(let number): Int64(exactly: number).map { String($0) } ?? number.description
        case .choices(let choices): choices.joined(separator: ", ")
        case .date(let day): String(Instant(seconds: Int64(day.number) * 86_400).description.prefix(10))
        case .place(let place): [place.coordinates.map { "\($0.latitude),\($0.longitude)" }, place.address].compactMap { $0 }.joined(separator: ", ")
        case .consent: "yes"
        case .entity(let id): id.text
        case .uploads(let count): String(count)
        }
    }
}
