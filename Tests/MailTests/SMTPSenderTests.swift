import CityModel
import Testing

@testable import Mail

/// What needs no server; with a real one it is tested in Tests/acceptance/test_mail.py.
@Suite("The way to the mail server")
struct SMTPSenderTests {
    private func settings(_ host: String, _ security: SMTPSettings.Security = .startTLS) throws -> SMTPSettings? {
        SMTPSettings(host: host, security: security, sender: try MailAddress("city@city.example"))
    }

    private func message(text: String = "Hello\n") throws -> MailMessage {
        let id = try #require(MessageID(unique: "1", domain: "city.example"))
        return try MailMessage(from: MailAddress("city@city.example"), to: MailAddress("marie@home.example"), subject: "", text: text, at: Instant(seconds: 0), id: id)
    }

    @Test func `a server is a name or an address, and nothing that would change the address of the request`() throws {
        for host in ["mail.city.example", "localhost", "10.0.0.7", "::1", "fe80::1"] { #expect(try settings(host) != nil) }
        for host in ["", "a/b", "a@b", "a:b c", "a?b", "a#b", "[::1]", "-a", "a\r\nb", "é"] { #expect(try settings(host) == nil, "\(host)") }
        #expect(try settings("::1", .tls)?.url == "smtps://[::1]:465/city.example")
        #expect(try settings("mail.example")?.url == "smtp://mail.example:587/city.example")
    }

    @Test func `a password crosses a network behind TLS alone`() throws {
        for host in ["mail.example", "127.mail.example", "10.0.0.7", "::2"] { #expect(try settings(host, .none)?.mayLogIn == false) }
        for (host, security) in [("mail.example", SMTPSettings.Security.tls), ("mail.example", .startTLS), ("localhost", .none), ("127.0.0.1", .none), ("::1", .none)] {
            #expect(try settings(host, security)?.mayLogIn == true)
        }
    }

    @Test func `what is too large as it is sent stays here`() async throws {
        let sender = SMTPSender(try #require(try settings("localhost", .none)))
        // Each letter takes six bytes on its way.
        let large = try message(text: String(repeating: "é", count: 200_000))
        let byteCount = large.rendered().count
        await #expect(throws: MailFault.tooLarge(byteCount: byteCount, byteCountMax: 1_000_000)) { try await sender.send(large) }
        await sender.close()
    }

    @Test func `each fault says whether the same message is worth another try`() {
        #expect(MailFault.temporary(code: 451).remedy == .later && MailFault.unreachable.remedy == .later && MailFault.connectionLost.remedy == .later)
        #expect(MailFault.permanent(code: 550).remedy == .none && MailFault.tooLarge(byteCount: 2, byteCountMax: 1).remedy == .none)
        #expect(MailFault.authentication.remedy == .settings && MailFault.tls(.notTrusted).remedy == .settings)
    }
}
