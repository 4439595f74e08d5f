internal import CityModel
internal import GRDB

/// Sealing what was recorded of an entity before: as it becomes personal, or is about somebody else from now on.
extension WriteTransaction {
    /// Records, chunks and summaries that one change of an entity's classification seals.
    static var resealedCountMax: Int { 100_000 }
    private static var pageCount: Int { 500 }

    /// Seals all that is recorded of an entity with a key, whatever it was sealed with. What can't be opened stays as it is.
    /// - Parameter classificationMin: what is less confidential stays as it is.
    /// - Throws: `operationNotSupported` where that is more than one change may take.
    func reseal(_ entity: Int64, with key: ResidentKey, from classificationMin: Classification = .open, countMax: Int? = WriteTransaction.resealedCountMax) throws {
        let formMin = classificationMin.rank * InstanceForm.classificationUnit
        if let countMax { try checkCount(of: entity, countMax) }
        try resealRecords(of: entity, with: key, formMin)
        for (table, form) in [("chunk", "form_min"), ("summary", "form")] {
            let cursor = try rows("SELECT id FROM \(table) WHERE entity = ? AND \(form) >= ?", [entity, formMin])
            var ids: [Int64] = []
            while let row = try cursor.next() { ids.append(try row.decode(Int64.self, atIndex: 0)) }
            for id in ids {
                let plain = try row("SELECT \(Opened.bytes("data")) FROM \(table) WHERE id = ?", [id])?.bytes(atIndex: 0)
                guard let plain else { continue }
                try execute("UPDATE \(table) SET data = ? WHERE id = ?", [try SealedBytes.seal(plain, with: key).databaseBlob, id])
            }
        }
    }

    private func checkCount(of entity: Int64, _ countMax: Int) throws {
        var count = 0
        for table in ["instance", "chunk", "summary"] {
            count += try row("SELECT count(*) FROM (SELECT 1 FROM \(table) WHERE entity = ? LIMIT ?)", [entity, countMax + 1])?
                .decode(Int.self, atIndex: 0) ?? 0
        }
        guard count > countMax else { return }
        throw CityError.operationNotSupported(
            "classification: more than \(countMax) records of the entity would have to be encrypted at once; erase what is old of its history first")
    }

    private func resealRecords(of entity: Int64, with key: ResidentKey, _ formMin: Int) throws {
        let columns = "attribute, dataset, at_us, late_us"
        var last: StatementArguments = [Int64.min, "", Int64.min, Int64.min]
        while true {
            let cursor = try rows(
                """
                SELECT \(columns), form, \(Opened.value), \(Opened.unit), \(Opened.rest) FROM instance
                WHERE entity = ? AND (\(columns)) > (?, ?, ?, ?) AND form >= ? ORDER BY \(columns) LIMIT ?
                """, [entity] + last + [formMin, Self.pageCount])
            var page: [(place: StatementArguments, content: SealedRecord?)] = []
            while let row = try cursor.next() {
                let form = InstanceForm(number: try row.decode(Int.self, atIndex: 4))
                let (value, rest) = (try row.decode(DatabaseValue.self, atIndex: 5), try row.bytes(atIndex: 7))
                let isBare = value.isNull || form.isDeletion && rest == nil
                page.append(
                    (
                        [
                            try row.decode(Int64.self, atIndex: 0), try row.decode(String.self, atIndex: 1), try row.decode(Int64.self, atIndex: 2),
                            try row.decode(Int64.self, atIndex: 3),
                        ], isBare ? nil : SealedRecord(value: value, unit: try row.decode(String?.self, atIndex: 6), rest: rest)
                    ))
            }
            for (place, content) in page {
                guard let content else { continue }
                try execute(
                    "UPDATE instance SET value = ?, unit = NULL, rest = NULL WHERE entity = ? AND (\(columns)) = (?, ?, ?, ?)",
                    [try SealedBytes.seal(content.bytes, with: key).databaseBlob, entity] + place)
            }
            guard page.count == Self.pageCount, let end = page.last else { return }
            last = end.place
        }
    }

    /// Seals an entity that is personal and lies plain in the file, with all that is recorded of it.
    /// - Parameter known: the key that it has elsewhere.
    func sealPlain(_ stored: StoredEntity, with known: KeyID? = nil, countMax: Int? = nil) throws {
        guard stored.classification.isSealed, !stored.isSealed else { return }
        let entity = try entity(stored)
        let key = try known.flatMap(vault.key) ?? vault.key(of: entity.sealSubject)
        guardEntity(stored.number, isSealed: true, key)
        try execute("UPDATE entity SET document = ?, key = ? WHERE id = ?", [try stored.document.data(sealedWith: key), key.id.blob, stored.number])
        try replaceIndexRows(
            IndexRows(entity, isSealed: false, intern: intern), with: IndexRows(entity, isSealed: true, intern: intern), of: stored.number)
        try reseal(stored.number, with: key, countMax: countMax)
    }

    /// Seals what is personal of an entity of the past.
    func sealPlainPast(_ number: Int64, _ known: KeyID? = nil) throws {
        guard let row = try row("SELECT iri, key, classification FROM main.past WHERE id = ?", [number]),
            let classification = Classification(rank: try row.decode(Int.self, atIndex: 2)), try row.keyID(atIndex: 1) == nil
        else { return }
        let subject = try lastText(of: .dataSubject, number) ?? row.decode(String.self, atIndex: 0)
        let key = try known.flatMap(vault.key) ?? vault.key(of: subject)
        guardEntity(number, isSealed: classification.isSealed, key)
        try execute("UPDATE past SET key = ? WHERE id = ?", [key.id.blob, number])
        try reseal(number, with: key, from: classification.isSealed ? .open : .sealedMin, countMax: nil)
    }
}

extension ReadSnapshot {
    /// The last text that was recorded of an attribute of an entity.
    func lastText(of attribute: IRI, _ entity: Int64) throws -> String? {
        guard let number = terms.number(of: attribute) else { return nil }
        return try row(
            """
            SELECT \(Opened.value) FROM main.instance WHERE entity = ? AND attribute = ? AND form & \(InstanceForm.deletionBit) = 0
            AND typeof(\(Opened.value)) = 'text' ORDER BY at_us DESC, late_us DESC LIMIT 1
            """, [entity, number])?.decode(String.self, atIndex: 0)
    }
}
