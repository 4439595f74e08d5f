package import CityModel
internal import OrderedCollections
package import Policy
package import Store

/// A purpose for which some rule asks consent.
package struct AskedConsent: Sendable {
    package let purpose: Purposes.Purpose
    /// What the rules that ask for it say of themselves, where they say something.
    package let reasons: [String]
    /// The consent that holds; nil where there is none.
    package let current: ConsentRow?
}

/// What people consent to, and no more. Whoever consents is signed in; everybody else has no say.
extension Gatekeeper {
    /// The purposes that can be said in somebody's municipality.
    package func purposes(_ signedIn: SignedIn) async throws -> Purposes { try await policies(of: signedIn.municipality).purposes }

    /// The purposes for which rules ask consent, in the order in which they are declared.
    package func askedConsents(_ signedIn: SignedIn) async throws -> [AskedConsent] {
        let policies = try await policies(of: signedIn.municipality)
        let given = try await consents(signedIn).filter { $0.withdrawnAt == nil }
        let rules = policies.rules.filter(\.needsConsent)
        return policies.purposes.all.compactMap { purpose in
            let asking = rules.filter { $0.purposes?.contains(purpose.id) ?? true }
            let current = given.first { $0.purpose == purpose.id }
            guard !asking.isEmpty || current != nil else { return nil }
            return AskedConsent(purpose: purpose, reasons: asking.compactMap(\.description), current: current)
        }
    }

    /// All that somebody ever consented to, the newest first.
    package func consents(_ signedIn: SignedIn) async throws -> [ConsentRow] {
        try await store.file(signedIn.municipality).read { try $0.consents(of: signedIn.subject) }
    }

    /// - Throws: `badRequestData` for a purpose for which no rule asks consent.
    package func giveConsent(_ signedIn: SignedIn, to purpose: String, language: String, at now: Instant) async throws {
        guard let asked = try await askedConsents(signedIn).first(where: { $0.purpose.id == purpose }) else {
            throw CityError.badRequestData("purpose: no rule asks consent to \(purpose.prefix(100))")
        }
        let iri = try await policies(of: signedIn.municipality).purposes.iri(of: purpose)
        let (subject, name) = (signedIn.subject, signedIn.municipality)
        try await store.file(name).write { transaction in
            // Whoever presses twice consents once.
            guard try !transaction.consents(of: subject).contains(where: { $0.purpose == purpose && $0.withdrawnAt == nil }) else { return }
            let id = "urn:conurb:consent:" + Secret.text(byteCount: 12)
            let record = ConsentRecord.given(id, by: subject, asked.purpose, iri: iri, to: name, language: language, at: now)
            try transaction.put(ConsentRow(id: id, subject: subject, purpose: purpose, givenAt: now, record: record), at: now)
            try transaction.record(.consentGiven, id, purpose, of: subject, at: now)
        }
    }

    /// What rests on it is shown to nobody from the commit on: not to who asks, not to who is told, also of what was made and not sent yet.
    package func withdrawConsent(_ signedIn: SignedIn, to purpose: String, at now: Instant) async throws {
        let (subject, file) = (signedIn.subject, try store.file(signedIn.municipality))
        let known = try await file.read { snapshot in
            try snapshot.outboxQueues().map { queue in (id: queue.subscription, claimant: try snapshot.subscription(queue.subscription)?.claimant) }
        }
        var sights: [String: Sight] = [:]
        for queue in known { sights[queue.id] = try? await sight(of: queue.claimant, in: signedIn.municipality, to: .subscribe) }
        let judged = sights
        try await file.write { transaction in
            for var consent in try transaction.consents(of: subject) where consent.purpose == purpose && consent.withdrawnAt == nil {
                consent.withdrawnAt = now
                consent.record = ConsentRecord.withdrawn(consent.record, by: subject, at: now)
                try transaction.put(consent, at: now)
                try transaction.record(.consentWithdrawn, consent.id, purpose, of: subject, at: now)
            }
            try transaction.takeBack(whatIsAbout: subject, unlessSeenBy: judged, at: now)
        }
    }
}

extension SignedIn {
    /// What data that is about this person says in `dataSubject`.
    package var subject: String { Principal.account(account.id).label }
}

extension WriteTransaction {
    /// The person is in it by a pseudonym alone, also as who did it.
    fileprivate func record(_ kind: ActKind, _ id: String, _ purpose: String, of subject: String, at now: Instant) throws {
        let pseudonym = try madePseudonym(of: subject, at: now)
        try record(Act(kind, id, details: ["person": .string(pseudonym), "purpose": .string(purpose)]), by: pseudonym, for: purpose, at: now)
    }

    /// Takes back what waits to be told of a person, but to those who see all of it without the consent that is gone.
    /// - Parameter sights: of subscriptions in whose queues something waited; those that are not there are told nothing of it.
    fileprivate func takeBack(whatIsAbout subject: String, unlessSeenBy sights: [String: Sight], at now: Instant) throws {
        for queue in try outboxQueues() {
            guard try subscription(queue.subscription)?.claimant != nil else { continue }
            let sight = sights[queue.subscription] ?? .upTo(.open)
            guard sight.ruling != nil || sights[queue.subscription] == nil else { continue }
            var (after, hidden) = (Int64(0), Set<String>())
            while case let part = try entities(about: subject, after: after, limit: 500), let last = part.last {
                for entity in part where try !isWhole(entity, seenBy: sight) { hidden.insert(entity.id.text) }
                after = last.number
            }
            try takeBack(hidden, from: queue.subscription)
        }
    }

    private func isWhole(_ entity: SubjectEntity, seenBy sight: Sight) throws -> Bool {
        guard let stored = try storedEntity(number: entity.number) else { return false }
        let whole = try self.entity(stored)
        return try seen(whole, stored.classification, by: sight) == whole
    }
}
