/// A notice's text taken apart: what stands there, and what is put in between braces.
struct SlottedText: Hashable, Sendable {
    enum Part: Hashable, Sendable {
        case plain(String)
        case slot(String)
    }

    enum Fault: Error, Hashable {
        case unknownSlot(String)
        case openBrace, closingBrace
    }

    let parts: [Part]

    init(_ text: String) throws(Fault) {
        var parts: [Part] = []
        var rest = text[...]
        while let brace = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            guard rest[brace] == "{" else { throw .closingBrace }
            if brace > rest.startIndex { parts.append(.plain(String(rest[..<brace]))) }
            guard let end = rest[brace...].firstIndex(of: "}") else { throw .openBrace }
            let slot = String(rest[rest.index(after: brace)..<end])
            guard NoticeText.slots.contains(slot) else { throw .unknownSlot(slot) }
            parts.append(.slot(slot))
            rest = rest[rest.index(after: end)...]
        }
        if !rest.isEmpty { parts.append(.plain(String(rest))) }
        self.parts = parts
    }
}

extension NoticeText {
    /// The notice in a language. What is put in is put in as it is and looked at no more; in the subject, which is one line, line ends and other controls of it
    /// become blanks.
    /// - Parameter values: by slot; what is missing is left out.
    package func filled(language: String, with values: [String: String]) -> (subject: String, text: String) {
        let subject = Self.fill(subject[language], values).unicodeScalars.map { AnswerText.isControl($0) || $0 == "\n" || $0 == "\t" ? " " : $0 }
        return (String(String.UnicodeScalarView(subject)), Self.fill(text[language], values))
    }

    private static func fill(_ text: String, _ values: [String: String]) -> String {
        // The parser has read it before; a text that cannot be taken apart is told as it stands.
        guard let slotted = try? SlottedText(text) else { return text }
        return slotted.parts.map { part in
            switch part {
            case .plain(let text): text
            case .slot(let slot): values[slot] ?? ""
            }
        }.joined()
    }
}
