package import CityModel
package import Policy
package import Store

/// Permission to do for a resident what residents may do with cases: file one, and go on with one that they follow. The room `Cases` asks for it, and
/// does nothing else with it.
package struct CaseAccess: Sendable {
    package let writing: WriteAccess
    package var reading: ReadAccess { writing.reading }
    package var municipality: MunicipalityName { writing.municipality }
    /// Who it is, where that is known: the `dataSubject` of somebody who has an account.
    package let subject: String?

    init(_ municipality: MunicipalityName, _ principal: Principal, subject: String?) {
        let reading = ReadAccess(municipality: municipality, principal: principal, claimant: nil, action: .read, sight: .upTo(.special))
        (writing, self.subject) = (WriteAccess(reading: reading, permit: nil, device: nil), subject)
    }
}

extension Gatekeeper {
    /// Anybody may file a case. Whoever is signed in finds it among what is held about them.
    /// - Throws: `nonexistentTenant`.
    package func filing(_ municipality: MunicipalityName, _ credential: Credential) async throws -> CaseAccess {
        guard store.exists(municipality) else { throw CityError.nonexistentTenant("there is no municipality \(municipality)") }
        guard let signedIn = try await signedIn(credential, municipality) else { return CaseAccess(municipality, .anonymous, subject: nil) }
        return CaseAccess(municipality, .account(signedIn.account.id), subject: signedIn.subject)
    }

    /// The purposes that consent may be asked for.
    package func purposes(of access: AdministerAccess) async throws(CityError) -> Purposes { try await policies(of: access.municipality).purposes }

    /// Whoever shows the private link of a case.
    /// - Throws: `resourceNotFound` for a link that was not made here, whatever is wrong with it.
    package func following(_ municipality: MunicipalityName, _ link: CaseLink) async throws -> CaseAccess {
        guard store.exists(municipality) else { throw CaseLink.unknown }
        let proof = try await store.file(municipality).read { try CaseLink.secret($0, of: link.contact) }
        guard Secret.areEqual(proof.utf8, link.secret.utf8) else { throw CaseLink.unknown }
        return CaseAccess(municipality, .anonymous, subject: nil)
    }
}

/// The end of a private link: whose it is, and what only this installation could have made of that. Nothing of it is kept, so nothing of it can be stolen here.
package struct CaseLink: Hashable, Sendable {
    /// The key of a contact (`ServiceRequestContact`).
    package let contact: String
    let secret: String

    /// - Parameter text: contact, a dot and the secret.
    /// - Returns: nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...40).contains(parts[0].utf8.count), parts[1].utf8.count == 22 else { return nil }
        guard text.unicodeScalars.allSatisfy({ $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || ".-_".unicodeScalars.contains($0)) }) else { return nil }
        (contact, secret) = (String(parts[0]), String(parts[1]))
    }

    package init(to contact: String, in snapshot: ReadSnapshot) throws { (self.contact, secret) = (contact, try Self.secret(snapshot, of: contact)) }

    package var text: String { "\(contact).\(secret)" }

    /// 128 bits, which nobody guesses.
    static func secret(_ snapshot: ReadSnapshot, of contact: String) throws -> String {
        Base64.url.encode(Array(try snapshot.proof(of: "case link \(contact)").prefix(16)))
    }

    package static var unknown: CityError { .resourceNotFound("there is no case with this link: it is not whole, or the case is kept no longer") }
}
