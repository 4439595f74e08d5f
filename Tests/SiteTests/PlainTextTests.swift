internal import Testing
@testable internal import Site

/// Text for terminals: how it is broken into lines, and what never gets out.
@Suite struct PlainTextTests {
    @Test(arguments: [
        ("", [""]), ("a", ["a"]), ("one two", ["one two"]), ("one two three", ["one two", "three"]), ("one  two", ["one two"]), ("one\ntwo", ["one", "two"]),
        ("one\n\ntwo", ["one", "", "two"]), ("abcdefghijklmn", ["abcdefghij", "klmn"]), ("ab abcdefghijklm", ["ab", "abcdefghij", "klm"]),
        ("see https://example.org/long now", ["see", "https://example.org/long", "now"]), ("  one", ["one"]), ("123456789 1", ["123456789", "1"]), ("12345678 1", ["12345678 1"]),
    ])
    func `lines are broken at blanks, long words within them, addresses never`(text: String, lines: [String]) {
        #expect(PlainText.wrapped(text, columnCount: 10) == lines)
    }

    @Test func `other lines stand under the first`() {
        #expect(PlainText.wrapped("one two three four", first: "- ", rest: "  ", columnCount: 12) == ["- one two", "  three four"])
        #expect(PlainText.wrapped("a\n\nb", first: "- ", rest: "  ", columnCount: 12) == ["- a", "", "  b"])
    }

    @Test func `marks on letters take no room, so Arabic lines are as long as others`() {
        let word = "مُحَمَّد"
        #expect(Columns.count(word) == 4)
        #expect(PlainText.wrapped("\(word) \(word) \(word)", columnCount: 10) == ["\(word) \(word)", word])
        let sentence = "وصلت بلاغات كثيرة جدًا من اتصالك، أعد إرسال هذا بعد دقيقة من فضلك حتى نتمكن من قراءته كله"
        let lines = PlainText.wrapped(sentence)
        #expect(lines.count == 2 && lines.allSatisfy { Columns.count($0) <= 72 } && lines.joined(separator: " ") == sentence)
    }

    @Test(arguments: [("日本", 4), ("é", 1), ("e\u{301}", 1), ("\u{2068}a\u{2069}", 1), ("👍", 2), ("…", 1), ("한", 2)])
    func `columns are those of a terminal`(text: String, count: Int) { #expect(Columns.count(text) == count) }

    @Test func `wide characters are cut where they no longer fit`() {
        #expect(PlainText.wrapped("日本日本日本", columnCount: 9) == ["日本日本", "日本"])
    }

    @Test(arguments: [
        ("\u{1B}[31mred\u{1B}[0m", "[31mred[0m"), ("\u{9B}2J", "2J"), ("bell\u{7}", "bell"), ("\u{1B}]0;title\u{7}x", "]0;titlex"), ("a\u{8}\u{8}b", "ab"), ("\u{7F}", ""),
        ("a\tb", "a b"), ("a\r\nb", "a\nb"), ("a\rb", "a\nb"), ("a\u{2028}b", "a\nb"), ("a\u{202E}b", "ab"), ("\u{0}\u{1}\u{90}\u{9C}\u{FFFF}", ""), ("\u{85}x", "x"),
    ])
    func `nothing speaks to the terminal`(text: String, cleaned: String) {
        #expect(PlainText.cleaned(text) == cleaned)
        var page = PlainText()
        page.heading(text)
        page.section(text)
        page.paragraph(text)
        page.item(text, mark: "- ", indent: 4)
        page.verbatim(text)
        #expect(page.text.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control })
    }

    @Test func `every control character stays inside`() {
        let controls = (0...0x9F).compactMap { (0x20...0x7E).contains($0) ? nil : Unicode.Scalar($0) }
        let cleaned = PlainText.cleaned(String(String.UnicodeScalarView(controls)))
        #expect(cleaned.unicodeScalars.allSatisfy { $0 == "\n" || $0 == " " })
    }

    @Test func `what somebody wrote does not turn around what follows it`() {
        #expect(PlainText.said("a\u{2067}b\u{202E}c\u{2069}") == "abc")
        #expect(PlainText.said("د\u{200F}!") == "د\u{200F}!")
    }

    @Test func `a page has blank lines between its parts and ends with a line end`() {
        var page = PlainText()
        page.heading("Head")
        page.paragraph("One.")
        page.section("Part")
        page.item("Two.")
        #expect(page.text == "Head\n====\n\nOne.\n\nPart\n----\nTwo.\n")
    }
}
