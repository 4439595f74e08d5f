/// A digital service as a file declares it (`docs/services.md`): what is asked, who handles it, which way a case goes, how long that may take, what
/// becomes public and for how long anything is kept.
///
/// A case stays on the version of its definition that it began with.
package struct ServiceDefinition: Hashable, Sendable {
    package var id: ServiceCode
    package var title: LocalizedText
    package var help: LocalizedText?
    /// Under which services are listed together.
    package var group: LocalizedText?
    /// Other words that people search for it with.
    package var keywords: [String]
    /// In the order in which they are asked.
    package var fields: [ServiceField]
    /// The first that applies handles a case; the last one always applies.
    package var departments: [DepartmentRule]
    /// The first is the one that a case begins with.
    package var steps: [ServiceStep]
    /// The first that applies counts; none: there is no target.
    package var targets: [TargetRule]
    package var calendar: WorkingCalendar
    /// Nil: what is closed stays closed.
    package var reopening: Reopening?
    package var notices: [NoticeOccasion: NoticeText]
    package var publication: ServicePublication
    package var retention: ServiceRetention

    package init(
        id: ServiceCode, title: LocalizedText, help: LocalizedText? = nil, group: LocalizedText? = nil, keywords: [String] = [], fields: [ServiceField],
        departments: [DepartmentRule], steps: [ServiceStep], targets: [TargetRule] = [], calendar: WorkingCalendar, reopening: Reopening? = nil,
        notices: [NoticeOccasion: NoticeText] = [:], publication: ServicePublication, retention: ServiceRetention = .init()
    ) {
        (self.id, self.title, self.help, self.group, self.keywords, self.fields) = (id, title, help, group, keywords, fields)
        (self.departments, self.steps, self.targets, self.calendar, self.reopening) = (departments, steps, targets, calendar, reopening)
        (self.notices, self.publication, self.retention) = (notices, publication, retention)
    }

    package func field(_ id: String) -> ServiceField? { fields.first { $0.id == id } }
    package func step(_ id: String) -> ServiceStep? { steps.first { $0.id == id } }
    /// The field that says where it is; nil for services that are nowhere.
    package var placeField: ServiceField? { fields.first { if case .place = $0.kind { true } else { false } } }
}

