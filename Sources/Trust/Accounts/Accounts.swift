internal import Crypto
package import CityModel
package import Store
internal import Synchronization

/// Accounts of people, what proves who they are, and their sessions. Each municipality keeps its own.
package final class Accounts: Sendable {
    let store: Store
    package let settings: AccountSettings
    let workshop = PasswordWorkshop()
    let rules: PasswordRules
    private let throttle = Mutex(SignInThrottle())
    let failures = Mutex(FailedSignIns())
    private let accountability: Accountability
    /// What a password is held against where there is no account: it takes as long.
    private let decoy: PasswordHash

    /// - Parameter accountability: knows the keys of municipalities; nil: they lie beside the municipalities.
    package init(store: Store, settings: AccountSettings = .init(), accountability: Accountability? = nil) {
        (self.store, self.settings) = (store, settings)
        self.accountability = accountability ?? Accountability(store: store, ring: KeyRing(directory: store.keysDirectory))
        decoy = .decoy(cost: settings.cost)
        rules = PasswordRules(breached: settings.breachedList.map(BreachedPasswords.init))
    }
}

/// What proved who somebody is. Raw values are recorded for ever.
enum SignInMeans: String, Sendable {
    case password, invitation, provider
    case secondFactor = "second-factor"
}

extension Accounts {
    /// Counts an attempt. The seconds to wait first, or nil.
    func begin(_ keys: [SignInThrottle.Key], at now: Instant) -> Int? { throttle.withLock { $0.begin(keys, at: now) } }
    func succeeded(_ keys: [SignInThrottle.Key]) { throttle.withLock { $0.succeeded(keys) } }
}

// MARK: - Signing in

/// Where an attempt to sign in comes from.
package struct Visitor: Sendable {
    /// The network address, as far as one household or office has it.
    package let address: String
    /// What shows that somebody signed in from this browser before.
    package let device: String?
    /// What the browser calls itself.
    package let agent: String

    package init(address: String, device: String? = nil, agent: String = "") {
        (self.address, self.device, self.agent) = (address, device, String(agent.prefix(200)))
    }
}

/// How an attempt to sign in ended.
package enum SignInOutcome: Sendable {
    /// What the browser is to hold: the session, and what makes it known the next time.
    case signedIn(session: String, device: String)
    /// The password was right; a code of the second factor has to follow.
    case needsCode(session: String)
    /// Login, password or code is wrong, or the account is not to be used. Which of them is told to nobody.
    case refused
    case tooManyAttempts(waitSeconds: Int)
}

extension Accounts {
    package func signIn(
        _ municipality: MunicipalityName, login: String, password: String, from visitor: Visitor, at now: Instant
    ) async throws -> SignInOutcome {
        let login = Self.folded(login)
        let file = store.exists(municipality) ? try store.file(municipality) : nil
        let account = try await file?.read { try $0.account(login: login) }
        let isKnownDevice = if let account, let device = visitor.device { try await isKnown(device, account, municipality) } else { false }
        let keys = SignInThrottle.keys(
            account: "\(municipality.text)/\(Secret.digest(of: login))", address: visitor.address, isKnownDevice: isKnownDevice)
        if let seconds = begin(keys, at: now) { return .tooManyAttempts(waitSeconds: seconds) }
        let hash = account?.password.flatMap(PasswordHash.init) ?? decoy
        let isRight = try await workshop.run { hash.matches(password) }
        guard isRight, let account, account.password != nil, account.isActive(at: now) else {
            if let account { failures.withLock { $0.add(municipality, account.id, at: now) } }
            return .refused
        }
        succeeded(keys)
        return try await proved(account, municipality, visitor, by: .password, at: now)
    }

    /// Somebody has proved with one thing who he is; where there is a second factor, it is still to come.
    func proved(
        _ account: AccountRecord, _ municipality: MunicipalityName, _ visitor: Visitor, by means: SignInMeans, at now: Instant
    ) async throws -> SignInOutcome {
        guard account.codeSecret == nil else {
            return .needsCode(session: try await openSession(account, municipality, visitor, by: nil, at: now))
        }
        return try await signedIn(account, municipality, visitor, by: means, at: now)
    }

