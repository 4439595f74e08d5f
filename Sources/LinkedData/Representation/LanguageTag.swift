/// Language tags (RFC 5646) as keys of a language map.
enum LanguageTag {
    /// Whether `text` is `@none` or has the shape of a tag: letters and digits in groups of one to eight, joined by `-`,
    /// the first of letters only.
    static func isWellFormed(_ text: String) -> Bool {
        if text == "@none" { return true }
        let subtags = text.split(separator: "-", omittingEmptySubsequences: false)
        guard let first = subtags.first, first.utf8.allSatisfy({ isLetter($0) }) else { return false }
        return subtags.allSatisfy { subtag in
            (1...8).contains(subtag.utf8.count) && subtag.utf8.allSatisfy { isLetter($0) || (48...57).contains($0) }
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }
}
