package import CityModel
package import Store

/// What a request shows to say who it comes from.
package enum Credential: Hashable, Sendable {
    case none
    /// The text after `Authorization: Bearer`.
    case bearer(String)
    /// The request came over the control socket, which only the program's own user can open.
    case controlSocket
    /// The program speaks to itself.
    case program
}

/// The one place that decides what a request may do. Every door asks it, and what it answers is the only way into the
/// Broker.
package struct Gatekeeper: Sendable {
    let store: Store
    private let isOpen: Bool

    /// - Parameter isOpen: whether authentication is switched off: everyone may do everything.
    package init(store: Store, isOpen: Bool) {
        self.store = store
        self.isOpen = isOpen
    }

    /// - Throws: `unauthenticated` for a token that is not valid here. Without a credential only open data can be read.
    package func reading(
        _ municipality: MunicipalityName, _ credential: Credential, for purpose: Purpose = .publicService
    ) async throws(CityError) -> ReadAccess {
        let holder = try await holder(of: credential, in: municipality)
        return ReadAccess(
            municipality: municipality, principal: holder.principal, purpose: purpose,
            classificationMax: holder.right == nil ? .open : .special)
    }

    /// The access that a token gives in its own municipality, for answers that go over all of them: elsewhere its holder
    /// is as anybody. Nil without a token, and where authentication is switched off.
    /// - Throws: `unauthenticated` for a token that is not valid.
    package func home(of credential: Credential) async throws(CityError) -> ReadAccess? {
        guard !isOpen, case .bearer(let text) = credential else { return nil }
        guard let municipality = Token.municipality(in: text) else { throw .unauthenticated("Authorization: this is not a token of this installation") }
        return try await reading(municipality, credential)
    }

    /// - Throws: `unauthenticated` without a valid credential, `forbidden` when it does not allow writing.
    package func writing(
        _ municipality: MunicipalityName, _ credential: Credential, for purpose: Purpose = .publicService
    ) async throws(CityError) -> WriteAccess {
        WriteAccess(reading: try await permitted(.write, municipality, credential, purpose))
    }

    /// - Throws: `unauthenticated` without a valid credential, `forbidden` when it does not allow administration.
    package func administering(_ municipality: MunicipalityName, _ credential: Credential) async throws(CityError) -> AdministerAccess {
        AdministerAccess(writing: WriteAccess(reading: try await permitted(.administer, municipality, credential, .administration)))
    }

    /// - Throws: `forbidden` unless the request comes from the machine itself or the installation is open.
    package func installation(_ credential: Credential) throws(CityError) -> InstallationAccess {
        switch credential {
        case .controlSocket: return InstallationAccess(principal: .operatorOnMachine)
        case .program: return InstallationAccess(principal: .program)
        case .none, .bearer:
            guard isOpen else { throw .forbidden("municipalities are created and removed with the conurb command on the server's machine") }
            return InstallationAccess(principal: .openInstallation)
        }
    }

    /// What a credential is worth in another municipality: itself where it is valid, else nothing. A municipality decides alone
    /// what it shows to those whom only another one knows.
    package func credential(_ credential: Credential, takenTo municipality: MunicipalityName) async -> Credential {
        guard case .bearer(let text) = credential, !isOpen else { return credential }
        return (try? await token(text, municipality)) == nil ? .none : credential
    }

    private func permitted(
        _ right: Right, _ municipality: MunicipalityName, _ credential: Credential, _ purpose: Purpose
    ) async throws(CityError) -> ReadAccess {
        let holder = try await holder(of: credential, in: municipality)
        guard let held = holder.right else {
            throw .unauthenticated("Authorization: this needs a bearer token with the right to \(right.name)")
        }
        guard held >= right else { throw .forbidden("Authorization: this token may \(held.name), not \(right.name)") }
        return ReadAccess(municipality: municipality, principal: holder.principal, purpose: purpose, classificationMax: .special)
    }

    private func holder(
        of credential: Credential, in municipality: MunicipalityName
    ) async throws(CityError) -> (principal: Principal, right: Right?) {
        switch credential {
        case .controlSocket: return (.operatorOnMachine, .administer)
        case .program: return (.program, .administer)
        case .none, .bearer:
            if isOpen { return (.openInstallation, .administer) }
        }
        guard case .bearer(let text) = credential else { return (.anonymous, nil) }
        guard let token = try await token(text, municipality) else {
            throw .unauthenticated("Authorization: this token is not valid for municipality \(municipality)")
        }
        return (.token(token.id), token.right)
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
        }
        return (text, token)
    }

    package func tokens(_ access: AdministerAccess) async throws -> [Token] {
        try await store.file(access.municipality).read { snapshot in
            try snapshot.documents(.token).compactMap(Token.init)
        }
    }

    /// - Returns: whether there was a token with this identifier.
    package func revokeToken(_ access: AdministerAccess, id: String) async throws -> Bool {
        try await store.file(access.municipality).write { transaction in
            let matching = try transaction.documents(.token).compactMap(Token.init).filter { $0.id == id }
            for token in matching { _ = try transaction.removeDocument(.token, token.digest) }
            return !matching.isEmpty
        }
    }
}
