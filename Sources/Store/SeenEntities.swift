package import CityModel
internal import Foundation
internal import GRDB
internal import LinkedData
internal import OrderedCollections
package import Policy
internal import Series

/// What the rules of one sight say of entities, as one connection knows it during one read.
///
/// `@unchecked`: it belongs to a connection, which one thread uses at a time.
final class SeenEntities: @unchecked Sendable {
    private unowned let db: Database
    private let terms: TermTable
    private let decoders: DecoderPool
    private let vault: ResidentKeys
    private var sight = Sight.upTo(.open)
    private var needs: FactNeeds = []
    /// What the rules say of entities that are there now. It stays from read to read: what changed since the last is asked anew.
    private var known = KnownViews()
    /// The same of other sights that were read under.
    private var shelf = ViewShelf()
    /// The same of entities that are gone.
    private var knownPast = KnownViews()
    private var bounds: [Int64: Classification] = [:]
    /// The newest change of the file that was looked at.
    private var followed: Int64?
    private var consentRevision: Int64 = 0
    private var places: (entity: Int64, boxes: [BoundingBox])?

    /// Changes between two reads up to which it is looked at one by one what they changed.
    private static let followedCountMax = 10_000

    init(_ db: Database, terms: TermTable, decoders: DecoderPool, vault: ResidentKeys) {
        (self.db, self.terms, self.decoders, self.vault) = (db, terms, decoders, vault)
    }

    /// Begins a read.
    /// - Parameter isFollowed: whether the file's journal tells all that changes, so that it can go on from a read before under the same rules.
    func begin(_ sight: Sight, isFollowed: Bool = false) throws {
        (bounds, places, knownPast) = ([:], nil, KnownViews())
        if sight != self.sight {
            shelf.put(known, of: self.sight)
            known = shelf.take(sight) ?? KnownViews()
        }
        (self.sight, needs) = (sight, sight.ruling?.needs ?? [])
        guard isFollowed else {
            (known, shelf) = (KnownViews(), ViewShelf())
            return
        }
        let consents = try db.consentRevision()
        if try consents != consentRevision || !follow() { (known, shelf) = (KnownViews(), ViewShelf()) }
        (followed, consentRevision) = (try lastChange(), consents)
    }

    /// Consents as they were when the read began: the journal does not tell when one is given or withdrawn. Nil where they decide nothing.
    var consentsAsked: Int64? { needs.contains(.consents) ? consentRevision : nil }

    /// What it reads under.
    var current: Sight { sight }

    private func lastChange() throws -> Int64 {
        try RowCursor(db, "SELECT max(seq) FROM main.change", []).next()?.decode(Int64?.self, atIndex: 0) ?? 0
    }

    /// Forgets what was known of entities that changed.
    /// - Returns: whether the journal told which they are.
    private func follow() throws -> Bool {
        guard let followed else { return false }
        guard let first = try RowCursor(db, "SELECT min(seq) FROM main.change", []).next()?.decode(Int64?.self, atIndex: 0) else { return followed == 0 }
        guard first <= followed + 1, try lastChange() >= followed, try lastChange() - followed <= Self.followedCountMax else { return false }
        let changed = try RowCursor(db, "SELECT entity FROM main.change WHERE seq > ?", [followed])
        while let row = try changed.next() {
            let entity = try row.decode(Int64.self, atIndex: 0)
            known.forget(entity)
            shelf.forget(entity)
        }
        return true
    }

    func sees(_ entity: Int64) throws -> Bool { try view(of: entity) != nil }

    func sees(_ attribute: Int64, of entity: Int64) throws -> Bool { try precision(of: attribute, of: entity) != nil }

    /// Past values are shown of what is shown exactly: moments and places that are told roughly now could be learned from them.
    func seesHistory(of attribute: Int64, of entity: Int64) throws -> Bool { try precision(of: attribute, of: entity) == .exact }

    private func precision(of attribute: Int64, of entity: Int64) throws -> Precision? {
        guard let view = try view(of: entity) else { return nil }
        // What stands for any attribute, or tells the scopes, is as visible as the entity.
        guard attribute != IndexRows.anyAttribute, let name = terms.name(of: attribute), name != .scopeMember else { return .exact }
        return sight.precision(of: name, in: view)
    }

    /// The smallest number of entities that a figure with this one must be of; nil when there is none.
    func entityCountMin(of attribute: IRI, of entity: Int64) throws -> Int? {
        guard case .aggregated(let countMin, _)? = try view(of: entity)?.access(to: attribute) else { return nil }
        return countMin
    }

    /// The most confidential class of records that are shown of an entity: that of the entity, and on from there as long as the rules would
    /// show it if it were as confidential as that.
    func bound(of entity: Int64) throws -> Classification {
        if let bound = bounds[entity] { return bound }
        guard var facts = try currentFacts(entity) ?? pastFacts(entity) else { return .open }
        var bound = facts.classification
        while let next = Classification(rank: bound.rank + 1) {
            facts.classification = next
            guard verdict(facts) != nil else { break }
            bound = next
        }
        bounds[entity] = bound
        return bound
    }

