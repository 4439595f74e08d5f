package import CityModel
internal import GRDB
internal import OrderedCollections

/// Erasing what is held about a person. It is done a part at a time, each in a transaction of its own; until all is done a row says so, so that
/// whoever opens the file after a crash goes on (`erasures`).
extension ReadSnapshot {
    /// What is being erased.
    package func erasures() throws -> [ErasureRow] {
        let cursor = try rows("SELECT subject, by, purpose, entities FROM main.erasure ORDER BY begun_us, subject")
        var erasures: [ErasureRow] = []
        while let row = try cursor.next() { erasures.append(try ErasureRow(row)) }
        return erasures
    }

    package func erasure(of subject: String) throws -> ErasureRow? {
        try row("SELECT subject, by, purpose, entities FROM main.erasure WHERE subject = ?", [subject]).map(ErasureRow.init)
    }
}

/// An erasure that is under way.
package struct ErasureRow: Hashable, Sendable {
    package let subject: String
    /// Who asked for it, and what for, as the ledger will say.
    package let by: String
    package let purpose: String
    package let entityCount: Int64

    fileprivate init(_ row: Row) throws {
        (subject, by) = (try row.decode(String.self, atIndex: 0), try row.decode(String.self, atIndex: 1))
        (purpose, entityCount) = (try row.decode(String.self, atIndex: 2), try row.decode(Int64.self, atIndex: 3))
    }
}

extension WriteTransaction {
    /// Bytes that are freed are overwritten from here on. Debian's SQLite does so anyhow, others do not.
    func overwriteWhatIsFreed() throws { try execute("PRAGMA secure_delete = ON") }

    package func beginErasure(of subject: String, by: String, for purpose: String, at now: Instant) throws {
        try overwriteWhatIsFreed()
        try execute("INSERT OR IGNORE INTO erasure (subject, begun_us, by, purpose) VALUES (?, ?, ?, ?)", [subject, now.microseconds, by, purpose])
    }

    /// Erases up to `limit` of the entities about somebody, with all that was recorded of them and all that waits to tell of them.
    /// - Returns: the entities that were erased; none when there are no more.
    package func eraseEntities(about subject: String, limit: Int, at now: Instant) throws -> [SubjectEntity] {
        try overwriteWhatIsFreed()
        let doomed = try entities(about: subject, limit: limit)
        guard !doomed.isEmpty else { return [] }
        var words: Set<String> = [subject]
        for entity in doomed {
            words.insert(entity.id.text)
            try gather(from: entity, into: &words)
        }
        for entity in doomed {
            try erase(entity, about: subject, at: now)
            // With a key of its own it may have been sealed before it was said whom it is about; a backup of then still is.
            try condemnKeys(of: entity.id.text, at: now)
        }
        try takeBack(Set(doomed.map(\.id.text)))
        try eraseFromReports(words)
        try execute("UPDATE erasure SET entities = entities + ? WHERE subject = ?", [doomed.count, subject])
        return doomed
    }

    /// Erases what a snapshot, to which this is a write, holds of these entities.
    package func eraseCopies(of ids: [IRI], at now: Instant) throws {
        try overwriteWhatIsFreed()
        for id in ids {
            guard let number = try entityNumber(id) else { continue }
            try erase(SubjectEntity(number: number, id: id, isCurrent: true), about: nil, at: now)
            try execute("UPDATE change SET iri = ? WHERE entity = ?", ["\(Self.erasedPrefix)\(number)", number])
            try forgetSubjects(of: number)
        }
        try takeBack(Set(ids.map(\.text)))
    }

    /// Erases entities with all that was recorded of them and all that waits to tell of them, and destroys keys.
    /// - Parameter subjects: those of whom nothing else is kept.
    package func eraseWhole(_ ids: [IRI], keysOf subjects: [String], at now: Instant) throws {
        try overwriteWhatIsFreed()
        for id in ids {
            guard let number = try entityNumber(id) else { continue }
            try erase(SubjectEntity(number: number, id: id, isCurrent: true), about: nil, at: now)
            try condemnKeys(of: id.text, at: now)
            try execute("DELETE FROM notice WHERE contact = ?", [id.text])
            try forgetSubjects(of: number)
        }
        for subject in subjects { try condemnKeys(of: subject, at: now) }
        try takeBack(Set(ids.map(\.text)))
    }

    /// The end of it: everything that names the person and is no entity.
    /// - Returns: how many uses of their data are told of no more, and how many consents.
    package func finishErasure(of subject: String, at now: Instant) throws -> (uses: Int, consents: Int) {
        try overwriteWhatIsFreed()
        try condemnKeys(of: subject, at: now)
        let consentCount = try consents(of: subject).count
        try removeConsents(of: subject, at: now)
        var useCount = 0
        for position in try uses(of: subject, limit: .max) where try eraseLedgerText(position) { useCount += 1 }
        try execute("DELETE FROM personal_use WHERE subject = ?", [subject])
        for id in try subscriptions(claimedBy: subject) { _ = try removeSubscription(id) }
        // Followers of the journal have been told by now, or go by what they find.
        let numbers = "SELECT entity FROM subject_entity WHERE subject = ?1 AND entity NOT IN (SELECT id FROM entity)"
        try execute("UPDATE change SET iri = '\(Self.erasedPrefix)' || entity WHERE entity IN (\(numbers))", [subject])
        try execute("DELETE FROM subject_entity WHERE entity IN (\(numbers)) OR subject = ?1", [subject])
        try execute("DELETE FROM erasure WHERE subject = ?", [subject])
        onCommit { [uses] in uses.forget() }
        return (useCount, consentCount)
    }

