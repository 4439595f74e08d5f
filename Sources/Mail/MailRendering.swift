internal import CityModel

/// A message as SMTP carries it: ASCII alone, lines of at most 78 bytes where their parts allow it, CRLF between them (RFC 5322, 2045, 2047).
extension MailMessage {
    package func rendered() -> [UInt8] {
        var lines = [
            "Date: " + Self.date(date), Self.mailbox("From: ", senderName, sender), "To: <\(recipient.text)>", HeaderText.unstructured("Subject: ", subject),
            "Message-ID: " + id.text,
        ]
        if let inReplyTo = thread.inReplyTo { lines.append("In-Reply-To: " + inReplyTo.text) }
        if !thread.references.isEmpty { lines.append("References: " + thread.references.map(\.text).joined(separator: "\r\n ")) }
        // No machine is to answer (RFC 3834, section 5).
        lines.append("Auto-Submitted: auto-generated")
        if let unsubscribe { lines.append("List-Unsubscribe: <\(unsubscribe)>") }
        if let language { lines.append("Content-Language: " + language) }
        lines += ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable", ""]
        return lines.flatMap { Array($0.utf8) + QuotedPrintable.lineEnd } + QuotedPrintable.encoded(text)
    }

    /// RFC 5322, section 3.3, in UTC.
    private static func date(_ moment: Instant) -> String {
        let time = moment.utc
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        // 1970-01-01 was a Thursday.
        let secondsOfWeek = (moment.seconds % 604_800 + 604_800) % 604_800
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][Int(secondsOfWeek / 86_400)]
        let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][time.month - 1]
        return "\(weekday), \(time.day) \(month) \(time.year) \(two(time.hour)):\(two(time.minute)):\(two(time.second)) +0000"
    }

    private static func mailbox(_ field: String, _ name: String, _ address: MailAddress) -> String {
        guard !name.isEmpty else { return field + "<\(address.text)>" }
        let phrase = HeaderText.phrase(field, name)
        let lastLength = phrase.utf8.reversed().prefix { $0 != UInt8(ascii: "\n") }.count
        return phrase + (lastLength + address.text.utf8.count + 3 <= 76 ? " " : "\r\n ") + "<\(address.text)>"
    }
}

/// Texts in headers, with the name of their field before them.
enum HeaderText {
    /// With an encoded word in it a line has at most 76 bytes, and the word at most 75 (RFC 2047, section 2).
    private static let lineLengthMax = 76
    private static let (prefix, suffix) = ("=?UTF-8?B?", "?=")

    static func unstructured(_ field: String, _ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { (0x20...0x7E).contains($0) } && !text.contains("=?") && !text.hasPrefix(" ") && !text.hasSuffix(" ")
        return isPlain && field.utf8.count + text.utf8.count <= lineLengthMax ? field + text : encoded(field, text)
    }

    /// A name before an address: quoted, else encoded.
    static func phrase(_ field: String, _ text: String) -> String {
        let quoted = "\"" + text.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] } + "\""
        let isPlain = text.utf8.allSatisfy { (0x20...0x7E).contains($0) } && !text.contains("=?")
        return isPlain && field.utf8.count + quoted.utf8.count <= lineLengthMax ? field + quoted : encoded(field, text)
    }

    /// Encoded words, one a line. What is between two of them does not count as text, so spaces are within them.
    private static func encoded(_ field: String, _ text: String) -> String {
        var (lines, word, start) = ([String](), "", field)
        func byteCountMax() -> Int { (lineLengthMax - start.utf8.count - prefix.utf8.count - suffix.utf8.count) / 4 * 3 }
        func finish() {
            lines.append(start + prefix + Base64.encoded(Array(word.utf8)) + suffix)
            (word, start) = ("", " ")
        }
        for character in text {
            if !word.isEmpty, word.utf8.count + character.utf8.count > byteCountMax() { finish() }
            if character.utf8.count <= byteCountMax() {
                word.append(character)
                continue
            }
            // A letter with dozens of marks, or a long family of joined emoji: a word has to hold whole code points, and no more than that can be held to.
            for scalar in character.unicodeScalars {
                if word.utf8.count + String(scalar).utf8.count > byteCountMax() { finish() }
                word.unicodeScalars.append(scalar)
            }
        }
        finish()
        return lines.joined(separator: "\r\n")
    }
}

/// RFC 4648, section 4.
enum Base64 {
    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encoded(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            text += (0...group.count).map { letters[bits >> (18 - 6 * $0) & 63] }
            text += [UInt8](repeating: UInt8(ascii: "="), count: 3 - group.count)
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// RFC 2045, section 6.7.
enum QuotedPrintable {
    static let lineEnd: [UInt8] = [13, 10]
    private static let lineLengthMax = 76
    private static let hexadecimal = Array("0123456789ABCDEF".utf8)

    /// Ends in a line end.
    static func encoded(_ text: String) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.utf8.count * 2)
        for line in lines(of: Array(text.utf8)) {
            append(line, to: &output)
            output += lineEnd
        }
        return output
    }

    /// Without their ends. A text that ends in a line end has no empty line behind it.
    private static func lines(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var (lines, start, offset) = ([ArraySlice<UInt8>](), 0, 0)
        while offset < bytes.count {
            defer { offset += 1 }
            guard bytes[offset] == 10 || bytes[offset] == 13 else { continue }
            lines.append(bytes[start..<offset])
            if bytes[offset] == 13, offset + 1 < bytes.count, bytes[offset + 1] == 10 { offset += 1 }
            start = offset + 1
        }
        return start < bytes.count ? lines + [bytes[start...]] : lines
    }

    private static func append(_ line: ArraySlice<UInt8>, to output: inout [UInt8]) {
        var length = 0
        for (index, byte) in zip(line.indices, line) {
            let isLast = index == line.endIndex - 1
            // A space that ends a line would be taken away on its way.
            let isLiteral = (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "=") || (byte == 0x20 || byte == 0x09) && !isLast
            let piece = isLiteral ? [byte] : [UInt8(ascii: "="), hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
            // The mark of a soft line end needs a place, but for the last piece.
            if length + piece.count > lineLengthMax - (isLast ? 0 : 1) {
                output += [UInt8(ascii: "=")] + lineEnd
                length = 0
            }
            output += piece
            length += piece.count
        }
    }
}
