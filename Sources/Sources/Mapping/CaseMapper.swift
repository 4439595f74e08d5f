internal import Cases
internal import CityModel
internal import OrderedCollections
internal import Query
internal import Services

/// A record as the report that it is.
struct MappedCase: Sendable {
    /// With its `row`; without a district, and where only an address is known without coordinates.
    var report: CaseReport
    /// Where the record began.
    let line: Int
    /// Rules that the record broke and that let it pass.
    var flags: [Finding]
    let references: [PendingReference]
}

enum CaseResult {
    case mapped(MappedCase)
    /// With the record's row, where that is known: one that was filed before is no fault, whatever its service has come to ask since.
    case rejected(Finding, CaseRow?)
}

/// Turns the records of one run into reports to one service. Answers are held against the service's questions as those of its form are.
struct CaseMapper {
    private let source: String
    private let mapping: CaseMapping
    private let service: OfferedService
    private let zone: CivilZone
    private let now: Instant
    private let key: [FieldReader]
    private let date: TimeFieldReader?
    private let answers: [(field: String, names: String, reader: ValueReader)]
    private let point: GeometryReader?
    private let address: ValueReader?
    private let contact: (name: ValueReader?, email: ValueReader?, telephone: ValueReader?, language: ValueReader?)
    private let remark: ValueReader?
    private var rules: RuleChecker

    /// The longest name, telephone number and remark, in characters: those of the form.
    private static let (nameCountMax, telephoneCountMax, remarkCountMax) = (200, 40, CaseLimits().textCountMax)

    /// - Parameters:
    ///   - columns: the columns of a table, from the reader; nil for JSON.
    ///   - now: the beginning of the run.
    /// - Throws: `SourceError.input` when a column is missing, `.definition` for what the service does not ask.
    init(_ definition: SourceDefinition, _ mapping: CaseMapping, _ service: OfferedService, columns: [String]?, now: Instant) throws(SourceError) {
        try mapping.check(service.definition)
        (source, self.mapping, self.service, self.now) = (definition.id, mapping, service, now)
        zone = CivilZone(service.definition.calendar.zone) ?? .utc
        let scheme = RecordScheme(definition, columns: columns ?? [])
        func reader(_ expression: ValueExpression?) throws(SourceError) -> ValueReader? {
            try expression.map { expression throws(SourceError) in try ValueReader(expression, scheme) }
        }
        var key: [FieldReader] = []
        for field in mapping.key { key.append(try FieldReader(field, scheme)) }
        self.key = key
        date = try mapping.date.map { field throws(SourceError) in try TimeFieldReader(field, scheme) }
        var answers: [(field: String, names: String, reader: ValueReader)] = []
        for answer in mapping.answers { answers.append((answer.field, answer.value.fieldNames, try ValueReader(answer.value, scheme))) }
        self.answers = answers
        guard let projection = Projection(crs: definition.crs) else {
            throw .definition(line: 1, key: "crs", reason: "PROJ does not know \(definition.crs)")
        }
        point = try mapping.place?.point.map { point throws(SourceError) in try GeometryReader(point, scheme, projection) }
        address = try reader(mapping.place?.address)
        let said = mapping.contact
        contact = (try reader(said.name), try reader(said.email), try reader(said.telephone), try reader(said.language))
        remark = try reader(mapping.remark)
        var ruled = definition
        ruled.rules.append(QualityRule(id: FindingID.caseKey, severity: .reject, check: .unique(mapping.key), line: mapping.line))
        rules = try RuleChecker(ruled, scheme, now: now)
    }

    mutating func map(_ record: borrowing Record) -> CaseResult {
        var row: CaseRow?
        do throws(Finding) {
            if let fault = record.fault { throw finding(record, Fault(ruleID: fault.ruleID, field: "", reason: fault.reason)) }
            let own = try self.row(record)
            row = own
            return .mapped(try accepted(record, own))
        } catch {
            return .rejected(error, error.ruleID == FindingID.caseKey ? nil : row)
        }
    }

    private mutating func accepted(_ record: borrowing Record, _ row: CaseRow) throws(Finding) -> MappedCase {
        var flags: [Finding] = []
        var references: [PendingReference] = []
        try rules.checkFields(record, flags: &flags)
        let requestedAt = try moment(record)
        var report = CaseReport(service: service, answers: try checked(record, at: requestedAt ?? now), channel: mapping.channel, contact: try contact(record), requestedAt: requestedAt)
        report.remark = try text(remark, record, "remark", countMax: Self.remarkCountMax)
        (report.row, report.isAcknowledged) = (row, mapping.isAcknowledged)
        try rules.checkRest(record, observedAt: requestedAt, flags: &flags, references: &references)
        return MappedCase(report: report, line: record.line, flags: flags, references: references)
    }

    private func row(_ record: borrowing Record) throws(Finding) -> CaseRow {
        var parts: [String] = []
        for field in key {
            guard let text = field.value(record).text else {
                throw finding(record, Fault(ruleID: FindingID.caseKey, field: field.name, reason: "the value is missing; without it a row could be filed twice"))
            }
            parts.append(text)
        }
        // Of two keys that are different no texts are the same: `a, b` and `c` are not `a` and `b, c`.
        return CaseRow(source: source, key: parts.count == 1 ? parts[0] : JSON.array(parts.map(JSON.string)).description)
    }

