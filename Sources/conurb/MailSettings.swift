import ArgumentParser
import Foundation
import Mail

/// `mail.…`: the server that e-mail goes through.
enum MailSettings {
    /// - Returns: nil when none is set up.
    static func server(_ reader: SettingsReader) throws -> SMTPSettings? {
        let (host, port) = (try reader.text("mail.host"), try reader.integer("mail.port", in: 1...65_535))
        let (security, login) = (try security(reader), try login(reader))
        let (sender, authorities) = (try sender(reader), try authorities(reader))
        let timeoutSeconds = try reader.integer("mail.secondsMax", in: 1...300)
        guard let host else { return nil }
        guard let sender else { throw ValidationError("mail.from: the address that messages are from has to be said where mail.host is") }
        guard var settings = SMTPSettings(host: host, security: security, sender: sender) else {
            throw ValidationError("mail.host: \(host.prefix(100)) is neither the name of a host nor an address")
        }
        settings.port = port ?? settings.port
        settings.timeoutSeconds = timeoutSeconds ?? settings.timeoutSeconds
        (settings.login, settings.authorities) = (login, authorities)
        guard login == nil || settings.mayLogIn else {
            throw ValidationError("mail.security: with mail.user it has to be starttls or tls, or the password would cross the network in plain text")
        }
        return settings
    }

    private static func security(_ reader: SettingsReader) throws -> SMTPSettings.Security {
        guard let text = try reader.text("mail.security") else { return .startTLS }
        guard let security = SMTPSettings.Security(rawValue: text) else {
            let known = SMTPSettings.Security.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("mail.security: \(text.prefix(100)) is none of \(known)")
        }
        return security
    }

    private static func sender(_ reader: SettingsReader) throws -> MailAddress? {
        guard let text = try reader.text("mail.from") else { return nil }
        do throws(MailAddress.Fault) { return try MailAddress(text) } catch { throw ValidationError("mail.from: \(error)") }
    }

    private static func login(_ reader: SettingsReader) throws -> SMTPLogin? {
        switch (try reader.text("mail.user"), try reader.text("mail.passwordFile")) {
        case (nil, nil): return nil
        case (let user?, let file?): return SMTPLogin(user: user, password: try IdentitySettings.secret(file, for: "mail.passwordFile"))
        case (_?, nil): throw ValidationError("mail.passwordFile: the file of the password has to be named where mail.user is")
        case (nil, _?): throw ValidationError("mail.user: the user has to be named where mail.passwordFile is")
        }
    }

    private static func authorities(_ reader: SettingsReader) throws -> String? {
        guard let file = try reader.text("mail.caFile") else { return nil }
        guard FileManager.default.isReadableFile(atPath: file) else { throw ValidationError("mail.caFile: \(file) can't be read") }
        return file
    }
}
