package import CityModel
internal import Ledger
package import Policy
package import Store

/// What people may do with what is held about them.
extension Gatekeeper {
    /// What rules let somebody read of what is about them.
    package func reading(_ signedIn: SignedIn, to action: AccessAction = .read) async throws(CityError) -> ReadAccess {
        let holder = Holder(.account(signedIn.account.id), roles: signedIn.account.roles, in: signedIn.municipality)
        guard let requester = holder.requester else { throw .internalFault("an account has no requester") }
        let ruling = try await ruling(requester, in: signedIn.municipality, .none, action)
        return ReadAccess(
            municipality: signedIn.municipality, principal: holder.principal, claimant: Claimant(requester, .none), action: action, sight: Sight(ruling))
    }

    /// What rules let somebody correct of what is about them: it does not take the right to write elsewhere.
    package func correcting(_ signedIn: SignedIn) async throws(CityError) -> WriteAccess {
        let (reading, writing) = (try await reading(signedIn), try await reading(signedIn, to: .write))
        let erasing = try await self.reading(signedIn, to: .erase)
        return WriteAccess(reading: reading, permit: WritePermit(reading: reading.sight, writing: writing.sight, erasing: erasing.sight), device: nil)
    }
}

/// A use of somebody's data, as the ledger has it.
package struct RecordedUse: Hashable, Sendable {
    package let position: Int64
    package let at: Instant
    package let by: Recipient
    /// Nil once it was erased.
    package let entry: JSON?
}

extension Gatekeeper {
    /// Who used somebody's data, the newest first.
    /// - Parameter position: those before it.
    package func uses(_ signedIn: SignedIn, before position: Int64 = .max, limit: Int) async throws -> [RecordedUse] {
        let subject = signedIn.subject
        return try await store.file(signedIn.municipality).read { snapshot in
            let tokens = try snapshot.tokenNames
            return try snapshot.uses(of: subject, before: position, limit: limit).compactMap { position in
                try snapshot.ledgerRow(position).map { row in
                    let entry = row.text.flatMap { try? JSON(parsing: $0.entry) }
                    return RecordedUse(
                        position: position, at: Instant(milliseconds: row.leaf.time),
                        by: try entry?["by"]?.stringValue.map { try snapshot.recipient($0, tokens: tokens) } ?? .unknown, entry: entry)
                }
            }
        }
    }
}

/// Permission to erase all that is held about one person.
package struct ErasureAccess: Sendable {
    package let municipality: MunicipalityName
    package let subject: String
    /// Who erases, and what for; nil stands for the person.
    let by: String?
    let purpose: String
    /// Their account, where they have one.
    let account: String?
}

extension Gatekeeper {
    /// For the person, who says once more who they are.
    /// - Parameter password: nil for who has none: they must have signed in a moment ago.
    /// - Throws: `AccountFormError.wrongPassword`, `.signedInLongAgo`.
    package func erasing(_ signedIn: SignedIn, password: String?, at now: Instant) async throws -> ErasureAccess {
        if signedIn.account.password == nil {
            guard signedIn.session.createdAt.adding(seconds: Self.recentSeconds) > now else { throw AccountFormError.signedInLongAgo }
        } else {
            try await accounts.checkPassword(signedIn, password ?? "", at: now)
        }
        return ErasureAccess(
            municipality: signedIn.municipality, subject: signedIn.subject, by: nil, purpose: Self.rights, account: signedIn.account.id)
    }

    /// Seconds after which somebody without a password has to sign in anew.
    private static var recentSeconds: Double { 600 }
    /// What erasing is for where nobody says more.
    private static var rights: String { "dpv:RightsFulfillment" }

    /// For whom the rules let erase everything about anybody: a data protection officer, who says what for.
    /// - Parameter name: a data subject, or the login of an account.
    /// - Throws: `unauthenticated`, `forbidden`; `resourceNotFound` where nothing is known of them.
    package func erasing(
        _ name: String, in municipality: MunicipalityName, _ credential: Credential, _ terms: RequestTerms
    ) async throws -> ErasureAccess {
        let access = try await reading(municipality, credential, terms, to: .erase)
        guard access.principal != .anonymous else { throw CityError.unauthenticated("Authorization: erasing what is held about somebody needs a credential") }
        for classification in [Classification.personal, .special] {
            guard let ruling = access.sight.ruling else {
                guard access.sight.classificationMax >= classification else { throw Self.mayNotErase }
                continue
            }
            guard case .visible(let view) = ruling.verdict(on: ResourceFacts(classification: classification, dataSubject: name)), view.isWhole else {
                throw Self.mayNotErase
            }
        }
        let found = try await store.file(municipality, creating: false).read { snapshot -> (subject: String, account: String?)? in
            if let account = try snapshot.account(login: Accounts.folded(name)) { return (Principal.account(account.id).label, account.id) }
            let prefix = Principal.account("").label
            if name.hasPrefix(prefix), let account = try snapshot.account(String(name.dropFirst(prefix.count))) { return (name, account.id) }
            let isKnown = try !snapshot.entities(about: name, limit: 1).isEmpty || !snapshot.consents(of: name).isEmpty
                || !snapshot.uses(of: name, limit: 1).isEmpty || snapshot.erasure(of: name) != nil
            return isKnown ? (name, nil) : nil
        }
        guard let found else { throw CityError.resourceNotFound("nothing is held about \(name.prefix(200))") }
        return ErasureAccess(
            municipality: municipality, subject: found.subject, by: access.principal.label, purpose: terms.purpose ?? Self.rights, account: found.account)
    }

    private static var mayNotErase: CityError {
        .forbidden("no rule of access permits to erase what is held about people; a data protection officer says for which purpose (Conurb-Purpose)")
    }
}

extension WriteTransaction {
    /// The beginning: from here on it is gone on with until nothing is left. The person's account goes first, with their sessions.
    package func beginErasure(_ access: ErasureAccess, at now: Instant) throws {
        try beginErasure(of: access.subject, by: access.by ?? madePseudonym(of: access.subject, at: now), for: access.purpose, at: now)
        if let account = access.account { _ = try removeAccount(account) }
    }

    /// The end, with the act that tells of it.
    /// - Returns: how much was erased; nil where somebody else has come to the end already.
    package func finishErasure(_ erasure: ErasureRow, at now: Instant) throws -> JSON? {
        guard let current = try self.erasure(of: erasure.subject) else { return nil }
        let pseudonym = try madePseudonym(of: current.subject, at: now)
        let counts = try finishErasure(of: current.subject, at: now)
        let details: JSON = [
            "entities": .integer(current.entityCount), "uses": .integer(Int64(counts.uses)), "consents": .integer(Int64(counts.consents)),
        ]
        try record(Act(.personalDataErased, pseudonym, details: details), by: current.by, for: current.purpose, at: now)
        return details
    }
}
