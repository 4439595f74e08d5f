internal import Foundation

/// What texts from outside become before anything is made of them.
enum AnswerText {
    /// In normalization form C, line ends as `\n`, without blanks around it, and without characters that turn the direction of writing around: they make a
    /// text look like another. Marks that only say how a neighbour is written (U+200E, U+200F, U+061C) stay, since Arabic needs them.
    static func normalised(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        var last: Unicode.Scalar?
        for scalar in text.unicodeScalars where !turnsDirection(scalar) {
            if scalar == "\r" {
                scalars.append("\n")
            } else if !(scalar == "\n" && last == "\r") {
                scalars.append(scalar)
            }
            last = scalar
        }
        return trimmed(String(scalars).precomposedStringWithCanonicalMapping)
    }

    /// Embeddings, overrides and isolates (Unicode Standard Annex 9).
    static func turnsDirection(_ scalar: Unicode.Scalar) -> Bool { (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value) }

    /// Controls, but for line ends and tabs, and what is no character at all.
    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar != "\n" && scalar != "\t" && (scalar.properties.generalCategory == .control || scalar.properties.isNoncharacterCodePoint)
    }

    static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }), let last = scalars.lastIndex(where: { !$0.properties.isWhitespace }) else {
            return ""
        }
        return String(scalars[first...last])
    }

    static func oneLine(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0 == "\n" || $0 == "\t" || $0 == "\u{2028}" || $0 == "\u{2029}" ? " " : $0 }))
    }

    /// Digits as they are typed with an Arabic or Persian keyboard become those that the rest of the program knows.
    static func withASCIIDigits(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { scalar in
            switch scalar.value {
            case 0x660...0x669: Unicode.Scalar(UInt8(48 + scalar.value - 0x660))
            case 0x6F0...0x6F9: Unicode.Scalar(UInt8(48 + scalar.value - 0x6F0))
            default: scalar
            }
        }))
    }

    /// A number as people write it: a sign, digits with blanks between groups, and a decimal comma or point with digits after it; 18 digits at most.
    static func number(_ text: String) -> Double? {
        var plain = ""
        var (digitCount, hasMark) = (0, false)
        var last: Unicode.Scalar?
        for scalar in withASCIIDigits(text).unicodeScalars {
            switch scalar {
            case "0"..."9":
                plain.unicodeScalars.append(scalar)
                digitCount += 1
            case "-", "+", "\u{2212}":
                guard last == nil else { return nil }
                plain += scalar == "+" ? "" : "-"
            case ".", ",", "\u{66B}":
                guard !hasMark, last.map(isDigit) == true else { return nil }
                hasMark = true
                plain += "."
            case " ", "\u{A0}", "\u{202F}", "\u{2009}":
                guard !hasMark, last.map(isDigit) == true else { return nil }
            default: return nil
            }
            last = scalar
        }
        guard (1...18).contains(digitCount), last.map(isDigit) == true else { return nil }
        return Double(plain)
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { (48...57).contains(scalar.value) }
}

extension TextPattern {
    /// Whether a text of one line, without blanks around it, is like this.
    package func matches(_ text: String) -> Bool {
        switch self {
        case .email: Self.isEmail(text)
        case .telephone: Self.isSpelled(text, digits: 3...15, letters: 0...0, between: " .-()/", first: "+(")
        case .postalCode: Self.isSpelled(text, digits: 1...10, letters: 0...7, between: " -")
        case .licencePlate: Self.isSpelled(text, digits: 0...10, letters: 0...8, between: " -·")
        case .digits: !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) }
        }
    }

    /// Whether a text has so many digits and letters, and between them single signs.
    private static func isSpelled(_ text: String, digits: ClosedRange<Int>, letters: ClosedRange<Int>, between: String, first: String = "") -> Bool {
        var (digitCount, letterCount, signCount) = (0, 0, 0)
        for (index, scalar) in text.unicodeScalars.enumerated() {
            if (48...57).contains(scalar.value) {
                (digitCount, signCount) = (digitCount + 1, 0)
            } else if scalar.properties.isAlphabetic {
                (letterCount, signCount) = (letterCount + 1, 0)
            } else if index == 0, first.unicodeScalars.contains(scalar) {
                continue
            } else {
                signCount += 1
                // Two beside each other occur, as in `(0) 4`.
                guard index > 0, signCount <= 2, between.unicodeScalars.contains(scalar) else { return false }
            }
        }
        let endsWell = signCount == 0 || text.hasSuffix(")")
        return endsWell && digits.contains(digitCount) && letters.contains(letterCount) && digitCount + letterCount >= 2
    }

    /// A local part of RFC 5321's dot-string, and a name of two labels or more (RFC 1123); 254 bytes at most.
    private static func isEmail(_ text: String) -> Bool {
        let halves = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard halves.count == 2, text.utf8.count <= 254, (1...64).contains(halves[0].count) else { return false }
        let isAlphanumeric: (UInt8) -> Bool = { (48...57).contains($0) || (97...122).contains($0 | 0x20) }
        let words = halves[0].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let labels = halves[1].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return words.allSatisfy { !$0.isEmpty && $0.allSatisfy { isAlphanumeric($0) || "!#$%&'*+/=?^_`{|}~-".utf8.contains($0) } }
            && labels.count >= 2
            && labels.allSatisfy { label in
                (1...63).contains(label.count) && label.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
                    && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
            }
    }
}
