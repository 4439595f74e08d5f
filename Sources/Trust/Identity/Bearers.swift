package import CityModel
internal import Store

/// Whose tokens are taken besides this program's own.
package struct BearerSettings: Hashable, Sendable {
    package var issuer: String
    package var audience: String
    package var municipality: MunicipalityName
    package var roles = RoleClaim()
    /// What the header may say that it is (RFC 9068, section 4, and what was usual before): never an ID token or a log-out token of newer kinds.
    package var types: Set<String> = ["at+jwt", "jwt"]

    package init(issuer: String, audience: String, municipality: MunicipalityName) {
        (self.issuer, self.audience, self.municipality) = (issuer, audience, municipality)
    }
}

/// Tokens of an issuer outside, in one municipality.
package final class Bearers: Sendable {
    let settings: BearerSettings
    private let issuer: IdentityIssuer

    package init(_ settings: BearerSettings, client: IssuerClient) {
        (self.settings, issuer) = (settings, IdentityIssuer(settings.issuer, client))
    }

    /// - Throws: `unauthenticated` that says what is wrong with the token; `sourceFailed` when the issuer's keys can't be had.
    func holder(of text: String, at now: Instant) async throws(CityError) -> Holder {
        do {
            let token = try SignedToken(text)
            var expectation = TokenExpectation(issuer: settings.issuer, audience: settings.audience)
            expectation.types = settings.types
            let subject = try expectation.check(token, at: now)
            try await issuer.check(token, at: now)
            return Holder(.subject(subject), roles: settings.roles.roles(in: token.claims) ?? [], in: settings.municipality)
        } catch let fault as TokenFault {
            throw .unauthenticated("Authorization: \(fault.reason)")
        } catch let error as CityError {
            throw error
        } catch {
            throw .sourceFailed("the identity provider can't be reached")
        }
    }
}

extension Gatekeeper {
    /// Nil for what is none of an issuer's tokens.
    func holder(ofForeign text: String, in municipality: MunicipalityName) async throws(CityError) -> Holder? {
        guard let bearers, SignedToken.isPossible(text) else { return nil }
        guard bearers.settings.municipality == municipality else {
            throw .unauthenticated("Authorization: this token is not valid for municipality \(municipality)")
        }
        return try await bearers.holder(of: text, at: now())
    }
}
