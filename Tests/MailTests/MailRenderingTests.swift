import CityModel
import Testing

@testable import Mail

@Suite("Messages as they are sent")
struct MailRenderingTests {
    private static let family = "👩‍👩‍👧‍👦"

    private func message(
        named name: String = "", subject: String = "Test", text: String = "Hello\n", thread: MailMessage.Thread = .init(), unsubscribe: String? = nil, language: String? = nil
    ) throws -> MailMessage {
        let id = try #require(MessageID(unique: "1-a", domain: "city.example"))
        return try MailMessage(
            from: MailAddress("city@city.example"), named: name, to: MailAddress("marie@home.example"), subject: subject, text: text,
            at: Instant(seconds: 1_795_724_488), id: id, thread: thread, unsubscribe: unsubscribe, language: language)
    }

    private func rendered(_ message: MailMessage) -> String { String(decoding: message.rendered(), as: UTF8.self) }

    @Test func `a plain message has these bytes`() throws {
        let thread = try MailMessage.Thread(
            inReplyTo: MessageID(unique: "0", domain: "city.example"),
            references: [#require(MessageID(unique: "00", domain: "city.example")), #require(MessageID(unique: "0", domain: "city.example"))])
        let message = try message(named: "City of \"Alder\"", subject: "Your report", thread: thread, unsubscribe: "https://city.example/u?x=1", language: "en")
        let lines = [
            "Date: Thu, 26 Nov 2026 20:21:28 +0000", #"From: "City of \"Alder\"" <city@city.example>"#, "To: <marie@home.example>", "Subject: Your report",
            "Message-ID: <1-a@city.example>", "In-Reply-To: <0@city.example>", "References: <00@city.example>", " <0@city.example>", "Auto-Submitted: auto-generated",
            "List-Unsubscribe: <https://city.example/u?x=1>", "Content-Language: en", "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: quoted-printable", "", "Hello", "",
        ]
        #expect(rendered(message) == lines.joined(separator: "\r\n"))
    }

    @Test(arguments: [
        "تقريرك عن مصباح الشارع المكسور في شارع الجمهورية قيد المعالجة الآن", "Ваше обращение № 7", String(repeating: family, count: 12), String(repeating: "é", count: 300),
        " begins and ends with spaces ", "=?UTF-8?B?aGk=?=", String(repeating: "word ", count: 60) + "end", "e" + String(repeating: "\u{301}", count: 120), "🏳️‍🌈 a 日本語 ز",
    ])
    func `a subject in any script comes out of its encoded words as it went in`(subject: String) throws {
        let lines = try rendered(message(subject: subject)).split(separator: "\r\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex { $0.hasPrefix("Subject: ") })
        let field = [lines[start].dropFirst(9)] + lines[(start + 1)...].prefix { $0.hasPrefix(" ") }.map { $0.dropFirst() }
        var decoded = ""
        for word in field {
            #expect(word.hasPrefix("=?UTF-8?B?") && word.hasSuffix("?=") && word.utf8.count <= 75)
            // Each word by itself is whole characters: a reader may decode them one by one.
            let part = try #require(String(validating: Base64Reader.decoded(word.dropFirst(10).dropLast(2)), as: UTF8.self))
            decoded += part
        }
        #expect(decoded == subject)
        #expect(lines[start..<(start + field.count)].allSatisfy { $0.utf8.count <= 76 })
        #expect(lines.allSatisfy { $0.utf8.count <= 78 && $0.utf8.allSatisfy { $0 < 128 } })
    }

    @Test func `joined emoji and letters with marks stay together where a word has room`() throws {
        let text = try rendered(message(subject: String(repeating: Self.family, count: 12)))
        let words = text.split(separator: "\r\n").compactMap { line -> String? in
            guard let start = line.firstRange(of: "=?UTF-8?B?") else { return nil }
            return String(decoding: Base64Reader.decoded(line[start.upperBound...].dropLast(2)), as: UTF8.self)
        }
        #expect(words.count == 12 && words.allSatisfy { $0 == Self.family })
    }

    @Test func `a name that needs encoding stands before its address, on lines that are not too long`() throws {
        let text = try rendered(message(named: "مدينة الإسكندرية — Ville d’Alexandrie, service des réclamations et de la voirie"))
        let lines = text.split(separator: "\r\n")
        let start = try #require(lines.firstIndex { $0.hasPrefix("From: =?UTF-8?B?") })
        let field = [lines[start]] + lines[(start + 1)...].prefix { $0.hasPrefix(" ") }
        #expect(field.allSatisfy { $0.utf8.count <= 76 } && field.last?.hasSuffix("<city@city.example>") == true)
    }

    @Test(arguments: [
        ("a=b", "a=3Db\r\n"), ("é", "=C3=A9\r\n"), ("end ", "end=20\r\n"), ("tab\t", "tab=09\r\n"), (" a b", " a b\r\n"), (".\n..\n", ".\r\n..\r\n"), ("", ""),
        ("a\r\nb\rc\nd", "a\r\nb\r\nc\r\nd\r\n"), ("a\n\nb", "a\r\n\r\nb\r\n"), ("\u{1}\u{7F}", "=01=7F\r\n"),
        (String(repeating: "x", count: 76), String(repeating: "x", count: 76) + "\r\n"),
        (String(repeating: "x", count: 77), String(repeating: "x", count: 75) + "=\r\nxx\r\n"),
    ])
    func `a text is quoted-printable`(text: String, expected: String) {
        #expect(String(decoding: QuotedPrintable.encoded(text), as: UTF8.self) == expected)
    }

    @Test(arguments: ["a\r\nBcc: x@y.example", "a\nb", "a\rb", "a\0b", "a\u{85}b", "a\u{2028}b", "a\u{7F}b"])
    func `no text becomes a header of its own`(text: String) {
        #expect(throws: MailMessage.Fault.controlCharacter(.subject)) { try message(subject: text) }
        #expect(throws: MailMessage.Fault.controlCharacter(.senderName)) { try message(named: text) }
        #expect(throws: MailMessage.Fault.badUnsubscribe) { try message(unsubscribe: "https://city.example/" + text) }
        #expect(throws: MailMessage.Fault.badLanguage) { try message(language: text) }
        #expect(MessageID(unique: text, domain: "city.example") == nil && MessageID(unique: "a", domain: text) == nil)
    }

    @Test func `addresses to end messages are of http, and languages are tags`() throws {
        for text in ["javascript:alert(1)", "ftp://x", "https://a b", "https://a>b", "https://é"] {
            #expect(throws: MailMessage.Fault.badUnsubscribe) { try message(unsubscribe: text) }
        }
        for text in ["", "en_GB", "-", "en-", "verylonglanguage"] { #expect(throws: MailMessage.Fault.badLanguage) { try message(language: text) } }
        #expect(throws: Never.self) { try message(language: "pt-BR") }
    }

    @Test func `each part has a limit`() throws {
        let (subject, text) = (String(repeating: "s", count: MailMessage.subjectByteCountMax), String(repeating: "t", count: MailMessage.textByteCountMax))
        #expect(throws: Never.self) { try message(named: String(repeating: "n", count: MailMessage.senderNameByteCountMax), subject: subject, text: text) }
        #expect(throws: MailMessage.Fault.tooLong(.subject, byteCountMax: 998)) { try message(subject: subject + "s") }
        #expect(throws: MailMessage.Fault.tooLong(.text, byteCountMax: 1_000_000)) { try message(text: text + "t") }
        #expect(throws: MailMessage.Fault.controlCharacter(.text)) { try message(text: "a\0") }
        let id = try #require(MessageID(unique: "a", domain: "b"))
        #expect(throws: MailMessage.Fault.tooManyReferences) { try message(thread: .init(references: [MessageID](repeating: id, count: 51))) }
    }

    @Test(arguments: [
        (Int64(0), "Thu, 1 Jan 1970 00:00:00 +0000"), (-1, "Wed, 31 Dec 1969 23:59:59 +0000"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
        (1_798_761_599, "Thu, 31 Dec 2026 23:59:59 +0000"),
    ])
    func `dates are those of RFC 5322`(seconds: Int64, expected: String) throws {
        let id = try #require(MessageID(unique: "1", domain: "b"))
        let message = try MailMessage(from: MailAddress("a@b"), to: MailAddress("c@d"), subject: "", text: "", at: Instant(seconds: seconds), id: id)
        #expect(rendered(message).hasPrefix("Date: \(expected)\r\n"))
    }
}

private enum Base64Reader {
    static func decoded(_ text: Substring) -> [UInt8] {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var (bits, bitCount, bytes) = (0, 0, [UInt8]())
        for letter in text.utf8 {
            guard let value = letters.firstIndex(of: letter) else { break }
            (bits, bitCount) = (bits << 6 | value, bitCount + 6)
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(bits >> bitCount & 0xFF))
            }
        }
        return bytes
    }
}