    private func verdict(_ facts: ResourceFacts) -> View? {
        guard facts.classification <= sight.classificationMax else { return nil }
        guard let ruling = sight.ruling else { return .whole }
        return sight.shows(ruling.verdict(on: facts))
    }

    /// A stored document as it is shown; nil where the key of what is personal is gone.
    func document(_ bytes: [UInt8], of entity: Int64) throws -> [UInt8]? {
        guard let view = try view(of: entity) else { throw CityError.internalFault("a document that is not shown was asked for") }
        guard let bytes = try vault.open(bytes) else { return nil }
        guard !view.isWhole else { return bytes }
        let seen = sight.seen(try decoded(bytes, keeping: nil), in: view)
        var isKnown = true
        let document = StoredDocument(seen) { name in
            if let number = terms.number(of: name) { return number }
            isKnown = false
            return 0
        }
        guard isKnown else { throw CorruptRow(table: "entity", reason: "a name without a number") }
        return document.bytes
    }

    /// The box of one of an entity's places, as it is shown; nil when there is none.
    func box(of place: PlaceNumber) throws -> BoundingBox? {
        if let places, places.entity == place.entity { return places.boxes.indices.contains(place.slot) ? places.boxes[place.slot] : nil }
        guard let view = try view(of: place.entity),
            let row = try RowCursor(db, "SELECT document FROM main.entity WHERE id = ?", [place.entity]).next(),
            let bytes = try row.bytes(atIndex: 0).flatMap(vault.open)
        else { return nil }
        let entity = try decoded(bytes, keeping: nil)
        // Places keep their slots, whatever is shown of the others.
        let boxes = try IndexRows(entity, isSealed: false) { terms.number(of: $0) ?? 0 }.places.map { place in
            guard let name = terms.name(of: place.attribute), let precision = sight.precision(of: name, in: view) else { return BoundingBox.world }
            return precision.placeMetres == nil ? place.box : precision.rounded(place.box) ?? .world
        }
        places = (place.entity, boxes)
        return boxes.indices.contains(place.slot) ? boxes[place.slot] : nil
    }

    /// An entity that is not read from a table, as it is shown; nil where it is not.
    func seen(_ entity: Entity, _ classification: Classification, source: String?) -> Entity? {
        view(of: entity, classification, source: source).map { sight.seen(entity, in: $0) }
    }

    /// How much of an entity that is not read from a table is shown; nil where it is not.
    func view(of entity: Entity, _ classification: Classification, source: String?) -> View? { verdict(facts(of: entity, classification, source)) }

    /// How much of an entity is shown, that is there now or was; nil where it is not.
    func view(of entity: Int64) throws -> View? {
        if let known = known[entity] ?? knownPast[entity] { return known.view }
        if let facts = try currentFacts(entity) { return known.keep(verdict(facts), of: entity) }
        return try pastFacts(entity).flatMap { knownPast.keep(verdict($0), of: entity) }
    }

    // MARK: Facts

    private func currentFacts(_ number: Int64) throws -> ResourceFacts? {
        guard let row = try RowCursor(db, "SELECT classification, run, document FROM main.entity WHERE id = ?", [number]).next() else { return nil }
        let classification = try classification(row, 0)
        let run = try row.decode(Int64?.self, atIndex: 1)
        let source = try run.flatMap { run in try needs.contains(.source) ? self.source(ofRun: run) : nil }
        var wanted: Set<IRI> = []
        if needs.contains(.location) { wanted.insert(.location) }
        if !needs.isDisjoint(with: [.dataSubject, .consents]) { wanted.insert(.dataSubject) }
        guard let bytes = try row.bytes(atIndex: 2).flatMap(vault.open) else { return nil }
        let entity = try decoded(bytes, keeping: wanted)
        return facts(of: entity, classification, source)
    }

    private func facts(of entity: Entity, _ classification: Classification, _ source: String?) -> ResourceFacts {
        let subject = entity.dataSubject
        return ResourceFacts(
            types: Set(entity.types), scopes: entity.scopes, classification: classification, source: source, dataSubject: subject,
            location: { entity.place }, consents: { [db] in subject.map { Self.consents(of: $0, db) } ?? [] })
    }