    /// What stands in the place of an erased entity's identifier.
    private static var erasedPrefix: String { "urn:ngsi-ld:Erased:" }

    /// - Parameter subject: nil where it does not matter.
    private func erase(_ doomed: SubjectEntity, about subject: String?, at now: Instant) throws {
        let number = doomed.number
        try execute("DELETE FROM held WHERE entity = ?", [doomed.id.text])
        try execute("DELETE FROM watched WHERE seq IN (SELECT watched.seq FROM watched JOIN change ON change.seq = watched.seq WHERE change.entity = ?)", [number])
        try execute("UPDATE reclassified SET iri = ? WHERE iri = ?", ["\(Self.erasedPrefix)\(number)", doomed.id.text])
        guard let stored = try storedEntity(number: number) else {
            if let past = try historicEntity(doomed.id, .special) { try eraseHistory(of: past, keepingSubjects: true, at: now) }
            return
        }
        let entity = try entity(stored)
        guard let history = try historicEntity(stored, .special, evenIfEmpty: true) else { return }
        try eraseHistory(of: history, keepingSubjects: true, at: now)
        // One that is about somebody else by now stays as it is, without its past.
        if let subject, let other = entity.dataSubject, other != subject {
            return try execute("DELETE FROM subject_entity WHERE subject = ? AND entity = ?", [subject, number])
        }
        try removeIndexRows(IndexRows(entity, isSealed: stored.isSealed, intern: intern), of: number)
        try execute("DELETE FROM entity WHERE id = ?", [number])
        try keepFromReuse(number, at: now)
        let deleted = Change(
            seq: try nextChange(), operation: .deleted, at: now, entityNumber: number, entityID: entity.id, classification: stored.classification,
            types: entity.types, attributes: [])
        try appendChange(deleted)
        // Who subscribed is told that it is gone, and nothing of what it was.
        let bare = Entity(id: entity.id, types: entity.types)
        try noteForSubscribers(deleted, of: bare, attributes: entity.attributes.keys, document: (try document(bare), nil))
    }

    /// What of an entity may stand in a report: texts, and numbers as they are written.
    private func gather(from doomed: SubjectEntity, into words: inout Set<String>) throws {
        guard let stored = try storedEntity(number: doomed.number) else { return }
        func gather(_ value: JSON) {
            switch value {
            case .string(let text): if text.utf8.count >= Self.wordByteCountMin { words.insert(text) }
            case .integer, .number: if value.description.utf8.count >= Self.wordByteCountMin { words.insert(value.description) }
            case .array(let elements): elements.forEach(gather)
            case .object(let members): members.values.forEach(gather)
            case .null, .bool: break
            }
        }
        for instance in try entity(stored).attributes.values.joined() where words.count < Self.wordCountMax { gather(instance.value) }
    }

    /// Shorter words stand in too many reports that are about nobody.
    private static var wordByteCountMin: Int { 5 }
    private static var wordCountMax: Int { 20_000 }

    /// Takes out of the reports of imports what names a person or a value of theirs.
    private func eraseFromReports(_ words: Set<String>) throws {
        let cursor = try rows("SELECT id, report FROM import_run WHERE report IS NOT NULL")
        var changed: [(id: Int64, report: JSON)] = []
        while let row = try cursor.next() {
            guard let report = try row.withUnsafeData(atIndex: 1, { data in try data.map { try JSON(parsing: $0) } }) else { continue }
            let cleaned = report.replacingTexts { text in words.contains { text.contains($0) } ? "" : text }
            if cleaned != report { changed.append((try row.decode(Int64.self, atIndex: 0), cleaned)) }
        }
        for (id, report) in changed { try setImportReport(id, report) }
    }

    /// Subscriptions that somebody made.
    private func subscriptions(claimedBy subject: String) throws -> [String] {
        let cursor = try rows("SELECT id, claimant FROM subscription WHERE claimant IS NOT NULL")
        var found: [String] = []
        while let row = try cursor.next() {
            let claimant = try row.withUnsafeData(atIndex: 1) { data in data.flatMap { try? JSON(parsing: $0) } }
            if claimant?["account"]?.stringValue == subject { found.append(try row.decode(String.self, atIndex: 0)) }
        }
        return found
    }
}

extension JSON {
    /// The same with every text that stands in it as a value changed.
    fileprivate func replacingTexts(_ change: (String) -> String) -> JSON {
        switch self {
        case .string(let text): .string(change(text))
        case .array(let elements): .array(elements.map { $0.replacingTexts(change) })
        case .object(let members): .object(members.mapValues { $0.replacingTexts(change) })
        case .null, .bool, .integer, .number: self
        }
    }
}

extension MunicipalityFile {
    /// What is done once nothing is left of a person in the file: so that nothing is left outside of it either. Their key is destroyed, so no backup can
    /// be read of them; the write-ahead log is emptied, for it holds what was overwritten.
    package func afterErasure() async throws {
        try await destroyCondemnedKeys()
        try await emptyLog()
    }
}
