package import CityModel
internal import LinkedData
internal import Policy
internal import Store

/// Making, listing and revoking tokens.
extension Gatekeeper {
    /// Makes a token of the municipality. The text is shown this once; only its digest is kept.
    /// - Throws: `badRequestData` that names what is wrong.
    package func createToken(_ access: AdministerAccess, _ order: TokenOrder, now: Instant) async throws -> (text: String, token: Token) {
        let principal = access.writing.reading.principal
        return try await keep(order, owner: nil, by: principal, in: access.municipality, now: now)
    }

    /// The same, without bounds and without an end.
    package func createToken(_ access: AdministerAccess, name: String, right: Right, now: Instant) async throws -> (text: String, token: Token) {
        try await createToken(access, TokenOrder(name: name, scope: TokenScope(right: right), expiresAt: nil), now: now)
    }

    /// Makes a token with which somebody's programs act as himself, as far as the token says.
    /// - Throws: `badRequestData`, `forbidden` for more than the account itself may.
    package func createOwnToken(_ signedIn: SignedIn, _ order: TokenOrder, now: Instant) async throws -> (text: String, token: Token) {
        let held = AccountRoles.right(signedIn.account.roles)
        guard order.scope.right <= held else { throw CityError.forbidden("right: this account may \(held.name), not \(order.scope.right.name)") }
        return try await keep(order, owner: signedIn.account.id, by: .account(signedIn.account.id), in: signedIn.municipality, now: now)
    }

    private func keep(
        _ order: TokenOrder, owner: String?, by principal: Principal, in municipality: MunicipalityName, now: Instant
    ) async throws -> (text: String, token: Token) {
        let file = try store.file(municipality)
        try order.check(try await library.policies(of: file).purposes, isOwn: owner != nil, at: now)
        let text = Token.randomText(municipality: municipality)
        let token = Token(order, id: Token.randomID(), owner: owner, madeBy: principal.label, createdAt: now, digest: Token.digest(of: text))
        try await file.write { transaction in
            let known = try transaction.documents(.token).compactMap(Token.init)
            guard known.count < TokenOrder.countMax, owner == nil || known.count(where: { $0.owner == owner }) < TokenOrder.ownCountMax else {
                throw CityError.overloaded("there are so many tokens already that no further one is made; revoke some")
            }
            try transaction.put(.token, token.digest, token.json, at: now)
            try transaction.record(token.act(.tokenCreated), by: principal, at: now)
        }
        return (text, token)
    }

    /// By name.
    package func tokens(_ access: AdministerAccess) async throws -> [Token] { try await tokens(in: access.municipality) { _ in true } }

    package func ownTokens(_ signedIn: SignedIn) async throws -> [Token] {
        try await tokens(in: signedIn.municipality) { $0.owner == signedIn.account.id }
    }

    private func tokens(in municipality: MunicipalityName, _ isWanted: (Token) -> Bool) async throws -> [Token] {
        try await store.file(municipality).read { try $0.documents(.token).compactMap(Token.init) }.filter(isWanted)
            .sorted { ($0.name, $0.id) < ($1.name, $1.id) }
    }

    /// - Returns: whether there was a token with this identifier.
    package func revokeToken(_ access: AdministerAccess, id: String, now: Instant) async throws -> Bool {
        try await revoke(id, by: access.writing.reading.principal, in: access.municipality, now: now) { _ in true }
    }

    /// - Returns: whether there was a token of one's own with this identifier.
    package func revokeOwnToken(_ signedIn: SignedIn, id: String, now: Instant) async throws -> Bool {
        let account = signedIn.account.id
        return try await revoke(id, by: .account(account), in: signedIn.municipality, now: now) { $0.owner == account }
    }

    private func revoke(
        _ id: String, by principal: Principal, in municipality: MunicipalityName, now: Instant, _ isMeant: @escaping @Sendable (Token) -> Bool
    ) async throws -> Bool {
        try await store.file(municipality).write { transaction in
            let matching = try transaction.documents(.token).compactMap(Token.init).filter { $0.id == id && isMeant($0) }
            for token in matching { try transaction.revoke(token, by: principal, at: now) }
            return !matching.isEmpty
        }
    }

    /// The names of types as a token keeps them: those of rules of access, so that both mean the same.
    package static func expandedTypes(_ names: [String]) throws(CityError) -> Set<IRI> {
        var types: Set<IRI> = []
        for name in names {
            guard let type = Context.core.expand(name) else { throw .badRequestData("types: \(name.prefix(200)) is no name of a type") }
            types.insert(type)
        }
        return types
    }
}

extension WriteTransaction {
    func revoke(_ token: Token, by principal: Principal, at now: Instant) throws {
        _ = try removeDocument(.token, token.digest)
        try record(token.act(.tokenRevoked), by: principal, at: now)
    }

    /// What an account had goes with it.
    func revokeTokens(of account: String, by principal: Principal, at now: Instant) throws {
        for token in try documents(.token).compactMap(Token.init) where token.owner == account { try revoke(token, by: principal, at: now) }
    }
}
