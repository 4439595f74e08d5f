import CityModel
import Query
import Services

/// What a service comes to, for those who make it: its own texts in one language, what the program adds in English.
struct ServicePreview {
    let service: ServiceDefinition
    let language: String
    /// When the example begins.
    let moment: Instant

    var text: String {
        let parts = [head, form, departments, steps, targets, publication] + (service.notices.isEmpty ? [] : [notices])
        return parts.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
    }

    private var head: [String] {
        ["\(service.title[language]) (\(service.id))"] + [service.help, service.group].compactMap { $0?[language] }
    }

    // MARK: The form

    private var form: [String] { ["Form"] + service.fields.enumerated().flatMap { lines(of: $1, number: $0 + 1) } }

    private func lines(of field: ServiceField, number: Int) -> [String] {
        var lines = ["  \(number). \(field.label[language]) [\(notes(on: field).joined(separator: ", "))]"]
        if let help = field.help { lines.append("     \(help[language])") }
        if let asked = field.asked { lines.append("     asked if \(words(asked))") }
        if case .when(let condition) = field.required { lines.append("     required if \(words(condition))") }
        if case .choice(let choices, let several) = field.kind { lines += choices.map { "     \(several ? "[ ]" : "( )") \($0.label[language])" } }
        return lines
    }

    private func notes(on field: ServiceField) -> [String] {
        [words(field.kind)] + (field.required == .always ? ["required"] : []) + (field.isPublic && service.publication.when != .never ? ["public"] : [])
    }

    private func words(_ kind: ServiceField.Kind) -> String {
        switch kind {
        case .text(let lineCount, let countMax, let pattern):
            "text" + (pattern.map { " like a \($0.rawValue)" } ?? "") + (lineCount > 1 ? " of several lines" : "") + " up to \(countMax) characters"
        case .number(let range):
            (range.isWhole ? "whole number" : "number") + (range.minimum.map { " from \(Self.number($0))" } ?? "") + (range.maximum.map { " to \(Self.number($0))" } ?? "")
                + (range.unit.map { " \($0)" } ?? "")
        case .choice(_, let several): several ? "choice of several" : "choice"
        case .date(let range): range == .any ? "date" : "date in the \(range.rawValue)"
        case .place: "place"
        case .photo(let countMax): "up to \(countMax) photo\(countMax == 1 ? "" : "s")"
        case .file(let types, let countMax): "up to \(countMax) file\(countMax == 1 ? "" : "s") of \(types.joined(separator: " "))"
        case .consent(let purpose): "consent for \(purpose)"
        case .entity(let type, let metres): "\(type) within \(Self.number(metres)) m"
        }
    }

    private static func number(_ number: Double) -> String { number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)" }

    /// A condition as the form says it.
    private func words(_ condition: ServiceField.Condition) -> String {
        guard let field = service.field(condition.field), case .choice(let choices, _) = field.kind else { return condition.field }
        let answers = condition.values.map { value in choices.first { $0.id == value }?.label[language] ?? value }
        return "“\(field.label[language])” is “\(answers.joined(separator: "” or “"))”"
    }

    // MARK: What becomes of a case

    private var departments: [String] {
        ["Departments"] + service.departments.map { rule in
            let conditions = [rule.condition.map { "if \(words($0))" }, rule.districts.isEmpty ? nil : "in \(rule.districts.joined(separator: ", "))"].compactMap(\.self)
            return "  \(rule.department): \(conditions.isEmpty ? "all else" : conditions.joined(separator: ", "))"
        }
    }

    private var steps: [String] {
        var lines = ["Steps"]
        for step in service.steps {
            let notes = [step.phase.rawValue] + (step.isDone ? ["done"] : []) + (step.needsAnswer ? ["with an answer"] : [])
            let next = step.next.compactMap { service.step($0)?.title[language] }.joined(separator: ", ")
            lines.append("  \(step.title[language]) [\(notes.joined(separator: ", "))]" + (next.isEmpty ? "" : " → \(next)"))
        }
        if let reopening = service.reopening, let step = service.step(reopening.step) {
            lines.append("  reopened by the resident within \(reopening.withinDays) days → \(step.title[language])")
        }
        return lines
    }

    private var targets: [String] {
        guard !service.targets.isEmpty else { return ["Targets", "  none"] }
        let zone = CivilZone(service.calendar.zone) ?? .utc
        var lines = ["Targets", "  A report made at \(zone.text(moment)) would have to be"]
        for target in service.targets {
            let ends = [("answered", target.answer), ("closed", target.close)].compactMap { name, span in
                span.map { "\(name) by \(service.calendar.due(after: moment, $0).map(zone.text) ?? "a day that is more than 10 years ahead") (\($0))" }
            }
            lines.append("  - \(ends.joined(separator: ", ")): \(target.condition.map { "if \(words($0))" } ?? "all else")")
        }
        return lines
    }

    // MARK: What is shown, kept and told

    private var publication: [String] {
        let publication = service.publication, retention = service.retention
        func words(_ moment: ServicePublication.Moment) -> String {
            switch moment {
            case .atOnce: "at once"
            case .reviewed: "after a review"
            case .never: "never"
            }
        }
        let place =
            switch publication.place {
            case .exact: "exactly"
            case .rounded(let metres): "to \(Self.number(metres)) m"
            case .street: "to the street"
            case .hidden: "not at all"
            }
        func kept(_ days: Int?) -> String { days.map { "\($0) days after it was closed" } ?? "for good" }
        return [
            "Public and kept", "  public \(words(publication.when)); its place \(place); photos \(words(publication.photos))",
            "  who reported it is kept \(kept(retention.contactDays)), the case \(kept(retention.caseDays))",
        ]
    }

    private var notices: [String] {
        let order = NoticeOccasion.plain + service.steps.map { .step($0.id) }
        return ["Notices"] + order.flatMap { occasion -> [String] in
            guard let notice = service.notices[occasion] else { return [] }
            let filled = notice.filled(language: language, with: sample(occasion))
            return ["  \(occasion.text): \(filled.subject)"] + filled.text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : "      \($0)" }
        }
    }

    private func sample(_ occasion: NoticeOccasion) -> [String: String] {
        var step = service.steps.first
        if case .step(let id) = occasion { step = service.step(id) }
        return [
            "reference": "1234-5678", "service": service.title[language], "status": step?.title[language] ?? "", "answer": "(what the department writes)",
            "link": "https://city.example/case/1234-5678", "municipality": "(the municipality)",
        ]
    }
}
