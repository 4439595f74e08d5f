internal import CityModel
internal import Policy
internal import Store

/// Who holds a credential, and what it gives in one municipality.
struct Holder: Sendable {
    let principal: Principal
    /// Nil for whoever shows nothing that counts.
    let right: Right?
    /// As rules know them; nil for whom no rule holds: the program itself, who runs it, and anybody where authentication is
    /// switched off.
    let requester: Requester?
    /// What their token is held to, where it is the key of a device.
    var device: TokenScope?
    /// The purposes that their token is good for; nil for all.
    var purposes: Set<String>?

    var isDevice: Bool { device != nil }

    /// The same as far as something is seen: a device sees nothing.
    var seeing: Holder {
        guard isDevice, var requester else { return self }
        requester.bounds = .nothing
        return Holder(principal: principal, right: right, requester: requester)
    }

    static let nobody = Holder(principal: .anonymous, right: nil, requester: .anonymous)

    init(principal: Principal, right: Right?, requester: Requester?) { (self.principal, self.right, self.requester) = (principal, right, requester) }

    /// Who shows a token: the municipality's, a device's, or one that acts as its owner does. Nil where that one is not there any more, or not to be used.
    init?(_ token: Token, owner: AccountRecord?, in municipality: MunicipalityName, at now: Instant) {
        let (principal, bounds) = (Principal.token(token.id), token.scope.bounds)
        guard token.owner != nil else {
            let role = token.scope.isDevice ? Role.device : token.right.role
            self.init(
                principal: principal, right: token.right,
                requester: Requester(account: principal.label, roles: [role], municipality: municipality, bounds: bounds))
            (device, purposes) = (token.scope.isDevice ? token.scope : nil, token.scope.purposes)
            return
        }
        guard let owner, owner.isActive(at: now) else { return nil }
        let account = Principal.account(owner.id).label
        self.init(
            principal: principal, right: min(token.right, AccountRoles.right(owner.roles)),
            requester: Requester(account: account, roles: Set(owner.roles.compactMap(Role.init)), municipality: municipality, bounds: bounds))
        purposes = token.scope.purposes
    }

    /// Somebody whom the city knows by roles. Rules say what they see.
    init(_ principal: Principal, roles: [String], in municipality: MunicipalityName) {
        self.init(
            principal: principal, right: AccountRoles.right(roles),
            requester: Requester(account: principal.label, roles: Set(roles.compactMap(Role.init)), municipality: municipality))
    }
}

extension Gatekeeper {
    /// A session that is over, or that belongs to another municipality, is as if there were none: a browser sends it along whatever
    /// page it opens.
    func holder(ofSession credential: Credential, in municipality: MunicipalityName) async throws(CityError) -> Holder {
        guard let signedIn = try await signedIn(credential, municipality) else { return .nobody }
        return Holder(.account(signedIn.account.id), roles: signedIn.account.roles, in: municipality)
    }

    func signedIn(_ credential: Credential, _ municipality: MunicipalityName) async throws(CityError) -> SignedIn? {
        guard case .session(let text) = credential, SessionText(text)?.municipality == municipality else { return nil }
        do {
            guard let signedIn = try await accounts.signedIn(text, at: now()), !signedIn.mustEnrol else { return nil }
            return signedIn
        } catch {
            throw .internalFault("accounts of \(municipality) can't be read: \(error)")
        }
    }
}

extension Principal {
    /// Who it is in a sentence that is told to himself.
    var shown: String {
        switch self {
        case .account: "this account"
        case .token, .subject: "this token"
        default: label
        }
    }
}
