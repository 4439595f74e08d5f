internal import Declarations

/// Reads what those who follow a case are told.
struct NoticeParser {
    let texts: TextParser
    let steps: [ServiceStep]

    static let countMax = 50

    func notices(_ value: YAMLValue?) throws(DeclarationError) -> [NoticeOccasion: NoticeText] {
        var notices: [NoticeOccasion: NoticeText] = [:]
        for (name, inner) in try value?.members(countMax: Self.countMax) ?? [] {
            let part = try inner.part(keys: ServiceKeys.notice)
            notices[try occasion(name, inner)] = NoticeText(
                subject: try slotted(part.required("subject"), countMax: TextParser.titleCountMax),
                text: try slotted(part.required("text"), countMax: TextParser.noticeCountMax))
        }
        return notices
    }

    private func occasion(_ name: String, _ value: YAMLValue) throws(DeclarationError) -> NoticeOccasion {
        guard let occasion = NoticeOccasion(name) else {
            throw value.unknown("occasion", name, known: NoticeOccasion.plain.map(\.text) + steps.map { "step.\($0.id)" }, where: "of a notice")
        }
        if case .step(let id) = occasion, !steps.contains(where: { $0.id == id }) { throw value.unknown("step", id, known: steps.map(\.id)) }
        return occasion
    }

    private func slotted(_ value: YAMLValue, countMax: Int) throws(DeclarationError) -> LocalizedText {
        let text = try texts.text(value, countMax: countMax)
        for language in texts.languages {
            do throws(SlottedText.Fault) { _ = try SlottedText(text[language]) } catch {
                let place = texts.languages.count > 1 ? "\(language): " : ""
                switch error {
                case .unknownSlot(let slot):
                    let nearest = Spelling.nearest(to: slot, in: NoticeText.slots).map { "; the nearest is {\($0)}" } ?? ""
                    throw value.failure("\(place)there is no slot {\(slot)}\(nearest)")
                case .openBrace: throw value.failure("\(place)a brace { is not closed; \(NoticeText.slots.map { "{\($0)}" }.joined(separator: ", ")) can be put in")
                case .closingBrace: throw value.failure("\(place)a brace } closes none")
                }
            }
        }
        return text
    }
}
