package import CityModel
package import Query

/// One rule: to whom it speaks, of which acts on what, and what it says of them.
package struct Rule: Hashable, Sendable {
    package enum Effect: String, CaseIterable, Hashable, Sendable { case permit, forbid }

    /// 1 to 64 characters of `a-z`, `0-9` and `-`; no two rules of a municipality have the same.
    package let id: String
    package let description: String?
    package let effect: Effect
    package let who: Who
    package let actions: Set<AccessAction>
    package let what: What
    /// In their short form, those of the rule itself; nil for any purpose and for none.
    package let purposes: Set<String>?
    /// The permit counts for data about people who consented to the purpose of the request, and for no other.
    package let needsConsent: Bool
    /// The permit counts when the request rests on this agreement.
    package let agreement: String?
    /// The first moment at which the rule holds; nil for ever since.
    package let from: Instant?
    /// The first moment at which it does not hold any more; nil for ever.
    package let until: Instant?
    package let narrowing: Narrowing
    /// Where it stands, for those who look for it: the file's name and the line.
    package let place: Place

    package struct Place: Hashable, Sendable {
        package let file: String
        package let line: Int
    }
}

/// To whom a rule speaks. All that is not nil must hold.
package struct Who: Hashable, Sendable {
    /// The requester has one of these.
    package var roles: Set<Role>?
    package var accounts: Set<String>?
    package var municipalities: Set<MunicipalityName>?
    package var signedIn: Bool?

    package static let anyone = Who()

    func includes(_ requester: Requester) -> Bool {
        if let roles, roles.isDisjoint(with: requester.roles) { return false }
        if let accounts, !(requester.account.map(accounts.contains) ?? false) { return false }
        if let municipalities, !(requester.municipality.map(municipalities.contains) ?? false) { return false }
        if let signedIn, signedIn != requester.isSignedIn { return false }
        return true
    }
}

/// What a rule is about. All that is not nil must hold.
package struct What: Hashable, Sendable {
    /// The entity has one of these types; expanded.
    package var types: Set<IRI>?
    /// The rule is about these attributes of the entity and about no others; expanded.
    package var attributes: Set<IRI>?
    /// One of the entity's scopes matches one of these.
    package var scopes: Set<ScopePattern>?
    package var classifications: Set<Classification>?
    /// One of these sources fed the entity.
    package var sources: Set<String>?
    /// A permit is for what lies in the area whole, a forbid for what reaches into it.
    package var area: Area?
    /// The entity is about the person who asks.
    package var isAboutRequester = false

    package static let everything = What()
}

/// How much of it a permit shows.
package struct Narrowing: Hashable, Sendable {
    package var attributes = AttributeSet.all
    package var precision = Precision.exact
    /// Only figures over at least so many entities are shown; nil shows the entities themselves.
    package var entityCountMin: Int?

    package static let whole = Narrowing()
}
