internal import CityModel
internal import Declarations
internal import Query

/// Reads one rule.
struct PolicyRuleParser {
    let part: YAMLPart
    let zone: CivilZone
    let context: PolicyParser

    func rule() throws(DeclarationError) -> Rule {
        let effect = try part.required("effect").choice(Rule.Effect.self)
        try checkCompany(of: effect)
        let what = try WhatParser(context: context).what(part.required("what"))
        let narrowing = try part["narrow"].map { value throws(DeclarationError) in try NarrowingParser(context: context).narrowing(value) }
        try checkSomethingIsLeft(what, narrowing)
        let (from, until) = try term()
        return Rule(
            id: try identifier(), description: try part["description"]?.text(), effect: effect, who: try who(part.required("who")),
            actions: try actions(part.required("actions")), what: what, purposes: try purposes(),
            needsConsent: try needsConsent(), agreement: try part["agreement"]?.text(), from: from, until: until,
            narrowing: narrowing ?? .whole, place: Rule.Place(file: context.file, line: part.value.line))
    }

    private func identifier() throws(DeclarationError) -> String {
        let value = try part.required("id")
        let text = try value.text()
        let allowed: (UInt8) -> Bool = { (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-") }
        guard text.utf8.count <= 64, text.utf8.allSatisfy(allowed) else {
            throw value.failure("1 to 64 characters of a-z, 0-9 and - are needed here")
        }
        return text
    }

    /// What only a permit can have is an error beside a forbid: it would look as though it restricted something.
    private func checkCompany(of effect: Rule.Effect) throws(DeclarationError) {
        guard effect == .forbid else { return }
        for key in ["consent", "agreement", "narrow"] {
            if let value = part[key] { throw value.failure("only a permit has this; a forbid takes away whatever the request rests on") }
        }
    }

    private func checkSomethingIsLeft(_ what: What, _ narrowing: Narrowing?) throws(DeclarationError) {
        guard let attributes = what.attributes, let narrowing else { return }
        guard !narrowing.attributes.intersection(.only(attributes)).isEmpty else {
            throw part.value.failure("what.attributes and narrow.attributes leave no attribute")
        }
    }

    private func who(_ value: YAMLValue) throws(DeclarationError) -> Who {
        guard value.isMapping else {
            guard value.scalar == "anyone" else { throw value.failure("anyone, or roles, accounts, municipalities or signedIn are needed here") }
            return .anyone
        }
        let part = try value.part(keys: PolicyKeys.who)
        guard !part.members.isEmpty else { throw value.failure("for everybody write who: anyone") }
        var who = Who()
        who.roles = try part["roles"].map { value throws(DeclarationError) in try context.choices(value, Role.self) }
        who.accounts = try part["accounts"].map { value throws(DeclarationError) in try context.texts(value) }
        who.municipalities = try part["municipalities"].map { value throws(DeclarationError) in try municipalities(value) }
        who.signedIn = try part["signedIn"]?.boolean()
        return who
    }

    private func municipalities(_ value: YAMLValue) throws(DeclarationError) -> Set<MunicipalityName> {
        var names: Set<MunicipalityName> = []
        for element in try context.list(value) {
            guard let name = MunicipalityName(try element.text()) else {
                throw element.failure("the name of a municipality has 1 to 64 letters, digits, _ and -")
            }
            names.insert(name)
        }
        return names
    }

    private func actions(_ value: YAMLValue) throws(DeclarationError) -> Set<AccessAction> {
        if value.scalar == "all" { return Set(AccessAction.allCases) }
        return try context.choices(value, AccessAction.self)
    }

    private func purposes() throws(DeclarationError) -> Set<String>? {
        guard let value = part["purposes"] else { return nil }
        var purposes: Set<String> = []
        for element in try context.list(value) { purposes.insert(try context.purpose(element)) }
        return purposes
    }

    private func needsConsent() throws(DeclarationError) -> Bool {
        guard let value = part["consent"] else { return false }
        guard value.scalar == "required" else { throw value.failure("required is the only thing to say here; leave the key out otherwise") }
        return true
    }

    // MARK: From when until when

    private func term() throws(DeclarationError) -> (from: Instant?, until: Instant?) {
        let from = try part["from"].map { value throws(DeclarationError) in try moment(value, isEnd: false) }
        let until = try part["until"].map { value throws(DeclarationError) in try moment(value, isEnd: true) }
        if let from, let until, from >= until, let value = part["until"] { throw value.failure("the rule would end before it begins") }
        return (from, until)
    }

    /// A day of the policy's zone, the last one whole, or a moment.
    private func moment(_ value: YAMLValue, isEnd: Bool) throws(DeclarationError) -> Instant {
        let text = try value.text()
        if let day = CivilDay(text) { return zone.start(ofDay: CivilDay(number: day.number + (isEnd ? 1 : 0))) }
        guard let moment = Instant(text) else {
            throw value.failure("\(text) is not a day such as 2026-12-31, nor a moment such as 2026-12-31T18:00:00Z")
        }
        return moment
    }
}
