package import CityModel
internal import Ledger
internal import OrderedCollections
package import Store

/// What kinds of acts somebody has to answer for. Raw values are recorded for ever and never change their meaning.
package enum ActKind: String, Hashable, Sendable, CaseIterable {
    case municipalityCreated = "municipality-created"
    case municipalityRemoved = "municipality-removed"
    case municipalityRestored = "municipality-restored"
    case backupTaken = "backup-taken"
    case entitiesExported = "entities-exported"
    /// Details: name, right, whose it is, when it ends, and what it is held to.
    case tokenCreated = "token-created"
    case tokenRevoked = "token-revoked"
    /// Details: the files of rules, with the SHA-256 of each.
    case policiesChanged = "policies-changed"
    /// Details: roles, and the end if there is one; not who it is.
    case accountCreated = "account-created"
    case accountChanged = "account-changed"
    case accountRemoved = "account-removed"
    /// A link was made with which its password can be set.
    case accountInvited = "account-invited"
    /// Details: by which means, never from where.
    case signedIn = "signed-in"
    /// Details: how often within which hour. One by one they would let anybody fill the ledger.
    case signInsFailed = "sign-ins-failed"
    case signedOutEverywhere = "signed-out-everywhere"
    case passwordChanged = "password-changed"
    case secondFactorSet = "second-factor-set"
    /// By its owner.
    case secondFactorRemoved = "second-factor-removed"
    /// By an administrator, for somebody who has lost it.
    case secondFactorReset = "second-factor-reset"
    /// Declared or changed, with how long what it feeds is kept.
    case sourceDeclared = "source-declared"
    case sourceWithdrawn = "source-withdrawn"
    /// A service was declared, or changed. Details: the version that new cases begin with.
    case serviceDeclared = "service-declared"
    case serviceWithdrawn = "service-withdrawn"
    /// How Open311 is spoken with the municipality. Details: whether requests need a key.
    case open311Changed = "open311-changed"
    /// Another municipality goes on with a resident's case, with all that is known of it. Details: which.
    case caseTransferred = "case-transferred"
    case contextKept = "context-kept"
    case registrationPut = "registration-put"
    case registrationRemoved = "registration-removed"
    /// Somebody was shown data about a person; about whom, unless it was figures of many. Details: by which act, which entities, and the hour
    /// for which it stands.
    case personalDataUsed = "personal-data-used"
    /// A person gave consent, by a pseudonym. Details: the record and the purpose.
    case consentGiven = "consent-given"
    case consentWithdrawn = "consent-withdrawn"
    /// All that was held about a person is gone, by a pseudonym. Details: how much that was.
    case personalDataErased = "personal-data-erased"
    /// What was not open is open from now on. Details: how many entities, and some of them; or the source.
    case published = "published"
    /// What an act was about was taken out of the ledger.
    case entryErased = "entry-erased"
    /// The ledger goes on under another key.
    case ledgerRenewed = "ledger-renewed"
    case witnessAdded = "witness-added"
    case witnessRemoved = "witness-removed"
    /// Another log's checkpoints are co-signed from now on.
    case logAccepted = "log-accepted"
    case logDismissed = "log-dismissed"
}

/// One act: what was done, and to what.
package struct Act: Hashable, Sendable {
    package let kind: ActKind
    /// The identifier of what it was done to; empty where that is the municipality itself.
    package let subject: String
    /// What else is to be known of it; an object.
    package let details: JSON?

    package init(_ kind: ActKind, _ subject: String = "", details: JSON? = nil) {
        (self.kind, self.subject, self.details) = (kind, subject, details)
    }

    /// The entry that is kept beside the leaf.
    func entry(by principal: String, for purpose: String, at now: Instant) -> [UInt8] {
        var members: JSONObject = [
            "act": .string(kind.rawValue), "at": .string(now.description), "by": .string(principal), "purpose": .string(purpose),
        ]
        if !subject.isEmpty { members["about"] = .string(subject) }
        if let details { members["details"] = details }
        var writer = JSONWriter()
        writer.write(.object(members))
        return writer.bytes
    }
}

extension WriteTransaction {
    /// What an act is for that only runs the municipality, where nobody says more.
    static var administration: String { "administration" }

    /// Records an act in the ledger, in the transaction that does it: there is neither one without the other.
    package func record(_ act: Act, _ access: ReadAccess, at now: Instant) throws {
        try record(act, by: access.principal, for: access.claimant?.terms.purpose ?? Self.administration, at: now)
    }

    package func record(_ act: Act, _ access: AdministerAccess, at now: Instant) throws { try record(act, access.writing.reading, at: now) }

    package func record(_ act: Act, _ access: InstallationAccess, at now: Instant) throws {
        try record(act, by: access.principal, for: Self.administration, at: now)
    }

    /// For what somebody does to what is his own, and what the program notes by itself.
    func record(_ act: Act, by principal: Principal, at now: Instant) throws { try record(act, by: principal, for: Self.administration, at: now) }

    private func record(_ act: Act, by principal: Principal, for purpose: String, at now: Instant) throws {
        try record(act, by: principal.label, for: purpose, at: now)
    }

    /// - Returns: its position in the ledger.
    @discardableResult
    func record(_ act: Act, by principal: String, for purpose: String, at now: Instant) throws -> Int64 {
        let salt = RandomBytes.make(LedgerLeaf.saltByteCount)
        return try appendLedger(LedgerText(salt: salt, entry: act.entry(by: principal, for: purpose, at: now)), at: now)
    }
}

/// Bytes that nobody can guess.
enum RandomBytes {
    static func make(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}
