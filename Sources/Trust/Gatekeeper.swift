package import CityModel
package import Policy
package import Store

/// What a request shows to say who it comes from.
package enum Credential: Hashable, Sendable {
    case none
    /// The text after `Authorization: Bearer`.
    case bearer(String)
    /// What a browser holds since somebody signed in (`SessionText`).
    case session(String)
    /// The request came over the control socket, which only the program's own user can open.
    case controlSocket
    /// The program speaks to itself.
    case program
}

/// The one place that decides what a request may do. Every door asks it, and what it answers is the only way into the
/// Broker.
package struct Gatekeeper: Sendable {
    let store: Store
    package let accounts: Accounts
    let bearers: Bearers?
    /// Whether authentication is switched off.
    package let isOpen: Bool
    let now: @Sendable () -> Instant
    private let library = PolicyLibrary()

    /// - Parameter isOpen: whether authentication is switched off: everyone may do everything.
    /// - Parameter now: tells which rules hold.
    package init(
        store: Store, isOpen: Bool, accounts: Accounts? = nil, bearers: Bearers? = nil, now: @escaping @Sendable () -> Instant = { .now }
    ) {
        (self.store, self.isOpen, self.now) = (store, isOpen, now)
        (self.accounts, self.bearers) = (accounts ?? Accounts(store: store), bearers)
    }

    /// - Parameter action: what is done with what is read.
    /// - Throws: `unauthenticated` for a token that is not valid here. Whoever shows nothing is anybody.
    package func reading(
        _ municipality: MunicipalityName, _ credential: Credential, _ terms: RequestTerms = .none, to action: AccessAction = .read
    ) async throws(CityError) -> ReadAccess {
        let holder = try await holder(of: credential, in: municipality)
        let sight = try await sight(of: holder, in: municipality, terms, action)
        return ReadAccess(municipality: municipality, principal: holder.principal, claimant: holder.requester.map { Claimant($0, terms) }, sight: sight)
    }

    /// What the rules let somebody see.
    private func sight(
        of holder: Holder, in municipality: MunicipalityName, _ terms: RequestTerms, _ action: AccessAction
    ) async throws(CityError) -> Sight {
        guard let requester = holder.requester else { return .upTo(.special) }
        return Sight(try await ruling(requester, in: municipality, terms, action), isOfFigures: action == .aggregate)
    }

    func ruling(
        _ requester: Requester, in municipality: MunicipalityName, _ terms: RequestTerms, _ action: AccessAction
    ) async throws(CityError) -> Ruling {
        do {
            // Who asks of a municipality that is not there goes by the rules of a new one.
            let policies = store.exists(municipality) ? try await library.policies(of: store.file(municipality)) : try PolicyLibrary.policies([])
            return policies.ruling(requester, action, purpose: terms.purpose, agreement: terms.agreement, now: now())
        } catch let error as CityError { throw error } catch {
            throw .internalFault("the rules of access of \(municipality) can't be read: \(error)")
        }
    }

    /// The access that a credential gives in its own municipality, for answers that go over all of them: elsewhere its holder
    /// is as anybody. Nil without one, and where authentication is switched off.
    /// - Throws: `unauthenticated` for a token that is not valid.
    package func home(
        of credential: Credential, _ terms: RequestTerms = .none, to action: AccessAction = .read
    ) async throws(CityError) -> ReadAccess? {
        guard !isOpen else { return nil }
        if case .session(let text) = credential {
            guard let municipality = SessionText(text)?.municipality, try await signedIn(credential, municipality) != nil else { return nil }
            return try await reading(municipality, credential, terms, to: action)
        }
        guard case .bearer(let text) = credential else { return nil }
        if let bearers, SignedToken.isPossible(text) { return try await reading(bearers.settings.municipality, credential, terms, to: action) }
        guard let municipality = Token.municipality(in: text) else { throw .unauthenticated("Authorization: this is not a token of this installation") }
        return try await reading(municipality, credential, terms, to: action)
    }

    /// - Throws: `unauthenticated` without a valid credential, `forbidden` when it does not allow writing.
    package func writing(
        _ municipality: MunicipalityName, _ credential: Credential, _ terms: RequestTerms = .none
    ) async throws(CityError) -> WriteAccess {
        try await permitted(.write, municipality, credential, terms)
    }

    /// - Throws: `unauthenticated` without a valid credential, `forbidden` when it does not allow administration.
    package func administering(_ municipality: MunicipalityName, _ credential: Credential) async throws(CityError) -> AdministerAccess {
        AdministerAccess(writing: try await permitted(.administer, municipality, credential, .none))
    }

    /// - Throws: `forbidden` unless the request comes from the machine itself or the installation is open.
    package func installation(_ credential: Credential) throws(CityError) -> InstallationAccess {
        switch credential {
        case .controlSocket: return InstallationAccess(principal: .operatorOnMachine)
        case .program: return InstallationAccess(principal: .program)
        case .none, .bearer, .session:
            guard isOpen else { throw .forbidden("municipalities are created and removed with the conurb command on the server's machine") }
            return InstallationAccess(principal: .openInstallation)
        }
    }

    /// What a credential is worth in another municipality: itself where it is valid, else nothing. A municipality decides alone
    /// what it shows to those whom only another one knows.
    package func credential(_ credential: Credential, takenTo municipality: MunicipalityName) async -> Credential {
        guard !isOpen else { return credential }
        if case .session = credential { return (try? await signedIn(credential, municipality)) == nil ? .none : credential }
        guard case .bearer(let text) = credential else { return credential }
        if SignedToken.isPossible(text) { return (try? await holder(ofForeign: text, in: municipality)) == nil ? .none : credential }
        return (try? await token(text, municipality)) == nil ? .none : credential
    }

    private func permitted(
        _ right: Right, _ municipality: MunicipalityName, _ credential: Credential, _ terms: RequestTerms
    ) async throws(CityError) -> WriteAccess {
        let holder = try await holder(of: credential, in: municipality)
        guard let held = holder.right else {
            throw .unauthenticated("Authorization: this needs a bearer token with the right to \(right.name)")
        }
        guard held >= right else { throw .forbidden("Authorization: \(holder.principal.shown) may \(held.name), not \(right.name)") }
        func sight(_ action: AccessAction) async throws(CityError) -> Sight { try await self.sight(of: holder, in: municipality, terms, action) }
        let reading = ReadAccess(
            municipality: municipality, principal: holder.principal, claimant: holder.requester.map { Claimant($0, terms) }, sight: try await sight(.read))
        return WriteAccess(
            reading: reading, permit: WritePermit(reading: reading.sight, writing: try await sight(.write), erasing: try await sight(.erase)))
    }

    private func holder(of credential: Credential, in municipality: MunicipalityName) async throws(CityError) -> Holder {
        switch credential {
        case .controlSocket: return Holder(principal: .operatorOnMachine, right: .administer, requester: nil)
        case .program: return Holder(principal: .program, right: .administer, requester: nil)
        case .none, .bearer, .session:
            if isOpen { return Holder(principal: .openInstallation, right: .administer, requester: nil) }
        }
        if case .session = credential { return try await holder(ofSession: credential, in: municipality) }
        guard case .bearer(let text) = credential else { return .nobody }
        if let holder = try await holder(ofForeign: text, in: municipality) { return holder }
        guard let token = try await token(text, municipality) else {
            throw .unauthenticated("Authorization: this token is not valid for municipality \(municipality)")
        }
        return Holder(
            principal: .token(token.id), right: token.right,
            requester: Requester(account: "token:\(token.id)", roles: [token.right.role], municipality: municipality))
    }

    private func token(_ text: String, _ municipality: MunicipalityName) async throws(CityError) -> Token? {
        let digest = Token.digest(of: text)
        do {
            guard store.exists(municipality) else { return nil }
            return try await store.file(municipality).read { try $0.document(.token, digest).flatMap(Token.init) }
        } catch {
            throw .internalFault("tokens of \(municipality) can't be read: \(error)")
        }
    }
}

