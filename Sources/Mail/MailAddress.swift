/// The address of one mailbox, as this program writes to: `local@domain` in ASCII (RFC 5321, section 4.1.2, without quoted local parts, comments, names
/// and literal addresses). It can be put between `<` and `>` and into a command of SMTP as it is.
///
/// It is personal data, so descriptions do not show it.
package struct MailAddress: Hashable, Sendable {
    /// The domain is in lower case.
    package let text: String

    package enum Fault: Error, Hashable, Sendable {
        case empty, tooLong
        /// Not one mailbox: no `@`, several, or a list.
        case notOneMailbox
        /// Letters outside of ASCII, before or behind the `@`. Many servers can't write to such addresses yet; a domain has another form that begins with `xn--`.
        case notASCII
        case badLocalPart, badDomain
    }

    /// RFC 5321, section 4.5.3.1: a path has at most 256 bytes with its brackets.
    package static let byteCountMax = 254

    package init(_ text: String) throws(Fault) {
        guard !text.isEmpty else { throw .empty }
        guard text.utf8.count <= Self.byteCountMax else { throw .tooLong }
        guard text.utf8.allSatisfy({ $0 < 128 }) else { throw .notASCII }
        let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, !text.utf8.contains(where: { ",;<>".utf8.contains($0) }) else { throw .notOneMailbox }
        guard Self.isLocalPart(parts[0]) else { throw .badLocalPart }
        guard Self.isDomain(parts[1]) else { throw .badDomain }
        self.text = String(Substring(parts[0])) + "@" + Substring(parts[1]).lowercased()
    }

    package var domain: String { String(text[text.index(after: text.firstIndex(of: "@") ?? text.startIndex)...]) }

    /// Atoms with dots between them (RFC 5322, section 3.2.3).
    private static func isLocalPart(_ bytes: Substring.UTF8View) -> Bool {
        let atoms = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return bytes.count <= 64 && atoms.allSatisfy { !$0.isEmpty && $0.allSatisfy { isAlphanumeric($0) || "!#$%&'*+-/=?^_`{|}~".utf8.contains($0) } }
    }

    static func isDomain(_ bytes: Substring.UTF8View) -> Bool {
        let hyphen = UInt8(ascii: "-")
        return bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.count) && label.first != hyphen && label.last != hyphen && label.allSatisfy { isAlphanumeric($0) || $0 == hyphen }
        }
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }
}

extension MailAddress: CustomStringConvertible, CustomReflectable {
    package var description: String { "(an e-mail address)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension MailAddress.Fault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .empty: "the e-mail address is empty"
        case .tooLong: "the e-mail address has more than \(MailAddress.byteCountMax) characters"
        case .notOneMailbox: "that is not one e-mail address such as name@city.example"
        case .notASCII: "e-mail addresses with letters outside of a-z are not taken; a domain can be written in its form that begins with xn--"
        case .badLocalPart: "what stands before the @ is not of letters, digits and the usual marks"
        case .badDomain: "what stands behind the @ is not the name of a domain"
        }
    }
}
