internal import CityModel
internal import Policy
internal import Store

/// What an installation asks of those who sign in.
package struct AccountSettings: Sendable {
    package var cost = PasswordCost()
    /// A file of passwords that became known (`BreachedPasswords`).
    package var breachedList: String?
    /// Minutes without a request after which a session is over.
    package var sessionIdleMinutes = 60
    /// Hours after which a session is over in any case.
    package var sessionHours = 12
    /// Whoever signs in with a password and has one of these roles needs a second factor; nil: everybody does.
    package var secondFactorRoles: Set<String>? = AccountSettings.leadingRoles
    /// What authenticator apps show, and what no password may consist of.
    package var issuer = "Conurb"
    package init() {}

    /// Those whose account opens more than one person's data, or all rights.
    package static let leadingRoles: Set<String> = Set([Role.administrator, .securityLead, .dataProtectionOfficer].map(\.rawValue))

    func requiresSecondFactor(_ account: AccountRecord) -> Bool {
        account.password != nil && (secondFactorRoles.map { !$0.isDisjoint(with: account.roles) } ?? true)
    }

    var sessionIdleSeconds: Double { Double(sessionIdleMinutes) * 60 }
    var sessionSeconds: Double { Double(sessionHours) * 3600 }
    static var invitationSeconds: Double { 86_400 }
    /// Accounts of one municipality.
    static var accountCountMax: Int { 100_000 }
    /// Sessions of one account.
    static var sessionCountMax: Int { 20 }

    func isAlive(_ session: (createdAt: Instant, usedAt: Instant), at now: Instant) -> Bool {
        session.usedAt.adding(seconds: sessionIdleSeconds) > now && session.createdAt.adding(seconds: sessionSeconds) > now
    }

    /// - Throws: an error that says what is wrong with the list of breached passwords.
    package func check() throws { if let breachedList { try BreachedPasswords(path: breachedList).check() } }
}

/// What accounts can be in a city: the roles of the rules of access.
package enum AccountRoles {
    /// All but those that stand for tokens and for who runs the program.
    package static let known: [String] = Role.allCases
        .filter { ![.operatorOnMachine, .tokenReader, .tokenWriter, .tokenAdministrator].contains($0) }.map(\.rawValue)

    /// What somebody with these roles may do at all; what of it, rules say.
    package static func right(_ roles: [String]) -> Right {
        if roles.contains(Role.administrator.rawValue) { return .administer }
        return roles.contains { name in writers.contains { $0.rawValue == name } } ? .write : .read
    }

    private static let writers: [Role] = [.ownerDepartment, .steward, .dataProtectionOfficer, .partnerOperator, .device]

    /// - Throws: `badRequestData` that names what is wrong.
    static func check(_ roles: [String], endsAt: Instant?) throws(CityError) {
        guard !roles.isEmpty else { throw .badRequestData("roles: at least one of \(known.joined(separator: ", "))") }
        if let unknown = roles.first(where: { !known.contains($0) }) {
            throw .badRequestData("roles: \(unknown.prefix(100)) is none of \(known.joined(separator: ", "))")
        }
        guard Set(roles).count == roles.count else { throw .badRequestData("roles: one is named twice") }
        guard !roles.contains("supplier") || endsAt != nil else { throw .badRequestData("endsAt: a supplier's account has an end, such as 2027-12-31T23:00:00Z") }
    }
}
