internal import CityModel
package import Declarations
package import Query

extension PolicyTable {
    package static let caseCountMax = 10_000

    /// Reads a table of tests.
    /// - Throws: `DeclarationError` with the line and the key of the first fault.
    package init(parsing text: String, purposes: Purposes, expand: @escaping NameExpansion) throws(DeclarationError) {
        let reader = QuestionParser(context: PolicyParser(file: "", purposes: purposes, expand: expand))
        var cases: [Case] = []
        for value in try YAMLValue.root(of: text).part(keys: PolicyKeys.tests).required("tests").elements(countMax: Self.caseCountMax) {
            let part = try value.part(keys: PolicyKeys.test)
            cases.append(
                Case(
                    name: try part.required("name").text(), line: value.line, question: try reader.question(part),
                    expected: try reader.expectation(part.required("expect"))))
        }
        self.cases = cases
    }
}

extension Question {
    /// Reads a question: a mapping with the keys of a test other than its name and what is expected. JSON is YAML too.
    package init(parsing text: String, purposes: Purposes, expand: @escaping NameExpansion) throws(DeclarationError) {
        let keys = PolicyKeys.test.filter { $0 != "name" && $0 != "expect" }
        self = try QuestionParser(context: PolicyParser(file: "", purposes: purposes, expand: expand))
            .question(YAMLValue.root(of: text).part(keys: keys))
    }
}

/// Reads requests, the entities that they are about, and what is expected of a decision.
private struct QuestionParser {
    let context: PolicyParser

    func question(_ part: YAMLPart) throws(DeclarationError) -> Question {
        var question = Question(action: try part.required("action").choice(AccessAction.self))
        if let who = part["who"] { question.requester = try requester(who) }
        question.purpose = try part["purpose"].map { value throws(DeclarationError) in try context.purpose(value) }
        question.agreement = try part["agreement"]?.text()
        question.moment = try part["at"].map { value throws(DeclarationError) in try moment(value) }
        question.resource = try resource(part.required("resource"))
        return question
    }

    /// Who has a role has said who they are: an account that is left out stands for somebody.
    private func requester(_ value: YAMLValue) throws(DeclarationError) -> Requester {
        guard value.isMapping else {
            guard value.scalar == "anonymous" else { throw value.failure("anonymous, or roles, account and municipality are needed here") }
            return .anonymous
        }
        let part = try value.part(keys: PolicyKeys.testWho)
        var municipality: MunicipalityName?
        if let value = part["municipality"] {
            municipality = MunicipalityName(try value.text())
            guard municipality != nil else { throw value.failure("this is not the name of a municipality") }
        }
        return Requester(
            account: try part["account"]?.text() ?? "somebody",
            roles: try part["roles"].map { value throws(DeclarationError) in try context.choices(value, Role.self) } ?? [],
            municipality: municipality)
    }

    private func moment(_ value: YAMLValue) throws(DeclarationError) -> Instant {
        let text = try value.text()
        if let day = CivilDay(text) { return CivilZone.utc.start(ofDay: day) }
        guard let moment = Instant(text) else { throw value.failure("\(text) is not a day, nor a moment such as 2026-12-31T18:00:00Z") }
        return moment
    }

    private func resource(_ value: YAMLValue) throws(DeclarationError) -> Question.Resource {
        var resource = Question.Resource()
        guard value.isMapping else {
            guard value.scalar == "municipality" else { throw value.failure("municipality, or facts of an entity are needed here") }
            return resource
        }
        let part = try value.part(keys: PolicyKeys.resource)
        resource.types = try part["types"].map { value throws(DeclarationError) in try context.types(value) } ?? []
        for element in try part["scopes"]?.elements() ?? [] {
            guard let scope = Scope(try element.text()) else { throw element.failure("this is not a scope such as /Montpellier/Mosson") }
            resource.scopes.append(scope)
        }
        resource.classification = try part.required("classification").choice(Classification.self)
        resource.source = try part["source"]?.text()
        resource.subject = try part["subject"]?.text()
        resource.location = try part["location"].map { value throws(DeclarationError) in try geometry(value) }
        for element in try part["consents"]?.elements() ?? [] { resource.consents.insert(try context.purpose(element)) }
        return resource
    }

    private func geometry(_ value: YAMLValue) throws(DeclarationError) -> Geometry {
        let json: JSON = value.isMapping ? try value.json() : ["type": "Point", "coordinates": try value.json()]
        do { return try Geometry(json) } catch { throw value.failure(error.reason) }
    }

    // MARK: What is expected

    func expectation(_ value: YAMLValue) throws(DeclarationError) -> PolicyTable.Expectation {
        guard value.isMapping else { return .init(decision: try value.choice(Verdict.Decision.self)) }
        let part = try value.part(keys: PolicyKeys.expect)
        var expected = PolicyTable.Expectation(decision: try part.required("decision").choice(Verdict.Decision.self))
        if let rules = part["rules"] { expected.rules = try rules.isSequence ? rules.texts() : [rules.text()] }
        expected.shows = try names(part["shows"])
        expected.hides = try names(part["hides"])
        for (text, value) in try part["place"]?.members() ?? [] {
            expected.places.append((text, try context.attribute(text, value), try value.integer(in: 0...NarrowingParser.metresRange.upperBound)))
        }
        for (text, value) in try part["time"]?.members() ?? [] {
            guard let scalar = value.scalar, scalar == "exact" || PeriodDuration(scalar) != nil else {
                throw value.failure("exact, or a duration such as P1D, is needed here")
            }
            let period = scalar == "exact" ? nil : PeriodDuration(scalar)
            expected.periods.append((text, try context.attribute(text, value), Precision(placeMetres: nil, period: period)))
        }
        expected.entityCountMin = try part["k"]?.integer(in: NarrowingParser.entityCountRange)
        return expected
    }

    private func names(_ value: YAMLValue?) throws(DeclarationError) -> [(text: String, name: IRI)] {
        var names: [(text: String, name: IRI)] = []
        for element in try value?.elements() ?? [] {
            let text = try element.text()
            names.append((text, try context.attribute(text, element)))
        }
        return names
    }
}
