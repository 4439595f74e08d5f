package import CityModel
internal import OrderedCollections
package import Store

/// What administrators do with the accounts of their municipality.
extension Accounts {
    package func list(_ access: AdministerAccess) async throws -> [AccountRecord] {
        try await store.file(access.municipality).read { try $0.accounts() }
    }

    /// Makes an account without a password: an invitation lets its owner set one.
    /// - Throws: `badRequestData` that names the member at fault, `alreadyExists`.
    package func create(
        _ access: AdministerAccess, login: String, name: String, language: String? = nil, roles: [String], endsAt: Instant? = nil, at now: Instant
    ) async throws -> AccountRecord {
        try AccountRoles.check(roles, endsAt: endsAt)
        var account = AccountRecord(
            id: Secret.text(byteCount: 9), login: try Self.known(login: login), name: try Self.known(name: name), roles: roles, endsAt: endsAt, createdAt: now)
        account.language = language
        let made = account
        try await store.file(access.municipality).write { transaction in
            guard try transaction.account(login: made.login) == nil else { throw CityError.alreadyExists("login: there is an account \(made.login)") }
            guard try transaction.accounts().count < AccountSettings.accountCountMax else {
                throw CityError.overloaded("a municipality has at most \(AccountSettings.accountCountMax) accounts")
            }
            try transaction.put(made)
            try transaction.record(made.act(.accountCreated), access, at: now)
        }
        return made
    }

    /// Changes what is given. Whoever is disabled or gets other roles is signed out everywhere.
    /// - Parameter endsAt: nil leaves it as it is; an inner nil takes it away.
    package func change(
        _ access: AdministerAccess, _ login: String, roles: [String]? = nil, endsAt: Instant?? = nil, isDisabled: Bool? = nil, at now: Instant
    ) async throws -> AccountRecord {
        try await store.file(access.municipality).write { transaction in
            guard var account = try transaction.account(login: Self.folded(login)) else { throw Self.missing(login) }
            account.roles = roles ?? account.roles
            account.endsAt = endsAt ?? account.endsAt
            account.isDisabled = isDisabled ?? account.isDisabled
            try AccountRoles.check(account.roles, endsAt: account.endsAt)
            try transaction.put(account)
            try transaction.removeSessions(of: account.id)
            if account.isDisabled { try transaction.removeSecrets(of: account.id, .invitation) }
            try transaction.record(account.act(.accountChanged), access, at: now)
            return account
        }
    }

    package func remove(_ access: AdministerAccess, _ login: String, at now: Instant) async throws {
        try await store.file(access.municipality).write { transaction in
            guard let account = try transaction.account(login: Self.folded(login)), try transaction.removeAccount(account.id) else {
                throw Self.missing(login)
            }
            try transaction.revokeTokens(of: account.id, by: access.writing.reading.principal, at: now)
            try transaction.record(account.act(.accountRemoved), access, at: now)
        }
    }

    /// Makes a link with which an account's password can be set, for a day and once; earlier ones are void. It also leads back in whoever has lost password and
    /// phone: the second factor is taken off, for it would lock him out.
    /// - Returns: what follows `/account/set-up/`.
    package func invite(_ access: AdministerAccess, _ login: String, at now: Instant) async throws -> String {
        let text = SessionText(newIn: access.municipality)
        try await store.file(access.municipality).write { transaction in
            guard let account = try transaction.account(login: Self.folded(login)) else { throw Self.missing(login) }
            guard account.isActive(at: now) else { throw CityError.conflict("\(account.login) is disabled or has ended") }
            try transaction.removeSecrets(of: account.id, .invitation)
            try transaction.putSecret(
                Self.invitationDigest(text), of: account.id, .invitation, until: now.adding(seconds: AccountSettings.invitationSeconds))
            try transaction.record(account.act(.accountInvited), access, at: now)
        }
        return text.text
    }

    /// Takes off the second factor of somebody who has lost it, and the recovery codes with it; whoever needs one sets up another at the next sign-in, for which the
    /// password still counts. The account is signed out everywhere.
    package func resetSecondFactor(_ access: AdministerAccess, _ login: String, at now: Instant) async throws {
        try await store.file(access.municipality).write { transaction in
            guard var account = try transaction.account(login: Self.folded(login)) else { throw Self.missing(login) }
            guard account.codeSecret != nil else { throw CityError.conflict("\(account.login) has no second factor") }
            try transaction.takeOffSecondFactor(&account, access, at: now)
            try transaction.removeSessions(of: account.id)
        }
    }

    private static func missing(_ login: String) -> CityError { .resourceNotFound("there is no account \(login.prefix(200))") }

    private static func known(login: String) throws(CityError) -> String {
        do { return try checked(login: login) } catch { throw .badRequestData("login: 3 to 200 letters, digits and any of @ . _ + -") }
    }

    private static func known(name: String) throws(CityError) -> String {
        do { return try checked(name: name) } catch { throw .badRequestData("name: 1 to 200 characters") }
    }
}

// MARK: - The first administrator

extension Accounts {
    /// The invitation of an administrator for an installation that has none in any municipality, else nil. The account is made where it is missing:
    /// in the first municipality, or in the one that requests without a name speak to.
    package func firstAdministrator(_ gatekeeper: Gatekeeper, at now: Instant) async throws -> (municipality: MunicipalityName, invitation: String)? {
        let names = try store.municipalities()
        for name in names where try await hasAdministrator(name, at: now) { return nil }
        let name = names.contains(.standard) ? .standard : names.first ?? .standard
        _ = try store.file(name, creating: true)
        let access = try await gatekeeper.administering(name, .program)
        if try await store.file(name).read({ try $0.account(login: Self.firstLogin) }) == nil {
            _ = try await create(access, login: Self.firstLogin, name: "Administrator", roles: ["administrator"], at: now)
        }
        // It is there without the role, disabled or ended: somebody wanted it so.
        guard let account = try await store.file(name).read({ try $0.account(login: Self.firstLogin) }), account.isActive(at: now),
            account.roles.contains("administrator")
        else { return nil }
        return (name, try await invite(access, Self.firstLogin, at: now))
    }

    private static let firstLogin = "administrator"

    /// One that can sign in.
    private func hasAdministrator(_ name: MunicipalityName, at now: Instant) async throws -> Bool {
        try await store.file(name).read { snapshot in
            try snapshot.accounts().contains { $0.roles.contains("administrator") && ($0.password != nil || $0.signedInAt != nil) && $0.isActive(at: now) }
        }
    }
}

extension WriteTransaction {
    fileprivate func takeOffSecondFactor(_ account: inout AccountRecord, _ access: AdministerAccess, at now: Instant) throws {
        try removeSecrets(of: account.id, .recovery)
        guard account.codeSecret != nil else { return }
        account.codeSecret = nil
        try put(account)
        try record(Act(.secondFactorReset, account.id), access, at: now)
    }
}

extension AccountRecord {
    /// What is accountable of it. Who it is stays out: the file says, as long as there is the account.
    func act(_ kind: ActKind) -> Act {
        var details: JSONObject = ["roles": .array(roles.map(JSON.string))]
        if let endsAt { details["endsAt"] = .string(endsAt.description) }
        if isDisabled { details["disabled"] = true }
        return Act(kind, id, details: .object(details))
    }
}
