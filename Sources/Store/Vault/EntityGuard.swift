internal import CityModel
internal import GRDB

extension Classification {
    /// From here on what is stored is sealed with a key of the person whom it is about.
    static let sealedMin = Classification.personal
    var isSealed: Bool { self >= Self.sealedMin }
}

extension Entity {
    /// Whose key it is sealed with: that of the person whom it is about, else one of its own.
    var sealSubject: String { dataSubject ?? id.text }
}

/// With which key what is recorded of an entity is sealed.
struct EntityGuard {
    /// Whether all that is recorded of it is.
    var isSealed: Bool
    /// That of what is or was personal of it; nil where nothing was.
    var key: ResidentKey?
}

extension WriteTransaction {
    /// The key that something of an entity is sealed with; nil where it stays plain.
    /// - Parameter classification: what it is recorded as.
    func key(of entity: Int64, _ classification: Classification) throws -> ResidentKey? {
        let known = try entityGuard(entity)
        guard known.isSealed || classification.isSealed else { return nil }
        return try known.key ?? newKey(of: entity, known)
    }

    private func entityGuard(_ entity: Int64) throws -> EntityGuard {
        if let guarded, guarded.entity == entity { return guarded.guard }
        let row = try row(
            "SELECT classification, key FROM main.entity WHERE id = ?1 UNION ALL SELECT classification, key FROM main.past WHERE id = ?1", [entity])
        let isSealed = try row.flatMap { Classification(rank: try $0.decode(Int.self, atIndex: 0)) }?.isSealed ?? false
        let found = EntityGuard(isSealed: isSealed, key: try row?.keyID(atIndex: 1).flatMap(vault.key))
        guarded = (entity, found)
        return found
    }

    /// What was personal of an entity that is not, or was sealed with a key that is not to be had, gets a key of its own.
    private func newKey(of entity: Int64, _ known: EntityGuard) throws -> ResidentKey {
        let id = try row("SELECT iri FROM main.entity WHERE id = ?1 UNION ALL SELECT iri FROM main.past WHERE id = ?1", [entity])?
            .decode(String.self, atIndex: 0)
        guard let id else { throw CityError.internalFault("something personal was recorded of an entity that is not there") }
        let key = try vault.key(of: id)
        for table in ["entity", "past"] { try execute("UPDATE \(table) SET key = ? WHERE id = ?", [key.id.blob, entity]) }
        guarded = (entity, EntityGuard(isSealed: known.isSealed, key: key))
        return key
    }

    /// To be told of what an entity is from now on.
    func guardEntity(_ entity: Int64, isSealed: Bool, _ key: ResidentKey?) { guarded = (entity, EntityGuard(isSealed: isSealed, key: key)) }

    /// What a row of `instance` holds, sealed where it is to be.
    func content(_ plain: SealedRecord, of entity: Int64, form: Int) throws -> (value: DatabaseValue, unit: DatabaseValue, rest: DatabaseValue) {
        let form = InstanceForm(number: form)
        // The trace of a deletion says nothing but that.
        guard !form.isDeletion || plain.rest != nil, let key = try key(of: entity, form.classification) else {
            return (plain.value, plain.unit?.databaseValue ?? .null, plain.rest?.databaseBlob ?? .null)
        }
        return (try SealedBytes.seal(plain.bytes, with: key).databaseBlob, .null, .null)
    }

    /// Bytes of a series, sealed where they are to be.
    func data(_ plain: [UInt8], of entity: Int64, _ classification: Classification) throws -> DatabaseValue {
        try key(of: entity, classification).map { try SealedBytes.seal(plain, with: $0) }?.databaseBlob ?? plain.databaseBlob
    }
}

extension StoredDocument {
    func data(sealedWith key: ResidentKey?) throws -> [UInt8] { try key.map { try SealedBytes.seal(bytes, with: $0) } ?? bytes }
}

extension KeyID {
    var blob: DatabaseValue { bytes.databaseBlob }
}

extension Row {
    /// Nil for NULL.
    func keyID(atIndex index: Int) throws -> KeyID? { try withUnsafeData(atIndex: index) { $0.flatMap { KeyID($0) } } }
}
