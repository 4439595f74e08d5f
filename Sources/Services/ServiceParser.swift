internal import CityModel
package import Declarations

extension ServiceDefinition {
    /// Reads a service's file (`docs/services.md`).
    /// - Throws: `DeclarationError` with the line and the key of the first fault.
    package init(parsing text: String) throws(DeclarationError) {
        let root = try YAMLValue.root(of: text).part(keys: ServiceKeys.service)
        self = try ServiceParser(root: root).service()
    }
}

/// Reads the whole of a service, and what ties its parts together.
private struct ServiceParser {
    let root: YAMLPart
    let texts: TextParser

    static let departmentCountMax = 100, districtCountMax = 200, targetCountMax = 30, keywordCountMax = 50
    static let reopeningDays = 1...3650

    init(root: YAMLPart) throws(DeclarationError) {
        self.root = root
        texts = try TextParser(languagesOf: root.required("title"))
    }

    func service() throws(DeclarationError) -> ServiceDefinition {
        let id = try identifier(root.required("id"))
        let title = try texts.text(root.required("title"), countMax: TextParser.titleCountMax)
        let help = try texts.text(root["help"], countMax: TextParser.helpCountMax)
        let group = try texts.text(root["group"], countMax: TextParser.titleCountMax)
        let publication = try publication(root.required("public"))
        let fields = try FieldParser(texts: texts, publication: publication).fields(root.required("fields"))
        let conditions = ConditionParser(known: fields, where: "in this service")
        let steps = try StepParser(texts: texts).steps(root.required("steps"))
        let reopening = try reopening(root["reopen"], steps.known)
        try steps.checkWays(reopeningStep: reopening?.step)
        return ServiceDefinition(
            id: id, title: title, help: help, group: group, keywords: try keywords(root["keywords"]), fields: fields,
            departments: try departments(root.required("departments"), conditions),
            steps: steps.known, targets: try targets(root["targets"], conditions), calendar: try CalendarParser().calendar(root.required("calendar")), reopening: reopening,
            notices: try NoticeParser(texts: texts, steps: steps.known).notices(root["notices"]), publication: publication,
            retention: try retention(root["retention"]))
    }

    private func identifier(_ value: YAMLValue) throws(DeclarationError) -> ServiceCode {
        guard let code = ServiceCode(try value.text()) else { throw value.failure("1 to 40 characters of a-z, 0-9 and - are needed here") }
        return code
    }

    private func keywords(_ value: YAMLValue?) throws(DeclarationError) -> [String] {
        var keywords: [String] = []
        for element in try value?.elements(countMax: Self.keywordCountMax) ?? [] { keywords.append(try TextParser.name(element)) }
        return keywords
    }

    // MARK: Who handles it, and how fast

    private func departments(_ value: YAMLValue, _ conditions: ConditionParser) throws(DeclarationError) -> [DepartmentRule] {
        var rules: [DepartmentRule] = []
        let elements = try value.elements(countMax: Self.departmentCountMax)
        guard let last = elements.last else { throw value.failure("at least one department is needed here") }
        for element in elements {
            let part = try element.part(keys: ServiceKeys.department)
            let rule = DepartmentRule(
                department: try TextParser.name(part.required("department")),
                condition: try part["when"].map { value throws(DeclarationError) in try conditions.condition(value) },
                districts: try districts(part["districts"]))
            if rules.contains(where: { $0.condition == nil && $0.districts.isEmpty }) {
                throw element.failure("this is never reached: a department above it handles everything; put that one last")
            }
            rules.append(rule)
        }
        guard let rule = rules.last, rule.condition == nil, rule.districts.isEmpty else {
            throw last.failure("the last department handles whatever the others do not: it has neither when nor districts")
        }
        return rules
    }

    private func districts(_ value: YAMLValue?) throws(DeclarationError) -> [String] {
        guard let value else { return [] }
        var districts: [String] = []
        for element in try value.elements(countMax: Self.districtCountMax) {
            let name = try TextParser.name(element)
            guard !districts.contains(name) else { throw element.failure("\(name) stands here already") }
            districts.append(name)
        }
        guard !districts.isEmpty else { throw value.failure("the list is empty, so that the rule would never apply; leave it out for everywhere") }
        return districts
    }

