internal import Cases
internal import CityModel
internal import Door
internal import OrderedCollections
internal import Services

/// A report as it was typed: kept as it is, so that a form that is shown again lacks nothing.
struct TypedReport {
    /// By field; of places see below.
    var texts: [String: [String]] = [:]
    var place: (latitude: String, longitude: String, address: String) = ("", "", "")
    /// The place among those with the typed name that somebody chose: `longitude,latitude`.
    var candidate: String?
    var contact: (name: String, email: String, telephone: String) = ("", "", "")
    /// Whether somebody has seen the reports nearby and means another thing.
    var isConfirmed = false
    var formToken: String
    var uploads: [String: [MultipartForm.Part]] = [:]

    static let prefix = "f."
    private static let tokenCounts = 16...64

    /// An empty form.
    init(formToken: String) { self.formToken = formToken }

    init(_ form: MultipartForm, _ definition: ServiceDefinition) throws(CityError) {
        let token = form["form"] ?? ""
        guard Self.tokenCounts.contains(token.utf8.count), token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .badRequestData("form: its name is missing; load the page again")
        }
        formToken = token
        for field in definition.fields {
            let name = Self.prefix + field.id
            switch field.kind {
            case .photo, .file: uploads[field.id] = form.files(name)
            case .place:
                place = (form[name + ".lat"] ?? "", form[name + ".lon"] ?? "", form[name + ".address"] ?? "")
                candidate = form[name + ".candidate"]
            default: texts[field.id] = form.texts(name)
            }
        }
        contact = (form["contact.name"] ?? "", form["contact.email"] ?? "", form["contact.telephone"] ?? "")
        isConfirmed = form["confirmed"] == "yes"
    }

    /// What was typed, for the definition to read.
    func texts(_ definition: ServiceDefinition) -> [String: [String]] {
        var texts = texts
        guard let field = definition.placeField else { return texts }
        var parts: [String] = []
        if let candidate, !candidate.isEmpty {
            let sides = candidate.split(separator: ",")
            if sides.count == 2 { parts.append("\(sides[1]),\(sides[0])") }
        } else if !place.latitude.isEmpty || !place.longitude.isEmpty { parts.append("\(place.latitude.replacing(",", with: ".")),\(place.longitude.replacing(",", with: "."))") }
        if !place.address.isEmpty { parts.append(place.address) }
        texts[field.id] = parts
        return texts
    }
}

/// What stands beside a form that is shown again.
struct ReportRemarks {
    var faults: [AnswerFault] = []
    /// Photos and files that can't be taken, and a place that is another municipality's, by field.
    var otherFaults: [String: String] = [:]
    var emailFault: String?
    /// Those that were sent and are kept in the page.
    var kept: [String: [NewAttachment]] = [:]
    var candidates: [FoundPlace] = []
    var duplicates: [Entity] = []
    var near: [FoundMark] = []

    var isFaulty: Bool { !faults.isEmpty || !otherFaults.isEmpty || emailFault != nil }
}

/// A service's questions as the page's template shows them.
struct ReportFormModel {
    let definition: ServiceDefinition
    let typed: TypedReport
    let remarks: ReportRemarks
    let language: Language

    private var code: String { language.code }

    var fields: JSON { .array(definition.fields.map(field)) }

    /// All that is wrong, with where it stands, for the head of the form.
    var faults: JSON {
        var faults: [JSON] = definition.fields.compactMap { field in
            fault(field).map { ["target": .string(target(field)), "label": .string(field.label[code]), "text": .string($0)] }
        }
        if let email = remarks.emailFault { faults.append(["target": "contact-email", "label": .string(language.text("report.email")), "text": .string(email)]) }
        return .array(faults)
    }

    private func target(_ field: ServiceField) -> String { "q-\(field.id)" }

    func fault(_ field: ServiceField) -> String? {
        if let text = remarks.otherFaults[field.id] { return text }
        return remarks.faults.first { $0.field == field.id }.map { words($0.reason, field) }
    }

    private func field(_ field: ServiceField) -> JSON {
        let (target, fault) = (target(field), fault(field))
        var members: JSONObject = [
            "id": .string(field.id), "target": .string(target), "name": .string(TypedReport.prefix + field.id), "label": .string(field.label[code]),
            // What is not there is false: what is missing would be looked for around it.
            "help": field.help.map { .string($0[code]) } ?? false, "fault": fault.map(JSON.string) ?? false, "askedField": false, "optional": .bool(field.required == .never),
            "describedBy": .string([field.help == nil ? nil : "\(target)-help", fault == nil ? nil : "\(target)-fault"].compactMap { $0 }.joined(separator: " ")),
        ]
        if let asked = field.asked {
            members["askedField"] = .string(asked.field)
            members["askedValues"] = .string(asked.values.joined(separator: " "))
        }
        for (name, value) in parts(field) { members[name] = value }
        return .object(members)
    }

