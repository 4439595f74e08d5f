internal import CityModel
internal import Foundation

extension IRI {
    /// What follows the last `/`, `#` or `:`; the whole when nothing does.
    var shortName: String {
        let last = text.split(whereSeparator: { $0 == "/" || $0 == "#" || $0 == ":" }).last.map(String.init) ?? text
        return PercentDecoded.text(last)
    }
}

private enum PercentDecoded {
    static func text(_ text: String) -> String { text.contains("%") ? text.removingPercentEncoding ?? text : text }
}

enum Words {
    /// A name of the data model as words: `availableSpotNumber` becomes "Available spot number".
    static func split(_ name: String) -> String {
        var words: [String] = []
        var word = ""
        let characters = Array(name)
        for (index, character) in characters.enumerated() {
            if character == "_" || character == "-" || character == " " || character == "." {
                if !word.isEmpty { words.append(word) }
                word = ""
                continue
            }
            let startsWord = character.isUppercase && index > 0
                && (characters[index - 1].isLowercase || characters[index - 1].isNumber
                    || (characters[index - 1].isUppercase && index + 1 < characters.count && characters[index + 1].isLowercase))
            if startsWord, !word.isEmpty {
                words.append(word)
                word = ""
            }
            word.append(character)
        }
        if !word.isEmpty { words.append(word) }
        let lowered = words.enumerated().map { index, word in
            word.count > 1 && word.allSatisfy({ $0.isUppercase || $0.isNumber }) ? word : word.lowercased()
        }.joined(separator: " ")
        return lowered.prefix(1).uppercased() + lowered.dropFirst()
    }

    /// Whether a text is several words in the manner of data models, `outOfService` or `bicycle_parking`, rather than somebody's text.
    static func areJoined(_ text: String) -> Bool {
        text.first?.isLowercase == true && text.allSatisfy { $0.isASCII && ($0.isLetter || $0 == "_") }
            && text.contains { $0 == "_" || $0.isUppercase }
    }

    /// A text for comparing names: without case and accents.
    static func folded(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { $0 < 0x80 }
        return isPlain ? text.lowercased() : text.folding(options: [.caseInsensitive, .diacriticInsensitive, .widthInsensitive], locale: nil)
    }
}
