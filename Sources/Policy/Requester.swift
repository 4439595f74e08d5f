package import CityModel

/// Who asks, as far as rules can tell people and programs apart.
package struct Requester: Hashable, Sendable {
    /// The account that signed in, or the token that was shown; nil for somebody who did not say who they are.
    package var account: String?
    package var roles: Set<Role>
    /// The municipality that the account belongs to.
    package var municipality: MunicipalityName?
    /// What they are held to, whatever the rules say.
    package var bounds: RequesterBounds

    package init(account: String?, roles: Set<Role>, municipality: MunicipalityName? = nil, bounds: RequesterBounds = .none) {
        (self.account, self.roles, self.municipality, self.bounds) = (account, roles, municipality, bounds)
    }

    package static let anonymous = Requester(account: nil, roles: [])

    package var isSignedIn: Bool { account != nil }
}

/// The part of a municipality's data that a token is for: outside of it no rule permits anything. All that is not nil must hold.
package struct RequesterBounds: Hashable, Sendable {
    /// The entity has one of these types; expanded.
    package var types: Set<IRI>?
    /// One of these sources fed the entity.
    package var sources: Set<String>?

    package init(types: Set<IRI>? = nil, sources: Set<String>? = nil) { (self.types, self.sources) = (types, sources) }

    package static let none = RequesterBounds()
    /// No entity is within them.
    package static let nothing = RequesterBounds(types: [])

    func include(_ facts: ResourceFacts) -> Bool {
        if let types, types.isDisjoint(with: facts.types) { return false }
        return sources.map { sources in facts.source.map(sources.contains) ?? false } ?? true
    }
}