extension Gatekeeper {
    /// Makes a token. The text is shown this once; only its digest is kept.
    package func createToken(
        _ access: AdministerAccess, name: String, right: Right, now: Instant
    ) async throws -> (text: String, token: Token) {
        let text = Token.randomText(municipality: access.municipality)
        let token = Token(id: Token.randomID(), name: name, right: right, createdAt: now, digest: Token.digest(of: text))
        try await store.file(access.municipality).write { transaction in
            try transaction.put(.token, token.digest, token.json, at: now)
            try transaction.record(Act(.tokenCreated, token.id, details: ["name": .string(name), "right": .string(right.name)]), access, at: now)
        }
        return (text, token)
    }

    package func tokens(_ access: AdministerAccess) async throws -> [Token] {
        try await store.file(access.municipality).read { snapshot in
            try snapshot.documents(.token).compactMap(Token.init)
        }
    }

    /// - Returns: whether there was a token with this identifier.
    package func revokeToken(_ access: AdministerAccess, id: String, now: Instant) async throws -> Bool {
        try await store.file(access.municipality).write { transaction in
            let matching = try transaction.documents(.token).compactMap(Token.init).filter { $0.id == id }
            for token in matching {
                _ = try transaction.removeDocument(.token, token.digest)
                try transaction.record(Act(.tokenRevoked, token.id, details: ["name": .string(token.name)]), access, at: now)
            }
            return !matching.isEmpty
        }
    }
}

extension Right {
    /// The role of whoever holds a token with it.
    fileprivate var role: Role {
        switch self {
        case .read: .tokenReader
        case .write: .tokenWriter
        case .administer: .tokenAdministrator
        }
    }
}
