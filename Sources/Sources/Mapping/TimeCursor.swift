/// Reads the pieces of a written time from left to right.
struct TimeCursor {
    var rest: ArraySlice<UInt8>

    /// One digit is enough where something follows that is no digit.
    func width(before next: TimeFormat.Element?) -> ClosedRange<Int> {
        switch next {
        case nil, .literal, .halfDay, .monthName, .offset, .rest: 1...2
        default: 2...2
        }
    }

    mutating func digits(_ width: ClosedRange<Int>) -> Int? {
        var number = 0
        var count = 0
        while count < width.upperBound, let byte = rest.first, (48...57).contains(byte) {
            number = number * 10 + Int(byte - 48)
            count += 1
            rest.removeFirst()
        }
        return count >= width.lowerBound ? number : nil
    }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard let byte = rest.first, UInt32(byte) == scalar.value else { return false }
        rest.removeFirst()
        return true
    }

    /// A literal byte; a blank stands for any number of blanks.
    mutating func take(literal byte: UInt8) -> Bool {
        guard byte == UInt8(ascii: " ") else {
            guard rest.first == byte else { return false }
            rest.removeFirst()
            return true
        }
        let count = rest.prefix { $0 == byte }.count
        rest.removeFirst(count)
        return count > 0
    }

    /// Microseconds from the digits after a decimal sign; those past the sixth are dropped.
    mutating func fraction() -> Int? {
        var number = 0
        var count = 0
        while count < 9, let byte = rest.first, (48...57).contains(byte) {
            if count < 6 { number = number * 10 + Int(byte - 48) }
            count += 1
            rest.removeFirst()
        }
        guard count > 0 else { return nil }
        for _ in min(count, 6)..<6 { number *= 10 }
        return number
    }

    /// Seconds east of UTC: `Z`, `+hh:mm`, `+hhmm`, `+hh`.
    mutating func offset() -> Int? {
        if take("Z") || take("z") { return 0 }
        let sign: Int
        if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
        guard let hours = digits(2...2), hours < 24 else { return nil }
        if take(":") {
            guard let minutes = digits(2...2), minutes < 60 else { return nil }
            return sign * (hours * 3600 + minutes * 60)
        }
        let minutes = digits(2...2) ?? 0
        return minutes < 60 ? sign * (hours * 3600 + minutes * 60) : nil
    }

    mutating func halfDay() -> Bool? {
        let letters = rest.prefix(2).map { $0 & 0xDF }
        guard letters.count == 2, letters[1] == UInt8(ascii: "M"),
            letters[0] == UInt8(ascii: "A") || letters[0] == UInt8(ascii: "P")
        else { return nil }
        rest.removeFirst(2)
        return letters[0] == UInt8(ascii: "P")
    }

    mutating func monthName() -> Int? {
        let letters = rest.prefix { (65...90).contains($0 & 0xDF) }
        let name = String(decoding: letters, as: UTF8.self).lowercased()
        guard name.utf8.count >= 3, let index = Self.monthNames.firstIndex(where: { $0 == name || $0.prefix(3) == name }) else {
            return nil
        }
        rest.removeFirst(letters.count)
        return index + 1
    }

    private static let monthNames = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
    ]
}