    /// Of an entity that is gone it is known what it was when it went; where it was is not.
    private func pastFacts(_ number: Int64) throws -> ResourceFacts? {
        let sql = "SELECT classification, types, (SELECT source FROM main.past_source WHERE past = main.past.id), key FROM main.past WHERE id = ?"
        guard let row = try RowCursor(db, sql, [number]).next(), try isThere(row.keyID(atIndex: 3), classification(row, 0)) else { return nil }
        let types = try row.decode(String.self, atIndex: 1).split(separator: " ").compactMap { Int64($0).flatMap(terms.name(of:)) }
        let source = try row.decode(String?.self, atIndex: 2).flatMap { $0.isEmpty ? nil : $0 }
        let subject = try needs.isDisjoint(with: [.dataSubject, .consents]) ? nil : lastText(of: .dataSubject, number)
        let scopes = try needs.contains(.scopes) ? lastScopes(number) : []
        return ResourceFacts(
            types: Set(types), scopes: scopes, classification: try classification(row, 0), source: source, dataSubject: subject,
            location: { .unknown }, consents: { [db] in subject.map { Self.consents(of: $0, db) } ?? [] })
    }

    private func lastText(of attribute: IRI, _ entity: Int64) throws -> String? {
        guard let number = terms.number(of: attribute) else { return nil }
        let sql = """
            SELECT \(Opened.value) FROM main.instance WHERE entity = ? AND attribute = ? AND form & \(InstanceForm.deletionBit) = 0
            AND typeof(\(Opened.value)) = 'text' ORDER BY at_us DESC, late_us DESC LIMIT 1
            """
        return try RowCursor(db, sql, [entity, number]).next()?.decode(String.self, atIndex: 0)
    }

    private func lastScopes(_ entity: Int64) throws -> [Scope] {
        guard let number = terms.number(of: .scopeMember) else { return [] }
        let sql = """
            SELECT \(Opened.value) FROM main.instance WHERE entity = ? AND attribute = ? AND form & \(InstanceForm.deletionBit) = 0
            ORDER BY at_us DESC, late_us DESC LIMIT 1
            """
        guard let row = try RowCursor(db, sql, [entity, number]).next() else { return [] }
        let stored = try row.decode(DatabaseValue.self, atIndex: 0)
        guard !stored.isNull else { return [] }
        let value = try SampleValue(stored).json()
        return (value.arrayValue ?? [value]).compactMap { $0.stringValue.flatMap(Scope.init) }
    }

    /// Whether what is or was personal can be read.
    private func isThere(_ key: KeyID?, _ classification: Classification) throws -> Bool {
        guard let key, classification.isSealed else { return true }
        return try vault.secret(key) != nil
    }

    private func source(ofRun run: Int64) throws -> String? {
        try RowCursor(db, "SELECT source FROM main.import_run WHERE id = ?", [run]).next()?.decode(String.self, atIndex: 0)
    }

    /// The purposes to which a person has consented and has not withdrawn it. What can't be read is no consent.
    private static func consents(of subject: String, _ db: Database) -> Set<String> {
        guard let cursor = try? RowCursor(db, "SELECT purpose FROM main.consent WHERE subject = ? AND withdrawn_us IS NULL", [subject]) else { return [] }
        var purposes: Set<String> = []
        while let row = try? cursor.next() { if let purpose = try? row.decode(String.self, atIndex: 0) { purposes.insert(purpose) } }
        return purposes
    }

    private func classification(_ row: Row, _ column: Int) throws -> Classification {
        guard let classification = Classification(rank: try row.decode(Int.self, atIndex: column)) else {
            throw CorruptRow(table: "entity", reason: "classification")
        }
        return classification
    }

    private func decoded(_ bytes: [UInt8], keeping wanted: Set<IRI>?) throws -> Entity {
        let decoder = decoders.take()
        defer { decoders.giveBack(decoder) }
        return try decoder.entity(StoredDocument(bytes: bytes), keeping: wanted)
    }
}

extension Entity {
    /// Where it is, as rules ask for it.
    package var place: ResourceFacts.Location {
        guard let instances = attributes[.location], !instances.isEmpty else { return .nowhere }
        let geometries = instances.compactMap { try? Geometry($0.value) }
        return geometries.count == instances.count ? .at(geometries) : .unknown
    }
}

extension Precision {
    /// The box of a geometry that is told as roughly as this.
    fileprivate func rounded(_ box: BoundingBox) -> BoundingBox? {
        (try? Geometry(longitude: box.center.longitude, latitude: box.center.latitude)).flatMap(rounded).map(\.boundingBox)
    }
}

extension ReadSnapshot {
    /// An entity of the file, as it is or was, as somebody else sees it than the one who reads; nil where it is not shown.
    package func seen(_ entity: Entity, _ classification: Classification, by sight: Sight) throws -> Entity? {
        guard classification <= sight.classificationMax else { return nil }
        guard sight.ruling != nil else { return entity }
        let judge = try judge(for: sight)
        let source = try row(
            """
            SELECT source FROM main.entity JOIN main.import_run ON import_run.id = entity.run WHERE entity.iri = ?1
            UNION ALL SELECT source FROM main.past JOIN main.past_source ON past_source.past = past.id WHERE past.iri = ?1 AND source <> ''
            """, [entity.id.text])?.decode(String.self, atIndex: 0)
        return judge.seen(entity, classification, source: source)
    }
}
