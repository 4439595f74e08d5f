package import CityModel
internal import Crypto
internal import Foundation
internal import OrderedCollections
internal import Policy
package import Store

/// Each use of data about people is in the ledger before it is answered: who was shown something, for which purpose, by which act, about
/// whom. The same of the same entity is recorded once an hour. What the program does by itself is no use, nor is what somebody sees of
/// themselves.
package struct UseNote: Sendable {
    let principal: String
    let purpose: String
    let agreement: String?
    let action: AccessAction
    package let use: PersonalUse

    /// Entities that one act names. More are several acts.
    static let entityCountMax = 100

    /// Nil where there is nothing to account for.
    package init?(_ use: PersonalUse, _ access: ReadAccess) {
        let terms = access.claimant?.terms
        self.init(use, by: access.principal.label, isKnown: access.claimant != nil, terms ?? .none, to: access.action)
    }

    /// What a subscription tells is used by whoever subscribed.
    package init?(_ use: PersonalUse, subscriber: JSON?) {
        let claimant = subscriber.flatMap(Claimant.init)
        self.init(
            use, by: claimant.map { $0.requester.account ?? Principal.anonymous.label } ?? Principal.operatorOnMachine.label, isKnown: claimant != nil,
            claimant?.terms ?? .none, to: .subscribe)
    }

    private init?(_ use: PersonalUse, by principal: String, isKnown: Bool, _ terms: RequestTerms, to action: AccessAction) {
        guard principal != Principal.program.label else { return nil }
        var others = use
        others.entities.removeAll { $0.subject == principal }
        guard !others.isEmpty else { return nil }
        (self.principal, self.action, self.use, agreement) = (principal, action, others, terms.agreement)
        purpose = terms.purpose ?? (isKnown ? Self.unstated : WriteTransaction.administration)
    }

    /// What stands for a purpose where a request says none.
    static let unstated = "not-stated"

    fileprivate struct Key: Hashable {
        let principal: String
        let purpose: String
        let agreement: String?
        let action: AccessAction
        /// Nil for figures.
        let entity: UsedEntity?
    }

    fileprivate func key(_ entity: UsedEntity?) -> Key {
        Key(principal: principal, purpose: purpose, agreement: agreement, action: action, entity: entity)
    }

    /// The acts that are missing.
    fileprivate func missing(_ memory: UseMemory, at now: Instant) -> (acts: [(act: Act, subject: String)], keys: [Key]) {
        var bySubject: OrderedDictionary<String, [UsedEntity]> = [:]
        for entity in use.entities where !memory.knows(key(entity), at: now) { bySubject[entity.subject, default: []].append(entity) }
        var (acts, keys) = ([(act: Act, subject: String)](), [Key]())
        for (subject, entities) in bySubject {
            // A person's act names nobody else: whoever has its proof has nothing of others.
            for start in stride(from: 0, to: entities.count, by: Self.entityCountMax) {
                let part = entities[start..<min(start + Self.entityCountMax, entities.count)]
                acts.append((act(subject, part.map(\.id), at: now), subject))
            }
            keys += entities.map(key)
        }
        if use.hasFigures, !memory.knows(key(nil), at: now) {
            acts.append((act("", nil, at: now), ""))
            keys.append(key(nil))
        }
        return (acts, keys)
    }

    /// - Parameter entities: nil for figures.
    private func act(_ subject: String, _ entities: [IRI]?, at now: Instant) -> Act {
        let hour = UseMemory.hour(of: now)
        func time(_ hour: Int64) -> JSON { .string(Instant(microseconds: hour * 3_600_000_000).description) }
        var details: JSONObject = ["action": .string(action.rawValue)]
        if let entities { details["entities"] = .array(entities.map { .string($0.text) }) } else { details["figures"] = true }
        if let agreement { details["agreement"] = .string(agreement) }
        // It stands for all of the same until the hour is over.
        (details["from"], details["until"]) = (time(hour), time(hour + 1))
        return Act(.personalDataUsed, subject, details: .object(details))
    }
}

extension WriteTransaction {
    /// Records uses in the ledger, where they are not there yet.
    package func record(_ note: UseNote, at now: Instant) throws {
        let missing = note.missing(uses, at: now)
        for (act, subject) in missing.acts {
            let position = try record(act, by: note.principal, for: note.purpose, at: now)
            if !subject.isEmpty { try noteUse(position, of: subject) }
        }
        onCommit { [uses] in uses.note(missing.keys, at: now) }
    }
}

extension Store {
    /// Accounts for what was shown, before it is answered.
    /// - Parameter name: a municipality, or a snapshot of one: whom its entities are about, and what becomes of it, the municipality knows.
    package func account(for note: UseNote, in name: MunicipalityName, at now: Instant) async throws {
        let city = try file(name.city)
        var note = note
        if name.snapshot != nil {
            let ids = note.use.entities.map(\.id)
            let known = try await city.read { snapshot in
                try ids.flatMap { id in try snapshot.entityNumber(id).map(snapshot.usedEntity) ?? [UsedEntity(subject: "", id: id)] }
            }
            guard let found = note.replacing(known) else { return }
            note = found
        }
        guard !note.missing(city.uses, at: now).keys.isEmpty else { return }
        let missing = note
        try await city.write { try $0.record(missing, at: now) }
    }
}

extension UseNote {
    /// The same of these entities; nil where nothing is left.
    fileprivate func replacing(_ entities: [UsedEntity]) -> UseNote? {
        var others = use
        others.entities = entities.filter { $0.subject != principal }
        return others.isEmpty ? nil : UseNote(self, others)
    }

    private init(_ note: UseNote, _ use: PersonalUse) {
        (principal, purpose, agreement, action, self.use) = (note.principal, note.purpose, note.agreement, note.action, use)
    }
}

extension ReadSnapshot {
    /// A name for somebody that says nothing of who it is: whoever has neither the file nor their identifier can't tell them from others.
    package func pseudonym(of subject: String) throws -> String? {
        guard let key = try document(.setting, Self.pseudonymSetting)?.body.stringValue else { return nil }
        let code = HMAC<SHA256>.authenticationCode(for: Array(subject.utf8), using: SymmetricKey(data: Array(key.utf8)))
        return "person:" + code.prefix(12).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }

    fileprivate static var pseudonymSetting: String { "pseudonym-key" }
}

extension WriteTransaction {
    /// The same; makes what it needs when it is first asked.
    package func madePseudonym(of subject: String, at now: Instant) throws -> String {
        if let known = try pseudonym(of: subject) { return known }
        try put(.setting, Self.pseudonymSetting, .string(Secret.text()), at: now)
        guard let made = try pseudonym(of: subject) else { throw CityError.internalFault("a pseudonym can't be made") }
        return made
    }
}
