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

    static let nobody = Holder(principal: .anonymous, right: nil, requester: .anonymous)

    init(principal: Principal, right: Right?, requester: Requester?) { (self.principal, self.right, self.requester) = (principal, right, requester) }

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
        do { return try await accounts.signedIn(text, at: now()) } catch {
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
