import ArgumentParser
import CityModel
import Foundation
import Mail
import Server
import Store

struct MailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mail", abstract: "Try the mail server that is set up.", subcommands: [Test.self])

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test", abstract: "Send one message with the settings mail.… of the server.",
            discussion: "Says that the mail server took the message, or what went wrong. That it took it does not yet mean that it arrives.")

        @OptionGroup var options: ServerOptions
        @Argument(help: "Whom to write to.") var address: String
        @Option(help: "Another subject.") var subject = "Test message"
        @Option(help: "A file with another text; - for standard input.", completion: .file()) var text: String?
        @Option(help: "The text's language, such as ar.") var language: String?

        private static let standardText = """
            This message was sent to try the mail server of the city's data platform.
            If you read it, the settings are right. There is nothing to do.

            """

        func run() async throws {
            let settings = try await Settings(options, isOpen: false)
            guard let server = settings.server.mail else { throw ValidationError("mail.host: no mail server is set up") }
            let message = try message(from: server.sender, named: settings.server.site.name)
            let sender = SMTPSender(server)
            do throws(MailFault) { try await sender.send(message) } catch {
                tell("conurb: \(error)\(Self.advice(error.remedy))")
                throw ExitCodes.failure
            }
            await sender.close()
            print("the mail server took the message for \(message.recipient.text)")
        }

        private func message(from sender: MailAddress, named name: String) throws -> MailMessage {
            let recipient: MailAddress
            do throws(MailAddress.Fault) { recipient = try MailAddress(address) } catch { throw ValidationError("ADDRESS: \(error)") }
            guard let id = MessageID(unique: UUID().uuidString.lowercased(), domain: sender.domain) else {
                throw ValidationError("mail.from: its domain is too long")
            }
            let text = try readText()
            do throws(MailMessage.Fault) {
                return try MailMessage(from: sender, named: name, to: recipient, subject: subject, text: text, at: .now, id: id, language: language)
            } catch { throw ValidationError("\(error)") }
        }

        private func readText() throws -> String {
            guard let text else { return Self.standardText }
            let bytes = text == "-" ? try FileHandle.standardInput.read(upToCount: MailMessage.textByteCountMax + 1) ?? Data() : FileManager.default.contents(atPath: text)
            guard let bytes, let read = String(bytes: bytes, encoding: .utf8) else { throw ValidationError("--text: \(text) can't be read as UTF-8") }
            return read
        }

        private static func advice(_ remedy: MailFault.Remedy) -> String {
            switch remedy {
            case .later: "; the same message is worth another try"
            case .settings: "; look at the settings mail.…"
            case .none: ""
            }
        }
    }
}
