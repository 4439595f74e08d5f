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
    let library = PolicyLibrary()
    let uses = TokenUses()

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
        guard !holder.isDevice else { throw .forbidden("Authorization: the key of a device writes, and sees nothing") }
        let terms = try await stated(terms, holder, in: municipality)
        let sight = try await sight(of: holder, in: municipality, terms, action)
        return ReadAccess(
            municipality: municipality, principal: holder.principal, claimant: holder.requester.map { Claimant($0, terms) }, action: action, sight: sight)
    }

    /// What the rules let somebody see.
    private func sight(
        of holder: Holder, in municipality: MunicipalityName, _ terms: RequestTerms, _ action: AccessAction
    ) async throws(CityError) -> Sight {
        guard let requester = holder.requester else { return .upTo(.special) }
        return Sight(try await ruling(requester, in: municipality, terms, action), isOfFigures: action == .aggregate)
    }

    /// What a request is for, as far as its token is held to purposes. With a single one it need not be said.
    /// - Throws: `forbidden` for another purpose, and where one of several has to be said.
    private func stated(_ terms: RequestTerms, _ holder: Holder, in municipality: MunicipalityName) async throws(CityError) -> RequestTerms {
        guard let purposes = holder.purposes else { return terms }
        var stated = terms
        stated.purpose = terms.purpose ?? (purposes.count == 1 ? purposes.first : nil)
        let lineage = try await policies(of: municipality).purposes.lineage(of: stated.purpose ?? "")
        guard !lineage.isDisjoint(with: purposes) else {
            throw .forbidden("Conurb-Purpose: this token is for \(purposes.sorted().joined(separator: ", ")), and not for \(stated.purpose ?? "requests that name no purpose")")
        }
        return stated
    }

    func ruling(
        _ requester: Requester, in municipality: MunicipalityName, _ terms: RequestTerms, _ action: AccessAction
    ) async throws(CityError) -> Ruling {
        try await policies(of: municipality).ruling(requester, action, purpose: terms.purpose, agreement: terms.agreement, now: now())
    }

    func policies(of municipality: MunicipalityName) async throws(CityError) -> Policies {
        do {
            // Who asks of a municipality that is not there goes by the rules of a new one.
            return store.exists(municipality) ? try await library.policies(of: store.file(municipality)) : try PolicyLibrary.policies([])
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
        return (try? await holder(of: credential, in: municipality)) == nil ? .none : credential
    }

    private func permitted(
        _ right: Right, _ municipality: MunicipalityName, _ credential: Credential, _ terms: RequestTerms
    ) async throws(CityError) -> WriteAccess {
        let holder = try await holder(of: credential, in: municipality)
        guard let held = holder.right else {
            throw .unauthenticated("Authorization: this needs a bearer token with the right to \(right.name)")
        }
        guard held >= right else { throw .forbidden("Authorization: \(holder.principal.shown) may \(held.name), not \(right.name)") }
        let terms = try await stated(terms, holder, in: municipality)
        func sight(_ action: AccessAction) async throws(CityError) -> Sight { try await self.sight(of: holder, in: municipality, terms, action) }
        let reading = ReadAccess(
            municipality: municipality, principal: holder.principal, claimant: holder.seeing.requester.map { Claimant($0, terms) },
            action: .read, sight: try await self.sight(of: holder.seeing, in: municipality, terms, .read))
        let permit = WritePermit(
            reading: reading.sight, writing: try await sight(.write), erasing: try await sight(.erase), identifierPrefix: holder.device?.identifierPrefix)
        return WriteAccess(reading: reading, permit: permit, device: holder.device)
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
        guard let (token, owner) = try await token(text, municipality) else {
            throw .unauthenticated("Authorization: this token is not valid for municipality \(municipality)")
        }
        guard !token.isOver(at: now()) else { throw .unauthenticated("Authorization: this token has expired") }
        guard let holder = Holder(token, owner: owner, in: municipality, at: now()) else {
            throw .unauthenticated("Authorization: the account whose token this is can't be used any more")
        }
        uses.note(token, in: municipality, at: now())
        return holder
    }

    /// A token with the account that it acts for, where it does.
    private func token(_ text: String, _ municipality: MunicipalityName) async throws(CityError) -> (Token, owner: AccountRecord?)? {
        let digest = Token.digest(of: text)
        do {
            guard store.exists(municipality) else { return nil }
            return try await store.file(municipality).read { snapshot in
                guard let token = try snapshot.document(.token, digest).flatMap(Token.init) else { return nil }
                return (token, try token.owner.flatMap { try snapshot.account($0) })
            }
        } catch {
            throw .internalFault("tokens of \(municipality) can't be read: \(error)")
        }
    }
}

extension Right {
    /// The role of whoever holds a token with it.
    var role: Role {
        switch self {
        case .read: .tokenReader
        case .write: .tokenWriter
        case .administer: .tokenAdministrator
        }
    }
}