    /// The second step: a code of the authenticator app, or a recovery code. Whoever waits for it has a session that allows nothing else.
    package func confirm(_ session: String, code: String, from visitor: Visitor, at now: Instant) async throws -> SignInOutcome {
        guard let text = SessionText(session), let (account, record) = try await find(text, at: now), record.waitsForCode else { return .refused }
        let keys = [SignInThrottle.Key.device(account: "code \(text.municipality.text)/\(account.id)")]
        if let seconds = begin(keys, at: now) { return .tooManyAttempts(waitSeconds: seconds) }
        guard try await useCode(code, of: account, text.municipality, at: now) else {
            failures.withLock { $0.add(text.municipality, account.id, at: now) }
            return .refused
        }
        succeeded(keys)
        _ = try await store.file(text.municipality).write { try $0.removeSession(text.digest) }
        return try await signedIn(account, text.municipality, visitor, by: .secondFactor, at: now)
    }

    /// Takes a code, once. Two requests with the same code: the second finds it used, for both look in the transaction that uses it.
    func useCode(_ code: String, of account: AccountRecord, _ municipality: MunicipalityName, at now: Instant) async throws -> Bool {
        if let digest = RecoveryCode.digest(of: code) {
            return try await store.file(municipality).write { transaction in
                guard try transaction.account(secret: digest, .recovery, at: now)?.id == account.id else { return false }
                return try transaction.removeSecret(digest)
            }
        }
        let sealed = try await sealedSecret(of: account, municipality)
        return try await store.file(municipality).write { transaction in
            guard var current = try transaction.account(account.id), let stored = current.codeSecret else { return false }
            let secret = try sealed.open(stored)
            guard let step = OneTimeCode.acceptedStep(code, secret, after: current.codeStep, at: now) else { return false }
            current.codeStep = step
            if !SealedSecret.isSealed(stored) { current.codeSecret = try sealed.seal(secret) }
            try transaction.put(current)
            return true
        }
    }

    func sealedSecret(of account: AccountRecord, _ municipality: MunicipalityName) async throws -> SealedSecret {
        SealedSecret(personal: try await accountability.personalKey(of: municipality), municipality: municipality, account: account.id)
    }

    /// A session, and the browser known from now on.
    func signedIn(
        _ account: AccountRecord, _ municipality: MunicipalityName, _ visitor: Visitor, by means: SignInMeans, at now: Instant
    ) async throws -> SignInOutcome {
        let session = try await openSession(account, municipality, visitor, by: means, at: now)
        return .signedIn(session: session, device: try await deviceText(account, municipality, at: now))
    }

    /// - Parameter means: what proved who it is; nil while a code is still to come.
    private func openSession(
        _ account: AccountRecord, _ municipality: MunicipalityName, _ visitor: Visitor, by means: SignInMeans?, at now: Instant
    ) async throws -> String {
        let (text, waitsForCode) = (SessionText(newIn: municipality), means == nil)
        let settings = settings
        let record = SessionRecord(digest: text.digest, account: account.id, waitsForCode: waitsForCode, createdAt: now, agent: visitor.agent)
        try await store.file(municipality).write { transaction in
            guard var current = try transaction.account(account.id), current.isActive(at: now) else {
                throw CityError.forbidden("the account is not to be used any more")
            }
            try transaction.put(
                record, usedAfter: now.adding(seconds: -settings.sessionIdleSeconds), createdAfter: now.adding(seconds: -settings.sessionSeconds),
                countMax: AccountSettings.sessionCountMax)
            guard let means else { return }
            current.signedInAt = now
            try transaction.put(current)
            try transaction.record(Act(.signedIn, account.id, details: ["by": .string(means.rawValue)]), by: .account(account.id), at: now)
        }
        return text.text
    }

    static func folded(_ login: String) -> String { login.filter { $0 != " " }.lowercased() }
}

