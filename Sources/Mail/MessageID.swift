/// What names a message for ever (RFC 5322, section 3.6.4). Answers name the messages that they answer to.
package struct MessageID: Hashable, Sendable {
    /// With its brackets.
    package let text: String

    /// - Parameter unique: what nobody else under this domain uses: 1 to 100 letters, digits, `.`, `-` and `_`.
    package init?(unique: String, domain: String) {
        let atoms = unique.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isAtom = atoms.allSatisfy { !$0.isEmpty && $0.allSatisfy { MailAddress.isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") } }
        guard unique.utf8.count <= 100, isAtom, domain.utf8.count <= 253, MailAddress.isDomain(domain[...].utf8) else { return nil }
        text = "<\(unique)@\(domain)>"
    }
}
