/// A page for terminals, put together line by line: plain UTF-8, within 72 columns but for what has to stay whole to be copied. Nothing in it speaks to the
/// terminal: whatever characters come in, controls do not go out.
struct PlainText {
    static let columnCount = 72

    private var lines: [String] = []

    /// The page, with a line end after each line.
    var text: String { lines.map { $0 + "\n" }.joined() }

    mutating func heading(_ text: String) { add(text, underlinedWith: "=") }

    mutating func section(_ text: String) {
        blank()
        add(text, underlinedWith: "-")
    }

    mutating func paragraph(_ text: String) {
        blank()
        item(text)
    }

    /// Lines that go on from those before.
    /// - Parameters:
    ///   - mark: stands before the first line, and as many blanks before the others.
    ///   - indent: blanks before all of them.
    mutating func item(_ text: String, mark: String = "", indent: Int = 0) {
        let margin = String(repeating: " ", count: indent)
        let rest = margin + String(repeating: " ", count: Columns.count(mark))
        lines += Self.wrapped(Self.cleaned(text), first: margin + mark, rest: rest)
    }

    /// What has to stay as it is: a command, an address.
    mutating func verbatim(_ text: String, indent: Int = 2) {
        for line in Self.cleaned(text).split(separator: "\n", omittingEmptySubsequences: false) { lines.append(String(repeating: " ", count: indent) + line) }
    }

    mutating func blank() { if lines.last.map({ !$0.isEmpty }) ?? false { lines.append("") } }

    private mutating func add(_ text: String, underlinedWith sign: Character) {
        let wrapped = Self.wrapped(Self.cleaned(text).replacing("\n", with: " "))
        lines += wrapped
        lines.append(String(repeating: sign, count: wrapped.map { Columns.count($0) }.max() ?? 0))
    }

    // MARK: Pure parts

    /// What somebody wrote, as it may stand among other words: it can't turn around the direction of what follows it either.
    static func said(_ text: String) -> String {
        var text = cleaned(text)
        text.unicodeScalars.removeAll { (0x2066...0x2069).contains($0.value) }
        return text
    }

    /// Without controls (but for line ends; tabs become blanks) and without characters that override the direction of writing (Unicode Standard Annex 9).
    static func cleaned(_ text: String) -> String {
        var cleaned = String.UnicodeScalarView()
        var last: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n" where last == "\r": break
            case "\n", "\r", "\u{2028}", "\u{2029}": cleaned.append("\n")
            case "\t": cleaned.append(" ")
            case _ where scalar.properties.generalCategory == .control || scalar.properties.isNoncharacterCodePoint: break
            case _ where (0x202A...0x202E).contains(scalar.value): break
            default: cleaned.append(scalar)
            }
            last = scalar
        }
        return String(cleaned)
    }

    /// A text broken at blanks into lines of at most so many columns. Words that are too long are cut, but for addresses, which stand in a line of their own.
    static func wrapped(_ text: String, first: String = "", rest: String = "", columnCount: Int = columnCount) -> [String] {
        let width = max(8, columnCount - max(Columns.count(first), Columns.count(rest)))
        var lines: [String] = []
        func add(_ line: String) {
            let prefix = lines.isEmpty ? first : rest
            lines.append(line.isEmpty ? prefix.trimmingEnd : prefix + line)
        }
        for part in text.split(separator: "\n", omittingEmptySubsequences: false) {
            var line = ""
            for word in part.split(separator: " ").flatMap({ pieces($0, width) }) {
                if !line.isEmpty, Columns.count(line) + 1 + Columns.count(word) > width {
                    add(line)
                    line = ""
                }
                line += line.isEmpty ? "\(word)" : " \(word)"
            }
            add(line)
        }
        return lines
    }

    private static func pieces(_ word: Substring, _ width: Int) -> [Substring] {
        guard Columns.count(word) > width, !word.contains("://") else { return [word] }
        var pieces: [Substring] = []
        var rest = word
        while !rest.isEmpty {
            var (end, count) = (rest.startIndex, 0)
            while end < rest.endIndex {
                let next = rest.index(after: end)
                let size = Columns.count(rest[end..<next])
                // One character at least, however wide it is.
                guard count + size <= width || end == rest.startIndex else { break }
                (end, count) = (next, count + size)
            }
            pieces.append(rest[..<end])
            rest = rest[end...]
        }
        return pieces
    }
}

/// How many columns of a terminal a text takes: marks and what says how letters join take none, Chinese, Japanese, Korean and pictures two.
enum Columns {
    static func count(_ text: some StringProtocol) -> Int { text.unicodeScalars.reduce(0) { $0 + count($1) } }

    private static func count(_ scalar: Unicode.Scalar) -> Int {
        if scalar.isASCII { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: return wide.contains { $0.contains(scalar.value) } ? 2 : 1
        }
    }

    /// Blocks whose characters are wide or fullwidth (Unicode Standard Annex 11).
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
        0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1FAFF, 0x20000...0x3FFFD,
    ]
}

extension String {
    fileprivate var trimmingEnd: String { String(self[..<(lastIndex { $0 != " " }.map(index(after:)) ?? startIndex)]) }
}
