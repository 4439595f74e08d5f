package import CityModel
package import Query

/// The answers to a service's questions, checked: each is to a question that is asked, and of its kind.
package struct ServiceAnswers: Hashable, Sendable {
    package enum Answer: Hashable, Sendable {
        /// In normalization form C, without blanks around it and without what turns the direction of writing around.
        case text(String)
        case number(Double)
        /// Identifiers in the order of the definition; never empty.
        case choices([String])
        case date(CivilDay)
        case place(Place)
        /// Somebody has said yes; there is no other answer.
        case consent
        case entity(IRI)
        /// So many photos or files came with it; they are checked elsewhere.
        case uploads(Int)
    }

    /// Where something is, as somebody said; one of both at least is there.
    package struct Place: Hashable, Sendable {
        package struct Coordinates: Hashable, Sendable {
            /// -90...90 and -180...180 degrees.
            package let latitude: Double
            package let longitude: Double
            package init(latitude: Double, longitude: Double) { (self.latitude, self.longitude) = (latitude, longitude) }
        }

        package let coordinates: Coordinates?
        package let address: String?

        package init?(coordinates: Coordinates?, address: String?) {
            guard coordinates != nil || address != nil else { return nil }
            (self.coordinates, self.address) = (coordinates, address)
        }
    }

    /// By the field's identifier.
    package var byField: [String: Answer]

    package init(_ byField: [String: Answer] = [:]) { self.byField = byField }

    package subscript(field: String) -> Answer? { byField[field] }

    package func meets(_ condition: ServiceField.Condition) -> Bool {
        guard case .choices(let chosen) = byField[condition.field] else { return false }
        return chosen.contains { condition.values.contains($0) }
    }
}

/// What is wrong with an answer.
package struct AnswerFault: Error, Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        case missing, notANumber, notWhole, unknownChoice, notADate, notAPlace, notAnIdentifier
        case below(Double), above(Double)
        /// The day has to be today or before; today or later.
        case notPast, notFuture
        /// In code points.
        case tooLong(countMax: Int)
        case tooMany(countMax: Int)
        case pattern(TextPattern)
        /// A control character other than line end and tab.
        case controlCharacter
        case unknownField
    }

    package let field: String
    package let reason: Reason
    package init(field: String, reason: Reason) { (self.field, self.reason) = (field, reason) }
}

/// All that is wrong with some answers, in the order of the questions; what is no question of the service comes last. Never empty.
package struct AnswerFaults: Error, Hashable, Sendable {
    package let faults: [AnswerFault]
}

extension ServiceDefinition {
    /// The longest address that somebody may give, in code points.
    package static let addressCountMax = 300

    /// Reads the answers of a form, or of a request's `attribute[code]`. Questions that are not asked after what was answered before are left out with
    /// what was said to them; empty texts count as no answer.
    /// - Parameters:
    ///   - texts: by field; several for choices of several, for a place `latitude,longitude` and an address, one or both.
    ///   - uploads: how many photos or files came for each field.
    ///   - today: the civil day where the municipality is.
    package func answers(
        to texts: [String: [String]], uploads: [String: Int] = [:], today: CivilDay
    ) throws(AnswerFaults) -> ServiceAnswers {
        var answers = ServiceAnswers()
        var faults: [AnswerFault] = []
        for field in fields where field.asked.map(answers.meets) ?? true {
            do throws(AnswerReader.Fault) {
                let reader = AnswerReader(kind: field.kind, today: today)
                let answer = try field.isUploaded ? reader.uploads(uploads[field.id] ?? 0) : reader.answer(texts[field.id] ?? [])
                answers.byField[field.id] = answer
                let isRequired =
                    switch field.required {
                    case .never: false
                    case .always: true
                    case .when(let condition): answers.meets(condition)
                    }
                if answer == nil, isRequired { faults.append(.init(field: field.id, reason: .missing)) }
            } catch {
                faults.append(.init(field: field.id, reason: error.reason))
            }
        }
        let known = Set(fields.map(\.id))
        faults += Set(texts.keys).union(uploads.keys).subtracting(known).sorted().map { AnswerFault(field: $0, reason: .unknownField) }
        guard faults.isEmpty else { throw AnswerFaults(faults: faults) }
        return answers
    }
}

extension ServiceField {
    /// Whether it is answered with photos or files.
    package var isUploaded: Bool {
        switch kind {
        case .photo, .file: true
        case .text, .number, .choice, .date, .place, .consent, .entity: false
        }
    }
}

extension ServiceDefinition {
    /// One answer by itself, whatever is asked besides; nil where it is none to this question.
    package func answer(to field: ServiceField, _ texts: [String], today: CivilDay) -> ServiceAnswers.Answer? {
        try? AnswerReader(kind: field.kind, today: today).answer(texts)
    }
}
