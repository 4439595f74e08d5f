package import CityModel
package import Store

/// What a form asked for can't be done, in a way that its sender can mend. Raw values name the texts of the pages.
package enum AccountFormError: String, Error, CaseIterable, Sendable {
    case tooShort, tooLong, common, breached, ownName
    case differ, wrongPassword, wrongCode, linkUsed, loginTaken, badLogin, badName, signedInLongAgo

    init(_ refusal: PasswordRules.Refusal) { self = Self(rawValue: refusal.rawValue) ?? .common }
}

/// What people do with their own account.
extension Accounts {
    /// - Throws: `AccountFormError`.
    package func changePassword(_ signedIn: SignedIn, old: String, new: String, at now: Instant) async throws {
        try await checkPassword(signedIn, old, at: now)
        let hash = try await newHash(new, of: signedIn.account, signedIn.municipality)
        try await store.file(signedIn.municipality).write { transaction in
            guard var account = try transaction.account(signedIn.account.id) else { throw CityError.resourceNotFound("the account is gone") }
            account.password = hash
            try transaction.put(account)
            // Whoever knew the old one is let in no more.
            try transaction.removeSessions(of: account.id, but: signedIn.session.digest)
            try transaction.record(Act(.passwordChanged, account.id), by: .account(account.id), at: now)
        }
    }

    /// A secret for an authenticator app. Nothing is kept of it until a code of it was shown.
    package func newCodeSecret(_ signedIn: SignedIn) -> (secret: String, link: String) {
        let secret = Secret.bytes(OneTimeCode.secretByteCount)
        return (Base32.encode(secret), codeLink(signedIn, secret))
    }

    /// The same secret again, after a code was mistyped; nil for what is no secret.
    package func codeSecret(_ signedIn: SignedIn, _ text: String) -> (secret: String, link: String)? {
        guard let secret = Base32.decode(text), secret.count == OneTimeCode.secretByteCount else { return nil }
        return (Base32.encode(secret), codeLink(signedIn, secret))
    }

    private func codeLink(_ signedIn: SignedIn, _ secret: [UInt8]) -> String {
        OneTimeCode.link(secret: secret, account: signedIn.account.login, issuer: settings.issuer)
    }

    /// Switches the second factor on.
    /// - Returns: the recovery codes, shown this once.
    /// - Throws: `AccountFormError`.
    package func enrol(_ signedIn: SignedIn, secret text: String, code: String, password: String, at now: Instant) async throws -> [String] {
        try await checkPassword(signedIn, password, at: now)
        guard let secret = Base32.decode(text), secret.count == OneTimeCode.secretByteCount,
            let step = OneTimeCode.acceptedStep(code, secret, after: 0, at: now)
        else { throw AccountFormError.wrongCode }
        let sealed = try await sealedSecret(of: signedIn.account, signedIn.municipality).seal(secret)
        let codes = (0..<RecoveryCode.count).map { _ in RecoveryCode.random() }
        try await store.file(signedIn.municipality).write { transaction in
            guard var account = try transaction.account(signedIn.account.id) else { throw CityError.resourceNotFound("the account is gone") }
            (account.codeSecret, account.codeStep) = (sealed, step)
            try transaction.put(account)
            try transaction.removeSecrets(of: account.id, .recovery)
            for digest in codes.compactMap(RecoveryCode.digest) { try transaction.putSecret(digest, of: account.id, .recovery) }
            try transaction.removeSessions(of: account.id, but: signedIn.session.digest)
            try transaction.record(Act(.secondFactorSet, account.id), by: .account(account.id), at: now)
        }
        return codes
    }

    /// Switches the second factor off.
    /// - Throws: `AccountFormError`.
    package func dropSecondFactor(_ signedIn: SignedIn, password: String, at now: Instant) async throws {
        try await checkPassword(signedIn, password, at: now)
        try await store.file(signedIn.municipality).write { transaction in
            guard var account = try transaction.account(signedIn.account.id), account.codeSecret != nil else { return }
            account.codeSecret = nil
            try transaction.put(account)
            try transaction.removeSecrets(of: account.id, .recovery)
            try transaction.record(Act(.secondFactorRemoved, account.id), by: .account(account.id), at: now)
        }
    }

