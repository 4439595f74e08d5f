internal import Broker
internal import CityModel
internal import OrderedCollections
internal import Policy
internal import Store
internal import Trust

/// What is held about somebody, and what becomes of it, in words.
struct DataWords {
    let language: Language
    let clock: ClockText

    private func text(_ path: String, _ values: [String: String] = [:]) -> String { language.text("data." + path, values) }

    // MARK: What is held

    private static let factCountMax = 60

    /// - Parameter number: which on the page, for what names fields.
    func held(_ held: HeldEntity, number: Int) -> JSON {
        let type = held.types.first?.shortName ?? ""
        let name = language.name(held.entity.flatMap { Mark.name(of: $0) }, id: held.id.text, type: type)
        var about: String
        if let entity = held.entity {
            about = text("since", ["type": language.type(type), "time": entity.createdAt.map(clock.date) ?? ""])
            if let source = held.source { about += " " + text("from", ["source": source]) }
        } else if let deletedAt = held.deletedAt {
            about = text("gone", ["type": language.type(type), "time": clock.date(deletedAt)])
        } else {
            about = text("goneSometime", ["type": language.type(type)])
        }
        let shown = held.entity?.attributes.keys.filter { $0 != .dataSubject }.prefix(Self.factCountMax) ?? []
        return [
            "name": .string(name), "about": .string(about),
            "facts": .array(shown.enumerated().compactMap { index, attribute in fact(attribute, held, type, field: "value-\(number)-\(index)") }),
        ]
    }

    private func fact(_ name: IRI, _ held: HeldEntity, _ type: String, field: String) -> JSON? {
        guard let instance = held.entity?.instance(of: name) ?? held.entity?.attributes[name]?.first else { return nil }
        let values = ValueText(language: language, clock: clock)
        let shown = instance.kind.isRelationship ? language.list(instance.targets) : values.line(instance, of: name) ?? ""
        var members: JSONObject = ["label": .string(language.attribute(name.shortName, of: type)), "value": .string(shown)]
        if held.correctable.contains(name), instance.kind == .property, let kind = Self.kind(instance.value) {
            members["correct"] = [
                "summary": .string(text("correctOf", ["label": language.attribute(name.shortName, of: type)])), "id": .string(held.id.text),
                "attribute": .string(name.text), "kind": .string(kind), "field": .string(field),
                "now": .string(instance.value.stringValue ?? instance.value.description),
            ]
        }
        return .object(members)
    }

    /// Nil for what is no simple value.
    private static func kind(_ value: JSON) -> String? {
        switch value {
        case .string: "text"
        case .integer, .number: "number"
        case .bool: "bool"
        case .null, .array, .object: nil
        }
    }

    // MARK: Who may see it

    func onlooker(_ onlooker: Onlooker) -> String {
        let party = self.party(onlooker.party)
        var said =
            onlooker.purposes.isEmpty
            ? text("forAny", ["party": party])
            : text("forSome", ["party": party, "purposes": onlooker.purposes.map(purpose).joined(separator: "; ")])
        if let agreement = onlooker.agreement { said = text("byAgreement", ["text": said, "agreement": agreement]) }
        if onlooker.needsConsent { said = text("ifConsent", ["text": said]) }
        return said
    }

    /// A role in words; whom a rule names stays as the rule has it.
    private func party(_ name: String) -> String {
        let role = name == "operator" ? "data.parties.operatorRole" : name.hasPrefix("token-") ? "data.parties.\(name)" : "account.roleNames.\(name)"
        let word = name == "anonymous" ? "data.parties.anonymous" : role
        let said = language.text(word)
        return said == word ? name : said
    }

    /// A purpose of the list that every municipality begins with is said in the reader's language, others as they are declared.
    func purpose(_ purpose: Purposes.Purpose) -> String {
        let said = text("purposes.\(purpose.id)")
        return said == "data.purposes.\(purpose.id)" ? purpose.title : said
    }

    // MARK: Consents

    func consent(_ asked: AskedConsent) -> JSON {
        let title = purpose(asked.purpose)
        let isGiven = asked.current != nil
        return [
            "title": .string(title), "purpose": .string(asked.purpose.id), "reasons": .array(asked.reasons.map { ["text": .string($0)] }),
            "state": .string(asked.current.map { text("given", ["time": clock.dateTime($0.givenAt)]) } ?? text("notGiven")),
            "action": .string(isGiven ? "/account/data/withdrawal" : "/account/data/consent"), "style": .string(isGiven ? "secondary" : "primary"),
            "button": .string(text(isGiven ? "withdraw" : "give")), "label": .string(text(isGiven ? "withdrawFrom" : "giveTo", ["purpose": title])),
        ]
    }

    // MARK: Uses

    func use(_ use: RecordedUse) -> JSON {
        let time = clock.dateTime(use.at)
        let action = use.entry?["details"]?["action"]?.stringValue ?? "read"
        let count = use.entry?["details"]?["entities"]?.arrayValue?.count ?? 0
        let what = text(
            "whatUsed",
            [
                "action": text("actions.\(action)"), "purpose": purpose(of: use),
                "entries": language.text("data.entries", count: count),
            ])
        return [
            "who": .string(recipient(use.by)), "what": .string(what), "when": .string(text("when", ["time": time])),
            "proof": .string("/account/data/uses/\(use.position)/proof"), "proofLabel": .string(text("proofOf", ["time": time])),
        ]
    }

    private func purpose(of use: RecordedUse) -> String {
        guard let id = use.entry?["purpose"]?.stringValue else { return text("unstated") }
        switch id {
        case "not-stated": return text("unstated")
        case "administration": return text("administration")
        default:
            let said = text("purposes.\(id)")
            return said == "data.purposes.\(id)" ? id : said
        }
    }

    private func recipient(_ recipient: Recipient) -> String {
        switch recipient {
        case .account(let roles): text("parties.department", ["roles": language.list(roles.map(party))])
        case .token(let name): text("parties.token", ["name": name])
        case .operatorOnMachine: text("parties.operator")
        case .subject: text("parties.subject")
        case .anonymous: text("parties.anonymous")
        case .unknown: text("parties.unknown")
        }
    }
}
