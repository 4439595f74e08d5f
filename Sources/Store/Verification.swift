internal import CityModel
internal import GRDB

/// What a check of a municipality's file found.
package struct VerificationReport: Sendable {
    package let entityCount: Int
    package let changeCount: Int
    package let instanceCount: Int
    /// Acts in the ledger.
    package let actCount: Int
    /// What is wrong, in words; empty when all is well. At most `Verification.faultCountMax` are listed.
    package let faults: [String]

    /// The same with what is wrong elsewhere.
    package func adding(faults more: [String]) -> VerificationReport {
        VerificationReport(
            entityCount: entityCount, changeCount: changeCount, instanceCount: instanceCount, actCount: actCount,
            faults: Array((faults + more).prefix(Verification.faultCountMax)))
    }
}

extension MunicipalityFile {
    /// Checks the file's integrity and that entities, indexes and journal agree. Reads everything once.
    package func verify() async throws -> VerificationReport {
        try await read { snapshot in
            var verification = Verification(snapshot)
            return try verification.run()
        }
    }

    /// - Throws: `StoreError.notAMunicipality` unless the file at `path` is one of ours.
    static func checkIsMunicipality(path: String) throws {
        var configuration = Configuration()
        configuration.readonly = true
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            guard try queue.read({ db in try Int.fetchOne(db, sql: "PRAGMA application_id") }) == Schema.applicationID else {
                throw StoreError.notAMunicipality(path: path)
            }
        } catch is DatabaseError {
            throw StoreError.notAMunicipality(path: path)
        }
    }
}

struct Verification {
    static let faultCountMax = 100

    private let snapshot: ReadSnapshot
    private var faults: [String] = []

    init(_ snapshot: ReadSnapshot) { self.snapshot = snapshot }

    mutating func run() throws -> VerificationReport {
        var counts = (entities: 0, changes: 0, instances: 0)
        var actCount = 0
        do {
            try checkIntegrity()
            counts = (try checkEntities(), try count("change"), try snapshot.instanceCount())
            try checkOrphans()
            try checkPast()
            try checkNames()
            try checkSubscriptionCounts()
            try checkChunks()
            actCount = try checkLedger()
        } catch let error as DatabaseError where [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode) {
            // The file is too damaged to be read to its end.
            fault("integrity: \(error.message ?? "the file is damaged")")
        }
        return VerificationReport(
            entityCount: counts.entities, changeCount: counts.changes, instanceCount: counts.instances, actCount: actCount,
            faults: faults)
    }

    private func count(_ table: String) throws -> Int { try Int.fetchOne(snapshot.db, sql: "SELECT count(*) FROM \(table)") ?? 0 }

    private mutating func fault(_ text: String) {
        if faults.count < Verification.faultCountMax { faults.append(text) }
    }

    private mutating func checkSubscriptionCounts() throws {
        for isAboutSources in [false, true] {
            let counted = try count("subscription WHERE about_sources = \(isAboutSources ? 1 : 0)")
            let said = try snapshot.subscriptionCount(aboutSources: isAboutSources)
            if counted != said { fault("subscription_count: says \(said) where there are \(counted)") }
        }
    }

    private mutating func checkIntegrity() throws {
        for line in try String.fetchAll(snapshot.db, sql: "PRAGMA integrity_check(100)") where line != "ok" { fault("integrity: \(line)") }
        for row in try GRDB.Row.fetchAll(snapshot.db, sql: "PRAGMA foreign_key_check") { fault("foreign key: \(row)") }
    }

    /// Every entity is readable, its indexes say what it says, and its version is that of a change.
    private mutating func checkEntities() throws -> Int {
        let newest = try snapshot.lastChangeNumber()
        let cursor = try snapshot.rows("SELECT \(StoredEntity.columns) FROM entity ORDER BY id")
        var count = 0
        var totals = IndexTotals()
        var missingCount = 0
        while let row = try cursor.next() {
            count += 1
            guard let stored = try StoredEntity(row) else {
                missingCount += 1
                continue
            }
            if stored.classification.isSealed, !stored.isSealed { fault("\(stored.id): it is personal and lies plain in the file") }
            if stored.version > newest { fault("\(stored.id): its version \(stored.version) is newer than the journal's \(newest)") }
            guard let entity = try? snapshot.entity(stored) else {
                fault("\(stored.id): its document can't be read")
                continue
            }
            if entity.id != stored.id { fault("\(stored.id): its document says \(entity.id)") }
            try check(entity, stored, totals: &totals)
        }
        guard missingCount == 0 else {
            fault("keys: those of \(missingCount) entities are missing, which can't be read; put the file of residents' keys back from its copy")
            return count
        }
        for (table, expected) in totals.tables where try self.count(table) != expected {
            fault("\(table): \(try self.count(table)) rows where the entities ask for \(expected)")
        }
        return count
    }

