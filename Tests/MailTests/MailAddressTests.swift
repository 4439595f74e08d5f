import CityModel
import Testing

@testable import Mail

@Suite("E-mail addresses")
struct MailAddressTests {
    private func fault(_ text: String) -> MailAddress.Fault? {
        do { _ = try MailAddress(text) } catch { return error }
        return nil
    }

    @Test(arguments: ["a@b", "marie.dupont+case@city.example", "o'neil@xn--bcher-kva.example", "x!#$%&'*/=?^_`{|}~-@1.2", "root@localhost"])
    func `one mailbox is an address`(text: String) throws {
        #expect(try MailAddress(text).text == text)
    }

    @Test func `the domain is in lower case and the rest as it was given`() throws {
        #expect(try MailAddress("Marie@City.EXAMPLE").text == "Marie@city.example")
        #expect(try MailAddress("Marie@City.EXAMPLE").domain == "city.example")
    }

    @Test func `what is not one mailbox is refused, and says why`() {
        #expect(fault("") == .empty)
        for text in ["marie", "a@b@c", "a@b,c@d", "a@b;c", "<a@b>", "Marie <a@b>"] { #expect(fault(text) == .notOneMailbox, "\(text)") }
        for text in ["@b", ".a@b", "a.@b", "a..b@c", "a b@c", "\"a b\"@c", "a\\@b", "a\r\nBcc:x@b", "a\0@b", "a(x)@b"] { #expect(fault(text) == .badLocalPart, "\(text)") }
        for text in ["a@", "a@b.", "a@.b", "a@b..c", "a@-b", "a@b-", "a@b c", "a@[127.0.0.1]", "a@b\r\nRCPT TO:x", "a@b_c", "a@b\n"] { #expect(fault(text) == .badDomain, "\(text)") }
        for text in ["é@b", "a@bücher.example", "a@例え.jp", "a@b\u{202E}"] { #expect(fault(text) == .notASCII, "\(text)") }
        #expect("\(MailAddress.Fault.notASCII)".contains("xn--"))
    }

    @Test func `an address has at most 254 bytes, 64 of them before the at sign, and 63 in a label`() {
        let label = String(repeating: "d", count: 63)
        #expect(fault(String(repeating: "a", count: 64) + "@b") == nil && fault(String(repeating: "a", count: 65) + "@b") == .badLocalPart)
        #expect(fault("a@" + label) == nil && fault("a@" + label + "d") == .badDomain)
        let long = "a@" + [label, label, label, String(repeating: "d", count: 60)].joined(separator: ".")
        #expect(long.utf8.count == 254 && fault(long) == nil && fault("a" + long) == .tooLong)
    }

    @Test func `descriptions do not show whom it is about`() throws {
        let address = try MailAddress("marie@city.example")
        #expect(!"\(address) \(String(reflecting: address)) \([address])".contains("marie"))
        var dumped = ""
        dump(address, to: &dumped)
        dump(SMTPLogin(user: "conurb", password: "swordfish"), to: &dumped)
        #expect(!dumped.contains("marie") && !dumped.contains("swordfish") && !dumped.contains("conurb\""))
    }
}
