package import CityModel

/// A message of this program to one person: plain text, checked where it is made, so that rendering can't fail and no text becomes a header of its own.
package struct MailMessage: Sendable {
    package let sender: MailAddress
    package let senderName: String
    package let recipient: MailAddress
    package let subject: String
    /// Lines may end in LF, CRLF or CR.
    package let text: String
    package let date: Instant
    package let id: MessageID
    package let thread: Thread
    package let unsubscribe: String?
    package let language: String?

    /// The messages that this one follows.
    package struct Thread: Hashable, Sendable {
        /// The message that this one answers to.
        package var inReplyTo: MessageID?
        /// All before it, the first one first.
        package var references: [MessageID]

        package init(inReplyTo: MessageID? = nil, references: [MessageID] = []) { (self.inReplyTo, self.references) = (inReplyTo, references) }
    }

    package enum Field: String, Hashable, Sendable { case senderName = "the sender's name", subject = "the subject", text = "the text" }

    package enum Fault: Error, Hashable, Sendable {
        /// A line break or another control character, where one line is to stand.
        case controlCharacter(Field)
        case tooLong(Field, byteCountMax: Int)
        case tooManyReferences
        /// Neither an https address nor one of http, in ASCII.
        case badUnsubscribe
        /// Not a tag such as `fr` or `pt-BR`.
        case badLanguage
    }

    package static let subjectByteCountMax = 998, senderNameByteCountMax = 256, textByteCountMax = 1_000_000, referenceCountMax = 50
    private static let unsubscribeByteCountMax = 900

    /// - Parameters:
    ///   - unsubscribe: the address at which the receiver ends such messages (RFC 2369).
    ///   - language: the text's, as a tag of BCP 47.
    package init(
        from sender: MailAddress, named senderName: String = "", to recipient: MailAddress, subject: String, text: String, at date: Instant, id: MessageID,
        thread: Thread = Thread(), unsubscribe: String? = nil, language: String? = nil
    ) throws(Fault) {
        try Self.check(senderName, .senderName, byteCountMax: Self.senderNameByteCountMax)
        try Self.check(subject, .subject, byteCountMax: Self.subjectByteCountMax)
        guard text.utf8.count <= Self.textByteCountMax else { throw .tooLong(.text, byteCountMax: Self.textByteCountMax) }
        // Some programs end a text at such a byte.
        guard !text.utf8.contains(0) else { throw .controlCharacter(.text) }
        guard thread.references.count <= Self.referenceCountMax else { throw .tooManyReferences }
        if let unsubscribe, !Self.isAddress(unsubscribe) { throw .badUnsubscribe }
        if let language, !Self.isLanguage(language) { throw .badLanguage }
        (self.sender, self.senderName, self.recipient) = (sender, senderName, recipient)
        (self.subject, self.text, self.date, self.id) = (subject, text, date, id)
        (self.thread, self.unsubscribe, self.language) = (thread, unsubscribe, language)
    }

    private static func check(_ text: String, _ field: Field, byteCountMax: Int) throws(Fault) {
        guard text.utf8.count <= byteCountMax else { throw .tooLong(field, byteCountMax: byteCountMax) }
        // C0, DEL and C1, and the two separators that some programs break lines at.
        let isLine = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) && $0.value != 0x2028 && $0.value != 0x2029 }
        guard isLine else { throw .controlCharacter(field) }
    }

    private static func isAddress(_ text: String) -> Bool {
        (text.hasPrefix("https://") || text.hasPrefix("http://")) && text.utf8.count <= unsubscribeByteCountMax
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"<>,\"\\".utf8.contains($0) }
    }

    private static func isLanguage(_ text: String) -> Bool {
        let subtags = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return text.utf8.count <= 35 && subtags.allSatisfy { (1...8).contains($0.count) && $0.allSatisfy(MailAddress.isAlphanumeric) }
    }
}

extension MailMessage: CustomStringConvertible, CustomReflectable {
    package var description: String { "(a message)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension MailMessage.Fault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .controlCharacter(let field): "\(field.rawValue) holds a line break or another control character"
        case .tooLong(let field, let byteCountMax): "\(field.rawValue) has more than \(byteCountMax) bytes"
        case .tooManyReferences: "the message follows more than \(MailMessage.referenceCountMax) others"
        case .badUnsubscribe: "the address to end such messages is not one of https"
        case .badLanguage: "the language is not a tag such as fr or pt-BR"
        }
    }
}