    private mutating func check(_ entity: Entity, _ stored: StoredEntity, totals: inout IndexTotals) throws {
        let (terms, number) = (snapshot.terms, stored.number)
        let rows = try IndexRows(entity, isSealed: stored.isSealed) { terms.number(of: $0) ?? -1 }
        totals.add(rows)
        for type in rows.types where try !exists("entity_type WHERE type = ? AND entity = ?", [type, number]) {
            fault("\(entity.id): missing in the index by type")
        }
        for scope in rows.scopes where try !exists("entity_scope WHERE scope = ? AND entity = ?", [scope.text, number]) {
            fault("\(entity.id): missing in the index by scope")
        }
        for (slot, place) in rows.places.enumerated()
        where try !exists("entity_place WHERE id = ?", [PlaceNumber(entity: number, attribute: place.attribute, slot: slot).id]) {
            fault("\(entity.id): missing in the index by place")
        }
        for row in rows.values {
            for type in rows.types
            where try !exists(
                "entity_value WHERE attribute = ? AND type = ? AND value = ? AND entity = ?",
                [row.attribute, type, row.value.databaseValue, number])
            {
                fault("\(entity.id): missing in the index by value")
            }
        }
        for word in rows.words
        where try !exists("entity_address WHERE word = ? AND entity = ? AND attribute = ?", [word.word, number, word.attribute]) {
            fault("\(entity.id): missing in the index of addresses")
        }
    }

    private mutating func checkOrphans() throws {
        for table in ["entity_type", "entity_scope", "entity_value", "entity_address"]
        where try exists("\(table) WHERE entity NOT IN (SELECT id FROM entity)", []) {
            fault("\(table): rows of an entity that is not there")
        }
        if try exists("instance WHERE entity NOT IN (SELECT id FROM entity UNION ALL SELECT id FROM past)", []) {
            fault("instance: rows of an entity that is neither there nor past")
        }
        if try exists("past JOIN entity ON past.id = entity.id OR past.iri = entity.iri", []) { fault("past: an entity that is there") }
        if try exists("past_type WHERE past NOT IN (SELECT id FROM past)", []) { fault("past_type: rows of an entity that is not past") }
    }

    /// What is past is found by each of its types and by no other.
    private mutating func checkPast() throws {
        var typeCount = 0
        try checkSealedRecords()
        let cursor = try snapshot.rows("SELECT id, iri, types FROM past ORDER BY id")
        while let row = try cursor.next() {
            let (number, id) = (try row.decode(Int64.self, atIndex: 0), try row.decode(String.self, atIndex: 1))
            let types = Set(try row.decode(String.self, atIndex: 2).split(separator: " ").compactMap { Int64($0) })
            typeCount += types.count
            for type in types where try !exists("past_type WHERE type = ? AND past = ?", [type, number]) {
                fault("\(id): missing in the index of the past by type")
            }
        }
        if try count("past_type") != typeCount { fault("past_type: \(try count("past_type")) rows where what is past asks for \(typeCount)") }
    }

    /// Every instance that was moved is found by its identifier, and every identifier leads to an instance.
    private mutating func checkNames() throws {
        let names = try snapshot.rows(
            "SELECT name, \(Opened.rest) FROM instance_name LEFT JOIN instance USING (\(InstanceKey.columns)) ORDER BY instance_name.entity, name")
        while let row = try names.next() {
            let name = try row.decode(String.self, atIndex: 0)
            if try InstanceRest.name(in: row, at: 1) != name { fault("instance_name: \(name) is no identifier of the instance it leads to") }
        }
        let instances = try snapshot.rows(
            "SELECT entity, \(Opened.rest) FROM instance WHERE instr(\(Opened.rest), CAST('\"instanceId\"' AS BLOB)) > 0")
        while let row = try instances.next() {
            guard let name = try InstanceRest.name(in: row, at: 1), !name.isEmpty else { continue }
            let entity = try row.decode(Int64.self, atIndex: 0)
            if try !exists("instance_name WHERE entity = ? AND name = ?", [entity, name]) { fault("instance_name: \(name) is missing") }
        }
    }

    /// What is recorded of personal entities is sealed, and opens.
    private mutating func checkSealedRecords() throws {
        let unreadable = try count("instance WHERE \(Opened.isSealed("value")) AND opened_value(value) IS NULL")
        if unreadable > 0 { fault("keys: those of \(unreadable) records are missing") }
        let personal = "form >= \(Classification.sealedMin.rank * InstanceForm.classificationUnit)"
        let plain = try count("instance WHERE \(personal) AND form & \(InstanceForm.deletionBit) = 0 AND NOT \(Opened.isSealed("value"))")
        if plain > 0 { fault("instance: \(plain) personal records lie plain in the file") }
    }

    private mutating func checkChunks() throws {
        var found: [String] = []
        try SealedVerification(snapshot).run { found.append($0) }
        try SummaryVerification(snapshot).run { found.append($0) }
        for text in found { fault(text) }
    }

    private mutating func checkLedger() throws -> Int {
        var found: [String] = []
        let count = try LedgerVerification(snapshot).run { found.append($0) }
        for text in found { fault(text) }
        return Int(count)
    }

    private func exists(_ tail: String, _ arguments: StatementArguments) throws -> Bool {
        try snapshot.row("SELECT 1 FROM \(tail) LIMIT 1", arguments) != nil
    }
}

/// How many rows the entities ask of each index.
private struct IndexTotals {
    private var types = 0, scopes = 0, places = 0, values = 0, words = 0

    mutating func add(_ rows: IndexRows) {
        types += rows.types.count
        scopes += rows.scopes.count
        places += rows.places.count
        values += rows.values.count * rows.types.count
        words += rows.words.count
    }

    var tables: [(String, Int)] {
        [("entity_type", types), ("entity_scope", scopes), ("entity_place", places), ("entity_value", values), ("entity_address", words)]
    }
}
