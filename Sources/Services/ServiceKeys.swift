/// The keys that each part of a service's file may have. The published schema (`docs/schemas/service.schema.json`) has one `$defs` entry for each
/// part, and a test holds the two together.
package enum ServiceKeys {
    static let service = [
        "id", "title", "help", "group", "keywords", "fields", "departments", "steps", "targets", "calendar", "reopen", "notices", "public", "retention",
    ]
    static let condition = ["field", "is"]
    static let choice = ["id", "label"]
    static let department = ["department", "when", "districts"]
    static let step = ["id", "title", "phase", "next", "needsAnswer", "done"]
    static let target = ["when", "answer", "close"]
    static let calendar = ["zone", "hours", "holidays"]
    static let hours = ["weekdays"] + WorkingCalendar.Weekday.allCases.map(\.rawValue)
    static let reopen = ["within", "step"]
    static let notice = ["subject", "text"]
    static let publication = ["when", "place", "photos"]
    static let roundTo = ["roundTo"]
    static let retention = ["contact", "case"]

    /// What a field is: the words of its key `type`.
    package enum FieldType: String, CaseIterable {
        case text, number, choice, date, place, photo, file, consent, entity

        /// The keys of a field of this type.
        var keys: [String] {
            let common = ["id", "label", "help", "type", "asked", "required"]
            return switch self {
            case .text: common + ["public", "lines", "maxLength", "pattern"]
            case .number: common + ["public", "min", "max", "whole", "unit"]
            case .choice: common + ["public", "choices", "several"]
            case .date: common + ["public", "when"]
            case .place: common
            case .photo: common + ["maxCount"]
            case .file: common + ["maxCount", "mediaTypes"]
            case .consent: common + ["purpose"]
            case .entity: common + ["public", "entityType", "withinMetres"]
            }
        }
    }

    /// By the name of the schema's `$defs` entry.
    package static let all: [String: [String]] = {
        var all = [
            "service": service, "condition": condition, "choice": choice, "department": department, "step": step, "target": target, "calendar": calendar,
            "hours": hours, "reopen": reopen, "notice": notice, "public": publication, "roundTo": roundTo, "retention": retention,
        ]
        for type in FieldType.allCases { all[type.rawValue + "Field"] = type.keys }
        return all
    }()
}