    private func parts(_ field: ServiceField) -> JSONObject {
        let (values, value) = (typed.texts[field.id] ?? [], typed.texts[field.id]?.first ?? "")
        switch field.kind {
        case .text(let lineCount, let countMax, let pattern):
            if lineCount > 1 { return ["isLong": true, "rows": .integer(Int64(min(lineCount, 12))), "countMax": .integer(Int64(countMax)), "value": .string(value)] }
            return [
                "isText": true, "inputType": .string(pattern == .email ? "email" : pattern == .telephone ? "tel" : "text"),
                "inputMode": .string(pattern == .digits ? "numeric" : pattern == .email ? "email" : pattern == .telephone ? "tel" : "text"),
                "countMax": .integer(Int64(countMax)), "value": .string(value),
            ]
        case .number: return ["isText": true, "inputType": "text", "inputMode": "decimal", "countMax": 40, "value": .string(value)]
        case .date: return ["isText": true, "inputType": "date", "inputMode": "text", "countMax": 10, "value": .string(value)]
        case .choice(let choices, let several):
            return [
                "isChoice": true,
                "choices": .array(
                    choices.map {
                        [
                            "key": .string($0.id), "label": .string($0.label[code]), "selected": .bool(values.contains($0.id)),
                            "choiceType": .string(several ? "checkbox" : "radio"), "name": .string(TypedReport.prefix + field.id),
                        ]
                    }),
            ]
        case .consent: return ["isConsent": true, "selected": .bool(!value.isEmpty)]
        case .place: return place
        case .entity(let type, _):
            return [
                "isEntity": true, "value": .string(value), "entityType": .string(type),
                "near": .array(remarks.near.map { ["key": .string($0.mark.id), "label": .string($0.mark.name ?? "")] }),
            ]
        case .photo(let countMax): return uploads(field, accept: "image/*", several: countMax > 1, isPhoto: true)
        case .file(let mediaTypes, let countMax): return uploads(field, accept: mediaTypes.joined(separator: ","), several: countMax > 1, isPhoto: false)
        }
    }

    private var place: JSONObject {
        var members: JSONObject = [
            "isPlace": true, "latitude": .string(typed.place.latitude), "longitude": .string(typed.place.longitude), "address": .string(typed.place.address),
        ]
        if !remarks.candidates.isEmpty {
            members["candidates"] = [
                "list": .array(
                    remarks.candidates.map { ["key": .string("\($0.position.longitude),\($0.position.latitude)"), "label": .string($0.label)] })
            ]
        }
        return members
    }

    private func uploads(_ field: ServiceField, accept: String, several: Bool, isPhoto: Bool) -> JSONObject {
        let kept = (remarks.kept[field.id] ?? []).map { attachment -> JSON in
            let bytes = Base64Text.encode(attachment.bytes)
            return [
                "bytes": .string("\(attachment.mediaType);\(attachment.name.replacing(";", with: " "));\(bytes)"),
                "picture": attachment.small.map { .string("data:image/jpeg;base64,\(Base64Text.encode($0))") } ?? .null,
                "label": .string(attachment.name.isEmpty ? language.text("report.keptPhoto") : attachment.name),
            ]
        }
        return ["isFiles": true, "accept": .string(accept), "several": .bool(several), "isPhoto": .bool(isPhoto), "kept": .array(kept)]
    }

    /// What is wrong with an answer, in words.
    private func words(_ reason: AnswerFault.Reason, _ field: ServiceField) -> String {
        func text(_ name: String, _ values: [String: String] = [:]) -> String { language.text("report.reasons.\(name)", values) }
        return switch reason {
        case .missing: text("missing")
        case .notANumber: text("notANumber")
        case .notWhole: text("notWhole")
        case .unknownChoice: text("unknownChoice")
        case .notADate: text("notADate")
        case .notAPlace: text("notAPlace")
        case .notAnIdentifier: text("notAnIdentifier")
        case .below(let minimum): text("below", ["number": language.number(minimum)])
        case .above(let maximum): text("above", ["number": language.number(maximum)])
        case .notPast: text("notPast")
        case .notFuture: text("notFuture")
        case .tooLong(let countMax): text("tooLong", ["number": language.count(countMax)])
        case .tooMany(let countMax): text("tooMany", ["number": language.count(countMax)])
        case .pattern(let pattern): text("pattern.\(pattern.rawValue)")
        case .controlCharacter: text("controlCharacter")
        case .unknownField: text("unknownField")
        }
    }
}