    private func moment(_ record: borrowing Record) throws(Finding) -> Instant? {
        guard let date else { return nil }
        switch date.instant(record) {
        case .value(let moment):
            // A day that has begun where the city is may not have begun where the source counts its days.
            guard moment <= now.adding(seconds: 86_400) else {
                throw finding(record, Fault(ruleID: FindingID.time, field: date.name, reason: "\(moment) lies in the future"))
            }
            return min(moment, now)
        case .missing: throw finding(record, Fault(ruleID: FindingID.time, field: date.name, reason: "the value is missing"))
        case .invalid(let fault): throw finding(record, fault)
        }
    }

    // MARK: Answers

    /// - Parameter moment: the day of which it is decides what lies in the past, as it did for who wrote it.
    private func checked(_ record: borrowing Record, at moment: Instant) throws(Finding) -> ServiceAnswers {
        var texts: [String: [String]] = [:]
        for answer in answers { texts[answer.field] = try self.texts(answer.reader, record) }
        if let field = service.definition.placeField { texts[field.id] = try place(record) }
        do throws(AnswerFaults) {
            return try service.definition.answers(to: texts.filter { !$0.value.isEmpty }, today: zone.day(of: moment))
        } catch {
            let reason = error.faults.map { $0.words($0.field) }.joined(separator: "; ")
            throw finding(record, Fault(ruleID: FindingID.caseAnswers, field: names(of: error.faults[0].field), reason: reason))
        }
    }

    /// In which fields of the record the answer to a question stands.
    private func names(of field: String) -> String {
        guard field == service.definition.placeField?.id else { return answers.first { $0.field == field }?.names ?? field }
        var names: [String] = []
        if case .point(let x, let y, _)? = mapping.place?.point { names = [x.text, y.text] }
        return (names + [mapping.place?.address?.fieldNames].compactMap { $0 }).joined(separator: ", ")
    }

    private func place(_ record: borrowing Record) throws(Finding) -> [String] {
        var texts: [String] = []
        switch point?.geometry(record) {
        case .value(let json):
            if let position = json["coordinates"]?.arrayValue?.compactMap(\.doubleValue), position.count == 2 { texts.append("\(position[1]),\(position[0])") }
        case .invalid(let fault): throw finding(record, fault)
        case .missing, nil: break
        }
        if let address { texts += try self.texts(address, record) }
        return texts
    }

    private func texts(_ reader: ValueReader, _ record: borrowing Record) throws(Finding) -> [String] {
        switch reader.value(record) {
        case .value(let json): return json.typedTexts
        case .missing: return []
        case .invalid(let fault): throw finding(record, fault)
        }
    }

    // MARK: Whose it is

    private func contact(_ record: borrowing Record) throws(Finding) -> CaseContact {
        let definition = mapping.contact
        let email = try text(contact.email, record, definition.email?.fieldNames ?? "", countMax: 254)
        if let email, !CaseContact.isAddress(email) { throw fault(record, definition.email, "\(shown(email)) is not an e-mail address") }
        var language = service.definition.title.first
        if let text = try text(contact.language, record, definition.language?.fieldNames ?? "", countMax: 35) {
            let code = text.prefix { $0 != "-" && $0 != "_" }.lowercased()
            guard (2...3).contains(code.utf8.count), code.utf8.allSatisfy({ (97...122).contains($0) }) else {
                throw fault(record, definition.language, "\(shown(text)) is not the code of a language, such as fr")
            }
            language = code
        }
        return CaseContact(
            name: try text(contact.name, record, definition.name?.fieldNames ?? "", countMax: Self.nameCountMax), email: email,
            telephone: try text(contact.telephone, record, definition.telephone?.fieldNames ?? "", countMax: Self.telephoneCountMax), language: language)
    }

    private func text(_ reader: ValueReader?, _ record: borrowing Record, _ names: String, countMax: Int) throws(Finding) -> String? {
        guard let reader else { return nil }
        let text = SaidText.cleaned(try texts(reader, record).joined(separator: ", "))
        guard text.count <= countMax else { throw finding(record, Fault(ruleID: FindingID.caseAnswers, field: names, reason: "has more than \(countMax) characters")) }
        return text.isEmpty ? nil : text
    }

    private func fault(_ record: borrowing Record, _ expression: ValueExpression?, _ reason: String) -> Finding {
        finding(record, Fault(ruleID: FindingID.caseAnswers, field: expression?.fieldNames ?? "", reason: reason))
    }

    private func finding(_ record: borrowing Record, _ fault: Fault) -> Finding {
        Finding(line: record.line, ruleID: fault.ruleID, field: fault.field, reason: fault.reason, severity: .reject)
    }
}

extension JSON {
    /// A value as it would be typed into a form.
    fileprivate var typedTexts: [String] {
        switch self {
        case .null: []
        case .string(let text): [text]
        case .bool(let flag): [flag ? "yes" : "no"]
        case .integer(let number): [String(number)]
        case .number(let number): [Int64(exactly: number).map { String($0) } ?? number.description]
        case .array(let elements): elements.flatMap(\.typedTexts)
        case .object(let members): members["@value"]?.typedTexts ?? []
        }
    }
}