// MARK: - Browsers that are known

extension Accounts {
    private static let deviceKey = "account-device-key"

    /// Says that somebody signed in to the account from this browser: the account and a mark that only this municipality's file can make.
    private func deviceText(_ account: AccountRecord, _ municipality: MunicipalityName, at now: Instant) async throws -> String {
        let key = try await store.file(municipality).write { transaction in
            if let known = try transaction.document(.setting, Self.deviceKey)?.body.stringValue { return known }
            let made = Secret.text()
            try transaction.put(.setting, Self.deviceKey, .string(made), at: now)
            return made
        }
        return "\(account.id).\(Self.mark(account, key))"
    }

    private func isKnown(_ device: String, _ account: AccountRecord, _ municipality: MunicipalityName) async throws -> Bool {
        guard let key = try await store.file(municipality).read({ try $0.document(.setting, Self.deviceKey)?.body.stringValue }) else { return false }
        return Secret.areEqual(Array(device.utf8), Array("\(account.id).\(Self.mark(account, key))".utf8))
    }

    /// With another password it is another one.
    private static func mark(_ account: AccountRecord, _ key: String) -> String {
        let text = "\(account.id) \(account.password ?? "")"
        return Base64.url.encode(Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: Array(key.utf8)))))
    }
}

// MARK: - Sessions

extension Accounts {
    /// Who a session stands for; nil for one that is over, was ended, or waits for a code.
    package func signedIn(_ session: String, at now: Instant) async throws -> SignedIn? {
        guard let text = SessionText(session), let (account, record) = try await find(text, at: now), !record.waitsForCode else { return nil }
        return SignedIn(text, account, record, settings)
    }

    /// Whether it is a session that waits for a code.
    package func waitsForCode(_ session: String, at now: Instant) async throws -> Bool {
        guard let text = SessionText(session), let (_, record) = try await find(text, at: now) else { return false }
        return record.waitsForCode
    }

    private func find(_ text: SessionText, at now: Instant) async throws -> (AccountRecord, SessionRecord)? {
        guard store.exists(text.municipality) else { return nil }
        let file = try store.file(text.municipality)
        let found = try await file.read { snapshot in
            try snapshot.session(text.digest).flatMap { session in try snapshot.account(session.account).map { ($0, session) } }
        }
        guard let (account, session) = found, account.isActive(at: now), settings.isAlive((session.createdAt, session.usedAt), at: now),
            !session.waitsForCode || session.createdAt.adding(seconds: Self.codeSeconds) > now
        else { return nil }
        // Noted so often that it is known well enough when it was used, and seldom enough that reading does not write all the time.
        if session.usedAt.adding(seconds: settings.sessionIdleSeconds / 20) < now { try await file.write { try $0.noteUse(ofSession: text.digest, at: now) } }
        return (account, session)
    }

    /// Seconds for which a right password waits for its code.
    private static let codeSeconds = 300.0

    package func signOut(_ session: String) async throws {
        guard let text = SessionText(session), store.exists(text.municipality) else { return }
        _ = try await store.file(text.municipality).write { try $0.removeSession(text.digest) }
    }

    package func sessions(_ signedIn: SignedIn) async throws -> [SessionRecord] {
        try await store.file(signedIn.municipality).read { try $0.sessions(of: signedIn.account.id) }.filter { !$0.waitsForCode }
    }

    /// Ends all sessions of the account, this one included.
    package func signOutEverywhere(_ signedIn: SignedIn, at now: Instant) async throws {
        let account = signedIn.account.id
        try await store.file(signedIn.municipality).write { transaction in
            try transaction.removeSessions(of: account)
            try transaction.record(Act(.signedOutEverywhere, account), by: .account(account), at: now)
        }
    }

    /// Whether a form was sent from a page of the session.
    package func isOwnForm(_ token: String?, _ signedIn: SignedIn) -> Bool {
        token.map { Secret.areEqual(Array($0.utf8), Array(signedIn.formToken.utf8)) } ?? false
    }
}
