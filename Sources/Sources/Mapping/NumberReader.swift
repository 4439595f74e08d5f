internal import CityModel

/// Reads numbers written with a decimal sign and a thousands separator of one's choice. Groups between thousands
/// separators must have three digits, so that `1.5` is not taken for fifteen where the dot separates thousands.
struct NumberReader {
    let format: NumberFormat

    /// The number as JSON: an integer when it is written without fraction and exponent and fits 64 bits, else a double.
    /// Nil when the text is no number.
    func json(_ text: ArraySlice<UInt8>) -> JSON? {
        var rest = text
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        var digits = Digits()
        guard wholePart(&rest, &digits) else { return nil }
        var isInteger = true
        if rest.first == format.decimalSeparator {
            isInteger = false
            rest.removeFirst()
            while let byte = rest.first, (48...57).contains(byte) {
                digits.append(byte, isFraction: true)
                rest.removeFirst()
            }
        }
        guard digits.count > 0 else { return nil }
        if let letter = rest.first, letter == UInt8(ascii: "e") || letter == UInt8(ascii: "E") {
            isInteger = false
            rest.removeFirst()
            guard let exponent = exponent(&rest) else { return nil }
            digits.exponent += exponent
        }
        guard rest.isEmpty else { return nil }
        if isInteger, let integer = digits.integer { return .integer(isNegative ? -integer : integer) }
        return digits.double.map { .number(isNegative ? -$0 : $0) }
    }

    func double(_ text: ArraySlice<UInt8>) -> Double? { json(text)?.doubleValue }

    /// Reads the digits before the decimal sign; false when thousands are grouped wrongly.
    private func wholePart(_ rest: inout ArraySlice<UInt8>, _ digits: inout Digits) -> Bool {
        var groupCount = 0
        var isGrouped = false
        while let byte = rest.first {
            if (48...57).contains(byte) {
                digits.append(byte, isFraction: false)
                groupCount += 1
                rest.removeFirst()
            } else if groupCount > 0, let width = separatorWidth(rest) {
                guard isGrouped ? groupCount == 3 : groupCount <= 3 else { return false }
                isGrouped = true
                groupCount = 0
                rest.removeFirst(width)
            } else {
                break
            }
        }
        return !isGrouped || groupCount == 3
    }

    /// How many bytes the thousands separator at the beginning of `rest` has; nil when there is none.
    private func separatorWidth(_ rest: ArraySlice<UInt8>) -> Int? {
        guard let separator = format.thousandsSeparator, let first = rest.first else { return nil }
        if first == separator { return 1 }
        guard separator == UInt8(ascii: " ") else { return nil }
        if rest.starts(with: Blank.nonBreaking) { return Blank.nonBreaking.count }
        if rest.starts(with: Blank.narrowNonBreaking) { return Blank.narrowNonBreaking.count }
        return nil
    }

    private func exponent(_ rest: inout ArraySlice<UInt8>) -> Int? {
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        var number = 0
        var count = 0
        while let byte = rest.first, (48...57).contains(byte) {
            number = min(number * 10 + Int(byte - 48), 10_000)
            count += 1
            rest.removeFirst()
        }
        return count > 0 ? (isNegative ? -number : number) : nil
    }
}

/// Decimal digits with the power of ten that belongs to them.
private struct Digits {
    var exponent = 0
    private(set) var count = 0
    private var mantissa: UInt64 = 0
    private var significantCount = 0
    /// All digits, kept once there are more than a 64-bit mantissa holds.
    private var overflow: [UInt8] = []

    mutating func append(_ byte: UInt8, isFraction: Bool) {
        count += 1
        if isFraction { exponent -= 1 }
        if significantCount == 0, byte == 48 { return }
        significantCount += 1
        if significantCount <= 18 {
            mantissa = mantissa * 10 + UInt64(byte - 48)
        } else {
            if overflow.isEmpty { overflow = Array(String(mantissa).utf8) }
            overflow.append(byte)
        }
    }

    var integer: Int64? {
        if overflow.isEmpty { return Int64(exactly: mantissa) }
        return Int64(String(decoding: overflow, as: UTF8.self))
    }

    /// Nil when it is too large for a double.
    var double: Double? {
        // Both operands are exact, so one division or multiplication rounds once and correctly.
        if overflow.isEmpty, mantissa <= 1 << 53, (-22...22).contains(exponent) {
            return exponent < 0 ? Double(mantissa) / Self.powers[-exponent] : Double(mantissa) * Self.powers[exponent]
        }
        let digits = overflow.isEmpty ? String(mantissa) : String(decoding: overflow, as: UTF8.self)
        guard let double = Double("\(digits)e\(exponent)"), double.isFinite else { return nil }
        return double
    }

    private static let powers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
        1e21, 1e22,
    ]
}

/// The blanks that tables put around and into fields.
enum Blank {
    static let nonBreaking: [UInt8] = [0xC2, 0xA0]
    static let narrowNonBreaking: [UInt8] = [0xE2, 0x80, 0xAF]

    /// `text` without blanks at its ends: ASCII spaces and controls, and non-breaking spaces.
    static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = text
        while let first = rest.first {
            if first <= 0x20 {
                rest.removeFirst()
            } else if first == 0xC2 || first == 0xE2,
                let blank = [nonBreaking, narrowNonBreaking].first(where: { rest.starts(with: $0) })
            {
                rest.removeFirst(blank.count)
            } else {
                break
            }
        }
        while let last = rest.last {
            if last <= 0x20 {
                rest.removeLast()
            } else if last == 0xA0, rest.dropLast().last == 0xC2 {
                rest.removeLast(2)
            } else if last == 0xAF, rest.suffix(3).elementsEqual(narrowNonBreaking) {
                rest.removeLast(3)
            } else {
                break
            }
        }
        return rest
    }
}