    private func targets(_ value: YAMLValue?, _ conditions: ConditionParser) throws(DeclarationError) -> [TargetRule] {
        var rules: [TargetRule] = []
        for element in try value?.elements(countMax: Self.targetCountMax) ?? [] {
            let part = try element.part(keys: ServiceKeys.target)
            let rule = TargetRule(
                condition: try part["when"].map { value throws(DeclarationError) in try conditions.condition(value) },
                answer: try part["answer"].map { value throws(DeclarationError) in try Span.working(value) },
                close: try part["close"].map { value throws(DeclarationError) in try Span.working(value) })
            guard rule.answer != nil || rule.close != nil else { throw element.failure("answer or close, or both, are needed here, such as close: 3 days") }
            if rules.contains(where: { $0.condition == nil }) {
                throw element.failure("this is never reached: a target above it counts for everything; put that one last")
            }
            rules.append(rule)
        }
        return rules
    }

    private func reopening(_ value: YAMLValue?, _ steps: [ServiceStep]) throws(DeclarationError) -> Reopening? {
        guard let value else { return nil }
        let part = try value.part(keys: ServiceKeys.reopen)
        let within = try part.required("within"), target = try part.required("step")
        let days = try Span.days(within)
        guard Self.reopeningDays.contains(days) else { throw within.failure("at most 10 years are possible here") }
        let id = try target.text()
        guard let step = steps.first(where: { $0.id == id }) else { throw target.unknown("step", id, known: steps.map(\.id)) }
        guard step.phase != .closed else { throw target.failure("\(id) is a closed step; a case that is opened again goes to one that is not") }
        return Reopening(withinDays: days, step: id)
    }

    // MARK: What is shown and kept

    private func publication(_ value: YAMLValue) throws(DeclarationError) -> ServicePublication {
        let part = try value.part(keys: ServiceKeys.publication)
        var publication = ServicePublication(when: try part.required("when").choice(ServicePublication.Moment.self))
        guard publication.when != .never else {
            if let other = part["place"] ?? part["photos"] { throw other.failure("nothing of this service becomes public; leave this out") }
            return ServicePublication(when: .never, place: .hidden, photos: .never)
        }
        publication.place = try place(part.required("place"))
        publication.photos = try part["photos"]?.choice(ServicePublication.Moment.self) ?? .never
        if publication.when == .reviewed, publication.photos == .atOnce, let photos = part["photos"] {
            throw photos.failure("photos do not become public before the case does: reviewed or never")
        }
        return publication
    }

    private func place(_ value: YAMLValue) throws(DeclarationError) -> ServicePublication.Place {
        if value.isMapping {
            return .rounded(metres: Double(try value.part(keys: ServiceKeys.roundTo).required("roundTo").integer(in: 1...100_000)))
        }
        switch value.scalar {
        case "exact": return .exact
        case "street": return .street
        case "hidden": return .hidden
        default: throw value.failure("exact, street, hidden, or {roundTo: 50} for squares of so many metres is needed here")
        }
    }

    private func retention(_ value: YAMLValue?) throws(DeclarationError) -> ServiceRetention {
        guard let value else { return .init() }
        let part = try value.part(keys: ServiceKeys.retention)
        let contact = try part["contact"].map { value throws(DeclarationError) in try Span.days(value) }
        let cases = try part["case"].map { value throws(DeclarationError) in try Span.days(value) }
        if let contact, let cases, contact > cases, let value = part["contact"] {
            throw value.failure("who reported a case is not kept for longer than the case")
        }
        return ServiceRetention(contactDays: contact, caseDays: cases)
    }
}

extension YAMLValue {
    /// That something which is named here is not among what there is.
    func unknown(_ kind: String, _ name: String, known: [String], where place: String = "in this service") -> DeclarationError {
        let nearest = Spelling.nearest(to: name, in: known).map { "; the nearest is \($0)" } ?? ""
        return failure("there is no \(kind) \(name) \(place)\(nearest)")
    }
}
