package import CityModel

/// Who asks, as far as rules can tell people and programs apart.
package struct Requester: Hashable, Sendable {
    /// The account that signed in, or the token that was shown; nil for somebody who did not say who they are.
    package var account: String?
    package var roles: Set<Role>
    /// The municipality that the account belongs to.
    package var municipality: MunicipalityName?

    package init(account: String?, roles: Set<Role>, municipality: MunicipalityName? = nil) {
        (self.account, self.roles, self.municipality) = (account, roles, municipality)
    }

    package static let anonymous = Requester(account: nil, roles: [])

    package var isSignedIn: Bool { account != nil }
}