    package func recoveryCodeCount(_ signedIn: SignedIn) async throws -> Int {
        try await store.file(signedIn.municipality).read { try $0.secretCount(of: signedIn.account.id, .recovery) }
    }

    /// What changes how one signs in asks for the password again; guessing it here is slowed down as it is elsewhere.
    func checkPassword(_ signedIn: SignedIn, _ password: String, at now: Instant) async throws {
        guard let hash = signedIn.account.password.flatMap(PasswordHash.init) else { throw AccountFormError.wrongPassword }
        let key = SignInThrottle.Key.device(account: "again \(signedIn.municipality.text)/\(signedIn.account.id)")
        if let seconds = begin([key], at: now) { throw CityError.overloaded("too many attempts; again in \(seconds) seconds") }
        guard try await workshop.run({ hash.matches(password) }) else { throw AccountFormError.wrongPassword }
        succeeded([key])
    }

    /// The hash of a password that is good enough.
    func newHash(_ password: String, of account: AccountRecord, _ municipality: MunicipalityName) async throws -> String {
        let (rules, cost) = (rules, settings.cost)
        let names = [account.login, account.name, municipality.text, settings.issuer]
        return try await workshop.run {
            if let refusal = try rules.refusal(of: password, names: names) { throw AccountFormError(refusal) }
            return try PasswordHash(of: password, cost: cost).text
        }
    }
}

// MARK: - Invitations

extension Accounts {
    /// Whose account an invitation opens; nil for one that is used, old or none.
    package func invited(_ invitation: String, at now: Instant) async throws -> AccountRecord? {
        guard let text = SessionText(invitation), store.exists(text.municipality) else { return nil }
        return try await store.file(text.municipality).read { try $0.account(secret: Self.invitationDigest(text), .invitation, at: now) }
    }

    /// Uses an invitation: sets the password, and signs in. The link is worth nothing afterwards.
    /// - Parameter login: another one than the account has, if it is not empty.
    /// - Throws: `AccountFormError`.
    package func accept(
        _ invitation: String, login: String, name: String, password: String, from visitor: Visitor, at now: Instant
    ) async throws -> SignInOutcome {
        guard let text = SessionText(invitation), var account = try await invited(invitation, at: now), account.isActive(at: now) else {
            throw AccountFormError.linkUsed
        }
        let digest = Self.invitationDigest(text)
        account.login = try Self.checked(login: login.isEmpty ? account.login : login)
        account.name = try Self.checked(name: name.isEmpty ? account.name : name)
        account.password = try await newHash(password, of: account, text.municipality)
        let changed = account
        try await store.file(text.municipality).write { transaction in
            guard try transaction.removeSecret(digest) else { throw AccountFormError.linkUsed }
            if let other = try transaction.account(login: changed.login), other.id != changed.id { throw AccountFormError.loginTaken }
            try transaction.put(changed)
            try transaction.removeSessions(of: changed.id)
            try transaction.record(Act(.passwordChanged, changed.id, details: ["by": "invitation"]), by: .account(changed.id), at: now)
        }
        return try await proved(changed, text.municipality, visitor, by: .invitation, at: now)
    }

    static func invitationDigest(_ text: SessionText) -> String { Secret.digest(of: "invitation " + text.secret) }

    /// 3 to 200 characters without spaces.
    static func checked(login: String) throws(AccountFormError) -> String {
        let login = folded(login)
        let isPlain = login.unicodeScalars.allSatisfy { $0.properties.isAlphabetic || $0.properties.numericType != nil || "@._+-".unicodeScalars.contains($0) }
        guard (3...200).contains(login.count), isPlain else { throw .badLogin }
        return login
    }

    static func checked(name: String) throws(AccountFormError) -> String {
        let isPlain = !name.unicodeScalars.contains { $0.properties.generalCategory == .control }
        guard (1...200).contains(name.count), isPlain, name.contains(where: { $0 != " " }) else { throw .badName }
        return name
    }
}