/// A service's code: 1 to 40 characters of `a-z`, `0-9` and `-` (our profile of Open311 `service_code`).
package struct ServiceCode: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    package init?(_ text: String) {
        let allowed: (UInt8) -> Bool = { (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-") }
        guard (1...40).contains(text.utf8.count), text.utf8.allSatisfy(allowed) else { return nil }
        self.text = text
    }

    package var description: String { text }
}

/// A text in several languages, by their codes (`en`, `fr`, `es`, `ar` ...); never empty.
package struct LocalizedText: Hashable, Sendable {
    /// By language code.
    package let texts: [String: String]
    /// The language of the file's first text, which readers of none of them get where there is no English.
    package let first: String

    /// - Returns: nil without a text in `first`.
    package init?(_ texts: [String: String], first: String) {
        guard texts[first] != nil else { return nil }
        (self.texts, self.first) = (texts, first)
    }

    /// In one language alone.
    package init(_ text: String, language: String) { (texts, first) = ([language: text], language) }

    /// The first of the file, then the others by their codes.
    package var languages: [String] { [first] + texts.keys.filter { $0 != first }.sorted() }

    package subscript(language: String) -> String { texts[language] ?? texts["en"] ?? texts[first] ?? "" }
}

// MARK: What is asked

package struct ServiceField: Hashable, Sendable {
    /// 1 to 40 characters of `a-z`, `0-9` and `_`, a letter first; the `code` of an Open311 attribute, and part of an attribute's name.
    package let id: String
    package let label: LocalizedText
    package var help: LocalizedText?
    package let kind: Kind
    /// It is asked only where this holds; nil: always.
    package var asked: Condition?
    /// Where it is asked it has to be answered: always, or where this holds.
    package var required: Requirement
    /// Whether everybody may see the answer, once the case is public.
    package var isPublic: Bool

    package init(
        id: String, label: LocalizedText, help: LocalizedText? = nil, kind: Kind, asked: Condition? = nil, required: Requirement = .never, isPublic: Bool = false
    ) {
        (self.id, self.label, self.help, self.kind) = (id, label, help, kind)
        (self.asked, self.required, self.isPublic) = (asked, required, isPublic)
    }

    package enum Requirement: Hashable, Sendable {
        case never, always
        case when(Condition)
    }

    package enum Kind: Hashable, Sendable {
        /// - Parameter pattern: what the whole text has to be like, for texts of one line.
        case text(lineCount: Int, countMax: Int, pattern: TextPattern?)
        case number(Range)
        case choice([Choice], several: Bool)
        /// A civil date.
        case date(DateRange)
        /// Somewhere on the map. One field at most is of this kind.
        case place
        case photo(countMax: Int)
        case file(mediaTypes: [String], countMax: Int)
        /// A question that is answered with yes or not at all; the purpose in its short form, such as `dpv:OptimiseUserInterface`.
        case consent(purpose: String)
        /// One of the things there are: this lamp, this stop.
        /// - Parameter type: as the context of the definition's municipality knows it, such as `Streetlight`.
        /// - Parameter withinMetres: how far from the place it may be.
        case entity(type: String, withinMetres: Double)
    }

    package struct Range: Hashable, Sendable {
        package var minimum: Double?
        package var maximum: Double?
        package var isWhole: Bool
        /// A UN/CEFACT code.
        package var unit: String?
        package init(minimum: Double? = nil, maximum: Double? = nil, isWhole: Bool = false, unit: String? = nil) {
            (self.minimum, self.maximum, self.isWhole, self.unit) = (minimum, maximum, isWhole, unit)
        }
    }

    package struct Choice: Hashable, Sendable {
        package let id: String
        package let label: LocalizedText
        package init(id: String, label: LocalizedText) { (self.id, self.label) = (id, label) }
    }

    package enum DateRange: String, Hashable, Sendable, CaseIterable { case any, past, future }

    /// What another field's answer has to be: one of these texts (of a choice its identifiers).
    package struct Condition: Hashable, Sendable {
        package let field: String
        package let values: [String]
        package init(field: String, values: [String]) { (self.field, self.values) = (field, values) }
    }
}

/// What a text of one line has to be like: letters, digits and signs one after the other. Read from left to right once, so no text takes long.
package enum TextPattern: String, Hashable, Sendable, CaseIterable { case email, telephone, postalCode, licencePlate, digits }

// MARK: Who handles it, and how

package struct DepartmentRule: Hashable, Sendable {
    /// As the municipality calls it.
    package let department: String
    package var condition: ServiceField.Condition?
    /// In which districts, by their names; empty: everywhere.
    package var districts: [String]
    package init(department: String, condition: ServiceField.Condition? = nil, districts: [String] = []) {
        (self.department, self.condition, self.districts) = (department, condition, districts)
    }
}

package struct ServiceStep: Hashable, Sendable {
    /// What a case in this step is, to those who know no more than three: Open311 `open` is everything but closed.
    package enum Phase: String, Hashable, Sendable, CaseIterable { case open, working, closed }

    package let id: String
    package let title: LocalizedText
    package let phase: Phase
    /// Where a case may go from here, by identifiers of steps.
    package let next: [String]
    /// Whether whoever brings a case here has to say something to the resident.
    package let needsAnswer: Bool
    /// Whether a case that is closed here was done, not declined: figures of how fast count those.
    package let isDone: Bool

    package init(id: String, title: LocalizedText, phase: Phase, next: [String], needsAnswer: Bool = false, isDone: Bool = false) {
        (self.id, self.title, self.phase, self.next, self.needsAnswer, self.isDone) = (id, title, phase, next, needsAnswer, isDone)
    }
}

/// How long something may take, counted in the hours of a working calendar.
package enum WorkingSpan: Hashable, Sendable {
    case hours(Int)
    /// Until the end of the working day that many working days later.
    case days(Int)
}

extension WorkingSpan: CustomStringConvertible {
    /// As a file says it: `8 hours`, `1 day`.
    package var description: String {
        switch self {
        case .hours(let count): "\(count) hour\(count == 1 ? "" : "s")"
        case .days(let count): "\(count) day\(count == 1 ? "" : "s")"
        }
    }
}

package struct TargetRule: Hashable, Sendable {
    package var condition: ServiceField.Condition?
    /// Until somebody has said something or the case moved on.
    package var answer: WorkingSpan?
    /// Until it is closed.
    package var close: WorkingSpan?
    package init(condition: ServiceField.Condition? = nil, answer: WorkingSpan? = nil, close: WorkingSpan? = nil) {
        (self.condition, self.answer, self.close) = (condition, answer, close)
    }
}

package struct Reopening: Hashable, Sendable {
    /// For how long after a case was closed the resident may open it again.
    package let withinDays: Int
    /// The step that it goes to.
    package let step: String
    package init(withinDays: Int, step: String) { (self.withinDays, self.step) = (withinDays, step) }
}

// MARK: What is told, shown and kept

/// When somebody who follows a case is told something. The raw values are keys of the file, besides which stand `step.ID` for single steps.
package enum NoticeOccasion: Hashable, Sendable {
    case received, answered, transferred, merged, reopened
    case step(String)

    /// Those that every service has.
    package static let plain: [NoticeOccasion] = [.received, .answered, .transferred, .merged, .reopened]

    package var text: String {
        switch self {
        case .received: "received"
        case .answered: "answered"
        case .transferred: "transferred"
        case .merged: "merged"
        case .reopened: "reopened"
        case .step(let id): "step.\(id)"
        }
    }

    package init?(_ text: String) {
        switch text {
        case "received": self = .received
        case "answered": self = .answered
        case "transferred": self = .transferred
        case "merged": self = .merged
        case "reopened": self = .reopened
        default:
            guard text.hasPrefix("step."), text.utf8.count > 5 else { return nil }
            self = .step(String(text.dropFirst(5)))
        }
    }
}

/// A notice's text, with what is put in between braces.
package struct NoticeText: Hashable, Sendable {
    /// What may stand in braces.
    package static let slots = ["reference", "service", "status", "answer", "link", "municipality"]
    package let subject: LocalizedText
    package let text: LocalizedText
    package init(subject: LocalizedText, text: LocalizedText) { (self.subject, self.text) = (subject, text) }
}

package struct ServicePublication: Hashable, Sendable {
    package enum Moment: String, Hashable, Sendable, CaseIterable {
        case atOnce
        /// After somebody of the staff has looked at it.
        case reviewed
        case never
    }
    package enum Place: Hashable, Sendable {
        case exact
        /// Rounded to a square of so many metres.
        case rounded(metres: Double)
        /// As a stretch of the street that is nearest.
        case street
        case hidden
    }

    package var when: Moment
    package var place: Place
    package var photos: Moment
    package init(when: Moment = .reviewed, place: Place = .exact, photos: Moment = .reviewed) { (self.when, self.place, self.photos) = (when, place, photos) }
}

/// For how many days after a case was closed something of it is kept; nil: for good.
package struct ServiceRetention: Hashable, Sendable {
    /// Who reported it, and all that is not public.
    package var contactDays: Int?
    /// The case itself.
    package var caseDays: Int?
    package init(contactDays: Int? = nil, caseDays: Int? = nil) { (self.contactDays, self.caseDays) = (contactDays, caseDays) }
}
