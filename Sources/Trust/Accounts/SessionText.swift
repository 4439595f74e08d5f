package import CityModel
package import Store

/// What a browser holds of a session: its municipality and 256 random bits. The file knows the digest alone.
package struct SessionText: Hashable, Sendable {
    let municipality: MunicipalityName
    let secret: String

    init(newIn municipality: MunicipalityName) { (self.municipality, secret) = (municipality, Secret.text()) }

    /// Nil for what can't be one.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let municipality = MunicipalityName(String(parts[0])), Base64.url.decode(parts[1])?.count == 32 else { return nil }
        (self.municipality, secret) = (municipality, String(parts[1]))
    }

    package var text: String { "\(municipality.text).\(secret)" }
    var digest: String { Secret.digest(of: "session " + secret) }
    /// Stands in every form of the session's pages. Who can make a browser send a form can't read it, and so can't send it along.
    var formToken: String { Secret.digest(of: "form " + secret) }
}

/// Somebody who is signed in. Only `Accounts` makes one.
package struct SignedIn: Sendable {
    package let municipality: MunicipalityName
    package let account: AccountRecord
    package let session: SessionRecord
    /// What forms that change something must bring along.
    package let formToken: String
    /// Whether a second factor has to be set up first: until then the session is good for that, and for signing out.
    package let mustEnrol: Bool

    init(_ text: SessionText, _ account: AccountRecord, _ session: SessionRecord, _ settings: AccountSettings) {
        (municipality, self.account, self.session, formToken) = (text.municipality, account, session, text.formToken)
        mustEnrol = account.codeSecret == nil && settings.requiresSecondFactor(account)
    }

    package var hasSecondFactor: Bool { account.codeSecret != nil }
}

extension AccountRecord {
    /// Whether it counts for anything at this moment.
    package func isActive(at now: Instant) -> Bool { !isDisabled && endsAt.map { $0 > now } ?? true }
}
