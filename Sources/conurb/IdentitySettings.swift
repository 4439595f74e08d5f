import ArgumentParser
import CityModel
import Foundation
import Trust

/// The settings of issuers outside: `jwt.…` of tokens that programs bring, `oidc.…` of a provider at which people sign in.
enum IdentitySettings {
    static func bearers(_ reader: SettingsReader) throws -> BearerSettings? {
        let (issuer, audience) = (try issuer(reader, "jwt.issuer"), try reader.text("jwt.audience"))
        let (municipality, roles) = (try municipality(reader, "jwt.municipality"), try roles(reader, "jwt"))
        guard let issuer else { return nil }
        guard let audience, !audience.isEmpty else { throw ValidationError("jwt.audience: what the tokens are for has to be said where jwt.issuer is") }
        var settings = BearerSettings(issuer: issuer, audience: audience, municipality: municipality)
        settings.roles = roles
        return settings
    }

    static func provider(_ reader: SettingsReader) throws -> ProviderSettings? {
        let (issuer, client) = (try issuer(reader, "oidc.issuer"), try reader.text("oidc.clientId"))
        let (municipality, roles) = (try municipality(reader, "oidc.municipality"), try roles(reader, "oidc"))
        let (secretFile, scopes) = (try reader.text("oidc.clientSecretFile"), try reader.text("oidc.scopes"))
        let standardRole = try reader.text("oidc.standardRole")
        guard let issuer else { return nil }
        guard let client, !client.isEmpty else { throw ValidationError("oidc.clientId: the name of this program at the provider has to be said where oidc.issuer is") }
        var settings = ProviderSettings(issuer: issuer, clientID: client, municipality: municipality)
        settings.roles = roles
        settings.scopes = scopes ?? settings.scopes
        guard settings.scopes.split(separator: " ").contains("openid") else { throw ValidationError("oidc.scopes: openid has to be among them") }
        settings.standardRole = standardRole ?? settings.standardRole
        guard AccountRoles.known.contains(settings.standardRole), settings.standardRole != "supplier" else {
            throw ValidationError("oidc.standardRole: \(settings.standardRole) is none of \(AccountRoles.known.joined(separator: ", ")), or needs an end")
        }
        settings.clientSecret = try secretFile.map { try secret($0, for: "oidc.clientSecretFile") }
        return settings
    }

    /// The first line of a file.
    static func secret(_ path: String, for key: String) throws -> String {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8), let line = text.split(whereSeparator: \.isNewline).first, line.count <= 1000 else {
            throw ValidationError("\(key): \(path) can't be read, or is empty")
        }
        return String(line)
    }

    private static func issuer(_ reader: SettingsReader, _ key: String) throws -> String? {
        guard let text = try reader.text(key) else { return nil }
        guard let url = URL(string: text), let host = url.host(), url.query() == nil, url.fragment() == nil,
            url.scheme == "https" || url.scheme == "http" && ["127.0.0.1", "localhost", "::1"].contains(host)
        else { throw ValidationError("\(key): \(text.prefix(200)) is no https address") }
        return text
    }

    private static func municipality(_ reader: SettingsReader, _ key: String) throws -> MunicipalityName {
        guard let text = try reader.text(key) else { return .standard }
        guard let name = MunicipalityName(text) else { throw ValidationError("\(key): \(text.prefix(100)) is not a municipality's name") }
        return name
    }

    private static func roles(_ reader: SettingsReader, _ group: String) throws -> RoleClaim {
        var claim = RoleClaim()
        claim.path = try reader.text(group + ".rolesClaim") ?? claim.path
        if let text = try reader.text(group + ".roles"), !text.isEmpty {
            guard let roles = RoleClaim.roles(text) else { throw ValidationError("\(group).roles: value=role, with commas between; roles: \(AccountRoles.known.joined(separator: ", "))") }
            claim.roles = roles
        }
        return claim
    }
}
