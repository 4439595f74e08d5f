internal import Crypto
package import CityModel
internal import Foundation
internal import OrderedCollections
internal import Store
internal import Synchronization

/// An identity provider by which people sign in (OpenID Connect), and to which municipality it lets them.
package struct ProviderSettings: Sendable {
    package var issuer: String
    package var clientID: String
    package var clientSecret: String?
    package var municipality: MunicipalityName
    package var roles = RoleClaim()
    package var scopes = "openid profile email"
    /// The role of those for whom the claim names none that is known.
    package var standardRole = "resident"

    package init(issuer: String, clientID: String, municipality: MunicipalityName) {
        (self.issuer, self.clientID, self.municipality) = (issuer, clientID, municipality)
    }
}

/// Signing in at a provider: authorisation code with PKCE (RFC 7636, RFC 9700), `state` and `nonce`. What was asked stands in a cookie of the browser that
/// asked, sealed, so that nothing has to be kept for those who never come back; what came back is remembered, so that it counts once.
package final class SignInProvider: Sendable {
    package let settings: ProviderSettings
    private let accounts: Accounts
    private let client: IssuerClient
    private let issuer: IdentityIssuer
    /// Of this process alone: who was on the way when it ended begins anew.
    private let key = SymmetricKey(size: .bits256)
    private let finished = Mutex<OrderedSet<String>>([])

    static let errandSeconds = 600.0
    static let finishedCountMax = 10_000

    package init(_ settings: ProviderSettings, accounts: Accounts, client: IssuerClient) {
        (self.settings, self.accounts, self.client, issuer) = (settings, accounts, client, IdentityIssuer(settings.issuer, client))
    }

    /// Why somebody was not let in. The log tells of it, the page does not.
    package struct Refused: Error, CustomStringConvertible {
        package let description: String
    }

    /// What was asked of the provider for one browser.
    private struct Errand {
        let state: String
        let nonce: String
        let verifier: String
        let target: String
        let until: Instant
    }

    /// - Parameter redirect: the address of ours that the provider sends the browser back to.
    /// - Parameter target: the page to go to at the end.
    /// - Returns: what the browser has to keep, and where it goes.
    package func begin(redirect: String, target: String, at now: Instant) async throws -> (errand: String, address: String) {
        guard let authorization = try await issuer.metadata(at: now).authorization else { throw Refused(description: "the issuer has no authorization_endpoint") }
        let errand = Errand(
            state: Secret.text(), nonce: Secret.text(), verifier: Secret.text(), target: target, until: now.adding(seconds: Self.errandSeconds))
        let challenge = Base64.url.encode(Array(SHA256.hash(data: Array(errand.verifier.utf8))))
        let parameters = [
            ("response_type", "code"), ("client_id", settings.clientID), ("redirect_uri", redirect), ("scope", settings.scopes), ("state", errand.state),
            ("nonce", errand.nonce), ("code_challenge", challenge), ("code_challenge_method", "S256"),
        ]
        let query = parameters.map { "\($0.0)=\(Self.escaped($0.1))" }.joined(separator: "&")
        return (try seal(errand), authorization + (authorization.contains("?") ? "&" : "?") + query)
    }

    /// What the provider sent the browser back with.
    package struct Return: Sendable {
        package let code: String?
        package let state: String?
        package let issuer: String?
        package let error: String?

        package init(code: String?, state: String?, issuer: String?, error: String?) {
            (self.code, self.state, self.issuer, self.error) = (code, state, issuer, error)
        }
    }

    /// - Parameter errand: what the browser kept.
    /// - Throws: `Refused`.
    package func finish(
        _ answer: Return, errand sealed: String?, redirect: String, from visitor: Visitor, at now: Instant
    ) async throws -> (outcome: SignInOutcome, target: String) {
        guard let errand = sealed.flatMap(open), errand.until > now else { throw Refused(description: "no sign-in was begun in this browser, or too long ago") }
        guard let state = answer.state, Secret.areEqual(Array(state.utf8), Array(errand.state.utf8)) else { throw Refused(description: "state: it answers another request") }
        guard use(errand.state) else { throw Refused(description: "state: it was answered already") }
        // RFC 9207: whoever has several providers can't be sent the answer of another one.
        if let issuer = answer.issuer, issuer != settings.issuer { throw Refused(description: "iss: it is the answer of another issuer") }
        guard let code = answer.code, answer.error == nil else { throw Refused(description: "the provider refused: \(answer.error?.prefix(100) ?? "no code")") }
        let claims = try await claims(code: code, errand, redirect: redirect, at: now)
        return (try await signIn(claims.subject, claims.all, visitor, at: now), errand.target)
    }

    private func claims(code: String, _ errand: Errand, redirect: String, at now: Instant) async throws -> (subject: String, all: JSONObject) {
        guard let address = try await issuer.metadata(at: now).token else { throw Refused(description: "the issuer has no token_endpoint") }
        let form = [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect), ("client_id", settings.clientID), ("code_verifier", errand.verifier),
        ]
        let answer = try await client.post(address, form.map { (name: $0.0, value: $0.1) }, settings.clientSecret.map { (settings.clientID, $0) })
        guard let text = answer["id_token"]?.stringValue else { throw Refused(description: "the provider gave no ID token") }
        do {
            let token = try SignedToken(text)
            var expectation = TokenExpectation(issuer: settings.issuer, audience: settings.clientID)
            (expectation.nonce, expectation.isIDToken) = (errand.nonce, true)
            let subject = try expectation.check(token, at: now)
            try await issuer.check(token, at: now)
            return (subject, token.claims)
        } catch let fault as TokenFault {
            throw Refused(description: "ID token: \(fault.reason)")
        }
    }

    /// - Returns: whether it is the first time.
    private func use(_ state: String) -> Bool {
        finished.withLock { finished in
            if finished.count >= Self.finishedCountMax { finished.removeFirst() }
            return finished.append(state).inserted
        }
    }
}

