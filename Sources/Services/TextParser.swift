internal import Declarations

/// Reads texts in the languages that the service's title has, and no others: a form half of which is in another language helps nobody.
struct TextParser {
    /// In the order of the title.
    let languages: [String]

    static let titleCountMax = 120, labelCountMax = 300, helpCountMax = 2000, noticeCountMax = 5000, nameCountMax = 120, languageCountMax = 40

    init(languagesOf title: YAMLValue) throws(DeclarationError) {
        guard title.isMapping else {
            languages = ["en"]
            return
        }
        var languages: [String] = []
        for (code, value) in try title.members(countMax: Self.languageCountMax) {
            guard Self.isLanguage(code) else { throw value.failure("\(code) is not the code of a language, such as en, fr or pt-BR") }
            languages.append(code)
        }
        guard !languages.isEmpty else { throw title.failure("a text, or texts by language such as {en: Pothole, fr: Nid-de-poule}, are needed here") }
        self.languages = languages
    }

    /// Two or three small letters, then perhaps a hyphen and two to eight letters or digits (RFC 5646, a language with one subtag).
    private static func isLanguage(_ code: String) -> Bool {
        let parts = code.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        let isLetter: (UInt8) -> Bool = { (97...122).contains($0 | 0x20) }
        guard let first = parts.first, (2...3).contains(first.count), first.allSatisfy({ (97...122).contains($0) }), parts.count <= 2 else { return false }
        return parts.dropFirst().allSatisfy { (2...8).contains($0.count) && $0.allSatisfy { isLetter($0) || (48...57).contains($0) } }
    }

    func text(_ value: YAMLValue?, countMax: Int) throws(DeclarationError) -> LocalizedText? {
        guard let value else { return nil }
        return try text(value, countMax: countMax) as LocalizedText
    }

    /// A text for each language; one text by itself is in the only language there is.
    func text(_ value: YAMLValue, countMax: Int) throws(DeclarationError) -> LocalizedText {
        var texts: [String: String] = [:]
        if value.isMapping {
            for (code, inner) in try value.members(countMax: Self.languageCountMax) {
                guard languages.contains(code) else {
                    throw inner.failure("the title is not in the language \(code), only in \(languages.joined(separator: ", "))")
                }
                texts[code] = try Self.checked(inner, countMax: countMax)
            }
        } else {
            texts["en"] = try Self.checked(value, countMax: countMax)
        }
        if let missing = languages.first(where: { texts[$0] == nil }) {
            throw value.failure("the text in the language \(missing) is missing: the title is in \(languages.joined(separator: ", "))")
        }
        guard texts.count == languages.count, let text = LocalizedText(texts, first: languages[0]) else {
            throw value.failure("texts in \(languages.joined(separator: ", ")) are needed here")
        }
        return text
    }

    /// The name of a department, a district, a unit ...: one line.
    static func name(_ value: YAMLValue) throws(DeclarationError) -> String {
        let text = try checked(value, countMax: nameCountMax)
        guard !text.contains("\n") else { throw value.failure("one line is needed here") }
        return text
    }

    /// Without blanks and line ends around it.
    private static func checked(_ value: YAMLValue, countMax: Int) throws(DeclarationError) -> String {
        let text = AnswerText.trimmed(try value.text())
        guard !text.isEmpty else { throw value.failure("the text is empty") }
        guard text.unicodeScalars.count <= countMax else { throw value.failure("the text has more than \(countMax) characters") }
        guard !text.unicodeScalars.contains(where: { AnswerText.isControl($0) || AnswerText.turnsDirection($0) }) else {
            throw value.failure("the text has characters that cannot be seen")
        }
        return text
    }

    /// 1 to 40 characters of `a-z`, `0-9` and `_`, a letter first.
    static func identifier(_ value: YAMLValue) throws(DeclarationError) -> String {
        let text = try value.text()
        let isLetter: (UInt8) -> Bool = { (97...122).contains($0) }
        guard (1...40).contains(text.utf8.count), text.utf8.first.map(isLetter) == true,
            text.utf8.allSatisfy({ isLetter($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") })
        else { throw value.failure("1 to 40 characters of a-z, 0-9 and _ are needed here, a letter first") }
        return text
    }
}

/// Reads when something applies: by the answer to a question.
struct ConditionParser {
    /// The fields that may be asked about.
    let known: [ServiceField]
    /// How the error says where they are.
    let place: String

    init(known: [ServiceField], where place: String) { (self.known, self.place) = (known, place) }

    func condition(_ value: YAMLValue) throws(DeclarationError) -> ServiceField.Condition {
        let part = try value.part(keys: ServiceKeys.condition)
        let (name, answers) = (try part.required("field"), try part.required("is"))
        let id = try name.text()
        guard let field = known.first(where: { $0.id == id }) else { throw name.unknown("field", id, known: known.map(\.id), where: place) }
        guard case .choice(let choices, _) = field.kind else { throw name.failure("\(id) is not a choice; only answers to choices can be asked about") }
        var values: [String] = []
        for element in try answers.elements(countMax: choices.count) {
            let answer = try element.text()
            guard choices.contains(where: { $0.id == answer }) else {
                throw element.unknown("choice", answer, known: choices.map(\.id), where: "of \(id)")
            }
            values.append(answer)
        }
        guard !values.isEmpty else { throw answers.failure("the list is empty, so that this would never hold") }
        return .init(field: id, values: values)
    }
}

/// Reads lengths of time as people write them.
enum Span {
    static let workingHours = 1...2000, workingDays = 1...500, keptDays = 1...36_500

    /// `8 hours`, `3 days`.
    static func working(_ value: YAMLValue) throws(DeclarationError) -> WorkingSpan {
        switch try split(value) {
        case (let count, "hour")? where workingHours.contains(count): return .hours(count)
        case (let count, "day")? where workingDays.contains(count): return .days(count)
        default:
            throw value.failure("working time such as 8 hours or 3 days is needed here (1 to \(workingHours.upperBound) hours, 1 to \(workingDays.upperBound) days)")
        }
    }

    /// `14 days`, `6 weeks`, `6 months`, `5 years` in days: a month has 30 and a year 365.
    static func days(_ value: YAMLValue) throws(DeclarationError) -> Int {
        let lengths = ["day": 1, "week": 7, "month": 30, "year": 365]
        guard let (count, unit) = try split(value), let length = lengths[unit], keptDays.contains(count), keptDays.contains(count * length) else {
            throw value.failure("a time such as 14 days, 6 weeks, 6 months or 5 years is needed here, at most 100 years")
        }
        return count * length
    }

    /// A number and a unit without its `s`.
    private static func split(_ value: YAMLValue) throws(DeclarationError) -> (count: Int, unit: String)? {
        let words = try value.text().split(separator: " ")
        guard words.count == 2, words[0].utf8.count <= 6, let count = Int(words[0]) else { return nil }
        return (count, words[1].hasSuffix("s") ? String(words[1].dropLast()) : String(words[1]))
    }
}
