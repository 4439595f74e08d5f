internal import Cases
internal import CityModel
internal import OrderedCollections
internal import Services
internal import Store

/// A case as the pages' templates show it.
struct CaseModel {
    let shown: ShownCase
    let language: Language
    let clock: ClockText
    /// Whether it is shown to whoever reported it, with all that they said.
    let isPrivate: Bool
    /// Whether it is shown to staff, with what they noted.
    var showsNotes = false

    private var definition: ServiceDefinition { shown.service.definition }
    private var code: String { language.code }

    func members(_ events: [CaseEvent], photoQuery: String) -> JSONObject {
        let (request, dossier) = (shown.request, isPrivate ? shown.dossier : nil)
        let title = definition.title[code]
        let photos = shown.attachments.filter { $0.mediaType == "image/jpeg" }.map { photo($0, photoQuery) }
        let answers = answers(dossier)
        return [
            "title": .string("\(title) \(shown.reference.shown)"), "heading": .string(title), "reference": .string(shown.reference.shown),
            "address": (dossier?.text(CaseTerm.address) ?? request.text(CaseTerm.address)).map(JSON.string) ?? .null,
            "status": .string(request.text(CaseTerm.status) ?? ""), "step": .string(step(request.text(CaseTerm.step) ?? "")), "due": due,
            "description": (dossier?.text(CaseTerm.description) ?? request.text(CaseTerm.description)).map(JSON.string) ?? .null,
            "answers": .array(answers), "hasAnswers": .bool(!answers.isEmpty), "photos": .array(photos), "hasPhotos": .bool(!photos.isEmpty),
            "events": .array(events.compactMap(event)),
        ]
    }

    /// By when it is to be closed, as long as it is not.
    private var due: JSON {
        guard !shown.isClosed, let due = shown.request.moment(CaseTerm.expectedAt) else { return .null }
        return .string(language.text("case.due", ["day": clock.date(due)]))
    }

    func step(_ id: String) -> String { definition.step(id)?.title[code] ?? language.text("case.steps.\(id)") }

    private func photo(_ attachment: Attachment, _ query: String) -> JSON {
        let address = "/attachments/\(attachment.id)?\(query)"
        return ["href": .string(address), "small": .string(address + "&small=1"), "label": .string(language.text("case.photoOf", ["time": clock.dateTime(attachment.createdAt)]))]
    }

    private func answers(_ dossier: Entity?) -> [JSON] {
        let known = (shown.request.instance(of: CaseTerm.answers)?.value.objectValue ?? [:]).merging(
            dossier?.instance(of: CaseTerm.answers)?.value.objectValue ?? [:], uniquingKeysWith: { first, _ in first })
        return definition.fields.compactMap { field in
            known[field.id].map { ["label": .string(field.label[code]), "value": .string(words($0, field))] }
        }
    }

    private func words(_ value: JSON, _ field: ServiceField) -> String {
        switch value {
        case .bool: language.text("case.yes")
        case .array(let elements):
            elements.compactMap(\.stringValue).map { id in
                guard case .choice(let choices, _) = field.kind else { return id }
                return choices.first { $0.id == id }?.label[code] ?? id
            }.joined(separator: ", ")
        default: value.stringValue ?? value.doubleValue.map { language.number($0) } ?? ""
        }
    }

    /// Notes are for staff; what the resident said is theirs.
    func event(_ event: CaseEvent) -> JSON? {
        func json(_ kind: String, _ text: String, who: String? = nil) -> JSON {
            [
                "kind": .string(kind), "iso": .string(event.at.description), "when": .string(clock.dateTime(event.at)), "text": .string(text),
                "isSaid": .bool(who != nil), "who": .string(who ?? ""),
            ]
        }
        switch event.kind {
        case .step(let id): return json("step", step(id))
        case .answer(let text): return json("answer", text, who: language.text("case.city"))
        case .department(let name): return json("department", language.text("case.department", ["department": name]))
        case .note(let text, "resident"):
            return isPrivate ? json("resident", text, who: language.text(showsNotes ? "case.resident" : "case.you")) : nil
        case .note(let text, _): return showsNotes ? json("note", text, who: language.text("case.note")) : nil
        }
    }

    static func words(_ fault: CaseFault, _ language: Language) -> String {
        func text(_ name: String, _ values: [String: String] = [:]) -> String { language.text("case.faults.\(name)", values) }
        return switch fault {
        case .noSuchStep: text("noSuchStep")
        case .answerMissing: text("answerMissing")
        case .tooLong(_, let countMax): text("tooLong", ["number": language.count(countMax)])
        case .tooManyAttachments(let countMax): text("tooManyAttachments", ["number": language.count(countMax)])
        case .notReopenable: text("notReopenable")
        case .notClosed: text("notClosed")
        case .isMerged: text("isMerged")
        case .sameCase: text("sameCase")
        case .tooManyFollowers: text("tooManyFollowers")
        case .linkIsOver: text("linkIsOver")
        case .notWithheld: text("notWithheld")
        case .invalidRating: text("invalidRating")
        case .nothingSaid: text("nothingSaid")
        }
    }
}

extension Language {
    /// A text by its path; nil when the file has none.
    func known(_ path: String) -> String? {
        let text = text(path)
        return text == path ? nil : text
    }
}