// MARK: - Whose account it is

extension SignInProvider {
    /// The subject's account, made at the first time. What the provider says of roles counts at each sign-in.
    private func signIn(_ subject: String, _ claims: JSONObject, _ visitor: Visitor, at now: Instant) async throws -> SignInOutcome {
        let (issuer, municipality, standardRole) = (settings.issuer, settings.municipality, settings.standardRole)
        let given = settings.roles.roles(in: claims)
        let (name, login, isVerified) = Self.person(claims, subject)
        let file = try accounts.store.file(municipality, creating: municipality == .standard)
        let account = try await file.write { transaction in
            if var known = try transaction.account(issuer: issuer, subject: subject) {
                guard known.isActive(at: now) else { throw Refused(description: "the account is disabled or has ended") }
                let before = known.roles
                if let given { known.roles = Self.roles(given, known.endsAt, standardRole) }
                try transaction.put(known)
                // By what the provider says, which nobody here decided.
                if known.roles != before { try transaction.record(known.act(.accountChanged), by: .program, at: now) }
                return known
            }
            var account = AccountRecord(id: Secret.text(byteCount: 9), login: login, name: name, roles: Self.roles(given ?? [], nil, standardRole), createdAt: now)
            if let other = try transaction.account(login: login) {
                // One that was prepared for this address, and that nobody has used. Of any other it is not known that it is the same person.
                guard isVerified, other.password == nil, other.signedInAt == nil, other.isActive(at: now) else {
                    throw Refused(description: "there is another account \(login)")
                }
                account = other
                if let given, !given.isEmpty { account.roles = Self.roles(given, other.endsAt, standardRole) }
            }
            try transaction.put(account)
            try transaction.record(account.act(account.createdAt == now ? .accountCreated : .accountChanged), by: .program, at: now)
            try transaction.link(account.id, issuer: issuer, subject: subject)
            return account
        }
        return try await accounts.signedIn(account, municipality, visitor, by: .provider, at: now)
    }

    /// A supplier without an end is none.
    private static func roles(_ given: [String], _ endsAt: Instant?, _ standard: String) -> [String] {
        let roles = given.filter { $0 != "supplier" || endsAt != nil }
        return roles.isEmpty ? [standard] : roles
    }

    private static func person(_ claims: JSONObject, _ subject: String) -> (name: String, login: String, isVerified: Bool) {
        let email = claims["email"]?.stringValue.flatMap { try? Accounts.checked(login: $0) }
        let login = email ?? claims["preferred_username"]?.stringValue.flatMap { try? Accounts.checked(login: $0) } ?? "subject-" + Secret.digest(of: subject).prefix(20).lowercased()
        let name = claims["name"]?.stringValue.flatMap { try? Accounts.checked(name: String($0.prefix(200))) } ?? login
        return (name, login, email != nil && claims["email_verified"]?.boolValue == true)
    }
}

// MARK: - What the browser keeps

extension SignInProvider {
    private func seal(_ errand: Errand) throws -> String {
        let json: JSON = [
            "state": .string(errand.state), "nonce": .string(errand.nonce), "verifier": .string(errand.verifier), "target": .string(errand.target),
            "until": .integer(errand.until.microseconds),
        ]
        guard let sealed = try AES.GCM.seal(Array(json.description.utf8), using: key).combined else { throw Refused(description: "the errand can't be sealed") }
        return Base64.url.encode(Array(sealed))
    }

    private func open(_ text: String) -> Errand? {
        guard let bytes = Base64.url.decode(text), let box = try? AES.GCM.SealedBox(combined: bytes), let plain = try? AES.GCM.open(box, using: key),
            let json = try? JSON(parsing: Array(plain)), let state = json["state"]?.stringValue, let nonce = json["nonce"]?.stringValue,
            let verifier = json["verifier"]?.stringValue, let target = json["target"]?.stringValue, let until = json["until"]?.integerValue
        else { return nil }
        return Errand(state: state, nonce: nonce, verifier: verifier, target: target, until: Instant(microseconds: until))
    }

    private static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        let bytes = text.utf8.flatMap { byte -> [UInt8] in
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126: [byte]
            default: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
