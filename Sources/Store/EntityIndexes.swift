internal import CityModel
internal import Foundation
internal import GRDB
internal import OrderedCollections

/// What the indexes say of one entity: by type, scope, place, attribute value, and words of addresses.
struct IndexRows {
    struct Place: Hashable {
        let attribute: Int64
        let box: BoundingBox
    }

    struct Value: Hashable {
        let attribute: Int64
        let value: IndexValue
    }

    /// Of an address, or of the name of a street (`AddressWords`).
    struct Word: Hashable {
        let attribute: Int64
        let word: String
    }

    var types: Set<Int64> = []
    var scopes: Set<Scope> = []
    /// In order: the position is part of the place's row number.
    var places: [Place] = []
    var values: Set<Value> = []
    var words: Set<Word> = []

    /// Rows of one entity in the index by place. Where it has more places, the last row encloses the rest and stands for
    /// any attribute (`anyAttribute`).
    static let placeCountMax = 16
    static let anyAttribute: Int64 = 0

    /// - Parameter isSealed: whether the entity is sealed in the file. Then the indexes tell which attributes it has, and whom it is about;
    ///   of values and places whoever asks reads it.
    init(_ entity: Entity, isSealed: Bool, intern: (IRI) throws -> Int64) throws {
        for type in entity.types { types.insert(try intern(type)) }
        scopes = Set(entity.scopes)
        let isStreet = !isSealed && AddressWords.isStreet(entity)
        for (name, instances) in entity.attributes {
            let attribute = try intern(name)
            let tells = !isSealed || name == .dataSubject
            for instance in instances {
                if instance.kind == .geoProperty, let geometry = try? Geometry(instance.value) {
                    if isSealed { values.insert(Value(attribute: attribute, value: .sealedPlace)) } else {
                        add(Place(attribute: attribute, box: geometry.boundingBox))
                    }
                }
                for value in tells ? IndexValue.values(of: instance) : [.present] { values.insert(Value(attribute: attribute, value: value)) }
            }
            if !isSealed, AddressWords.isTold(by: name, ofStreet: isStreet) {
                for word in instances.lazy.flatMap({ AddressWords.words(of: $0.value) }) { words.insert(Word(attribute: attribute, word: word)) }
            }
            if instances.count > 1 { values.insert(Value(attribute: attribute, value: .present)) }
        }
    }
}

extension IndexRows {
    private mutating func add(_ place: Place) {
        guard places.count == IndexRows.placeCountMax, let last = places.popLast() else { return places.append(place) }
        var box = last.box
        box.extend(longitude: place.box.west, latitude: place.box.south)
        box.extend(longitude: place.box.east, latitude: place.box.north)
        places.append(Place(attribute: IndexRows.anyAttribute, box: box))
    }
}

extension BoundingBox {
    static let world = BoundingBox(west: -180, south: -90, east: 180, north: 90)
}

/// A value as the attribute index orders it: numbers, then texts, then everything else as one. Names of a vocabulary count
/// as everything else, since a query may ask for them by IRI or by term.
///
/// An attribute that has no row `present` has one instance, and its rows tell all of it: so of two conditions on it, the
/// same row meets both.
enum IndexValue: Hashable {
    case number(Double)
    /// At most `textByteCountMax` bytes of the text, cut between characters.
    case text(String)
    /// Says that the attribute is there, and has values that no other row tells.
    case present
    /// Says that the attribute has a place, of an entity that is sealed. It says nothing else, so `present` is there too.
    case sealedPlace

    static let textByteCountMax = 120
    /// Values of one instance that are indexed one by one. When there are more, `present` stands for the rest.
    static let valueCountMax = 64

    /// A text with U+0000 is `present`, for SQL's texts end there: its entity is asked.
    init(text: String) {
        guard !text.containsNull else {
            self = .present
            return
        }
        guard text.utf8.count > IndexValue.textByteCountMax else {
            self = .text(text)
            return
        }
        var cut = text.utf8.index(text.startIndex, offsetBy: IndexValue.textByteCountMax)
        while cut.samePosition(in: text.unicodeScalars) == nil { cut = text.utf8.index(before: cut) }
        self = .text(String(text[..<cut]))
    }

    /// The rows of one instance: one for each number and text in it, and `present` where that is not all.
    static func values(of instance: Attribute) -> [IndexValue] {
        guard [.property, .listProperty, .relationship, .listRelationship].contains(instance.kind) else { return [.present] }
        let elements = instance.value.arrayValue ?? [instance.value]
        let values = elements.prefix(valueCountMax).compactMap(IndexValue.init(element:))
        return values.count < elements.count || values.isEmpty ? values + [.present] : values
    }

    /// Nil for what the index does not tell.
    private init?(element: JSON) {
        switch element {
        case .integer(let number): self = .number(Double(number))
        case .number(let number): self = .number(number)
        case .string(let text): self.init(text: text)
        case .object(let members):
            guard let text = members["@value"]?.stringValue else { return nil }
            self.init(text: text)
        default: return nil
        }
    }

    static func == (left: IndexValue, right: IndexValue) -> Bool {
        switch (left, right) {
        case (.number(let left), .number(let right)): left == right
        case (.text(let left), .text(let right)): left.hasSameCodePoints(as: right)
        case (.present, .present), (.sealedPlace, .sealedPlace): true
        default: false
        }
    }

    var databaseValue: DatabaseValue {
        switch self {
        case .number(let number): number.databaseValue
        case .text(let text): text.databaseValue
        case .present: [UInt8]().databaseBlob
        case .sealedPlace: [UInt8](arrayLiteral: 0).databaseBlob
        }
    }
}

extension String {
    fileprivate var containsNull: Bool { utf8.withContiguousStorageIfAvailable { $0.contains(0) } ?? utf8.contains(0) }
}

extension IndexValue: Bindable {
    func bind(to statement: OpaquePointer, at index: CInt) -> CInt {
        switch self {
        case .number(let number): number.bind(to: statement, at: index)
        case .text(let text): text.bind(to: statement, at: index)
        case .present, .sealedPlace: databaseValue.bind(to: statement, at: index)
        }
    }
}

extension [UInt8] {
    var databaseBlob: DatabaseValue { withUnsafeBufferPointer { Data(buffer: $0).databaseValue } }
}

extension WriteTransaction {
    func addIndexRows(_ rows: IndexRows, of entity: Int64) throws {
        for type in rows.types { try addType(type, entity) }
        for scope in rows.scopes { try addScope(scope, entity) }
        for (slot, place) in rows.places.enumerated() { try addPlace(place, slot: slot, entity) }
        try addValues(rows.values, types: rows.types, entity)
        for word in rows.words { try addWord(word, entity) }
    }

    func removeIndexRows(_ rows: IndexRows, of entity: Int64) throws {
        for type in rows.types { try removeType(type, entity) }
        for scope in rows.scopes { try removeScope(scope, entity) }
        for (slot, place) in rows.places.enumerated() { try removePlace(place, slot: slot, entity) }
        for value in rows.values { try removeValue(value, types: rows.types, entity) }
        for word in rows.words { try removeWord(word, entity) }
    }

    func replaceIndexRows(_ old: IndexRows, with new: IndexRows, of entity: Int64) throws {
        for type in old.types.subtracting(new.types) { try removeType(type, entity) }
        for type in new.types.subtracting(old.types) { try addType(type, entity) }
        for scope in old.scopes.subtracting(new.scopes) { try removeScope(scope, entity) }
        for scope in new.scopes.subtracting(old.scopes) { try addScope(scope, entity) }
        if old.places != new.places {
            for (slot, place) in old.places.enumerated() { try removePlace(place, slot: slot, entity) }
            for (slot, place) in new.places.enumerated() { try addPlace(place, slot: slot, entity) }
        }
        let sameTypes = old.types == new.types
        for value in old.values where !sameTypes || !new.values.contains(value) { try removeValue(value, types: old.types, entity) }
        try addValues(sameTypes ? new.values.subtracting(old.values) : new.values, types: new.types, entity)
        for word in old.words.subtracting(new.words) { try removeWord(word, entity) }
        for word in new.words.subtracting(old.words) { try addWord(word, entity) }
    }

    private func addType(_ type: Int64, _ entity: Int64) throws {
        try run("INSERT INTO entity_type (type, entity) VALUES (?, ?)", type, entity)
    }

    private func removeType(_ type: Int64, _ entity: Int64) throws {
        try run("DELETE FROM entity_type WHERE type = ? AND entity = ?", type, entity)
    }

    private func addScope(_ scope: Scope, _ entity: Int64) throws {
        try run("INSERT INTO entity_scope (scope, entity) VALUES (?, ?)", scope.text, entity)
    }

    private func removeScope(_ scope: Scope, _ entity: Int64) throws {
        try run("DELETE FROM entity_scope WHERE scope = ? AND entity = ?", scope.text, entity)
    }

    private func addPlace(_ place: IndexRows.Place, slot: Int, _ entity: Int64) throws {
        try run(
            "INSERT INTO entity_place (id, west, east, south, north) VALUES (?, ?, ?, ?, ?)",
            PlaceNumber(entity: entity, attribute: place.attribute, slot: slot).id, place.box.west, place.box.east, place.box.south, place.box.north)
    }

    private func removePlace(_ place: IndexRows.Place, slot: Int, _ entity: Int64) throws {
        try run("DELETE FROM entity_place WHERE id = ?", PlaceNumber(entity: entity, attribute: place.attribute, slot: slot).id)
    }

    private static let valueRows = RowInsertion(into: "entity_value (attribute, type, value, entity)", columnCount: 4)

    private func addValues(_ values: Set<IndexRows.Value>, types: Set<Int64>, _ entity: Int64) throws {
        for type in types {
            try Self.valueRows.insert(Array(values), db) { row, binder in
                binder.bind(row.attribute)
                binder.bind(type)
                binder.bind(row.value)
                binder.bind(entity)
            }
        }
    }

    private func removeValue(_ row: IndexRows.Value, types: Set<Int64>, _ entity: Int64) throws {
        for type in types {
            try run(
                "DELETE FROM entity_value WHERE attribute = ? AND type = ? AND value = ? AND entity = ?",
                row.attribute, type, row.value, entity)
        }
    }
}

/// Row numbers of the R*Tree: an entity's number, of which attribute a place is, and which of the entity's places. So a search learns all of it from the
/// tree's nodes; of a column besides, SQLite looks up each row in a table, with a statement that it compiles for each search.
///
/// There is room for 2⁴¹ entities, as many that a snapshot numbered itself (`WriteTransaction.foreignNumberMin`), and 2¹⁷ names, of which there are
/// `TermTable.countMax` at most.
struct PlaceNumber: Hashable {
    let entity: Int64
    let attribute: Int64
    let slot: Int

    private static let slotBits: Int64 = 4, attributeBits: Int64 = 17, entityBits: Int64 = 41
    private static let entityShift = slotBits + attributeBits
    private static let attributeMax: Int64 = 1 << attributeBits - 1
    /// Between the numbers that have the highest bit in a row's number, and those that they stand for.
    private static let foreignGap = WriteTransaction.foreignNumberMin - 1 << entityBits

    /// Of a row of `entity_place`, in SQL.
    static let entityOfRow = "((entity_place.id >> \(entityShift)) + (entity_place.id >> \(entityShift + entityBits)) * \(foreignGap))"
    static let attributeOfRow = "(entity_place.id >> \(slotBits) & \(attributeMax))"

    init(entity: Int64, attribute: Int64, slot: Int) { (self.entity, self.attribute, self.slot) = (entity, attribute, slot) }
    init(id: Int64) {
        slot = Int(id & (1 << Self.slotBits - 1))
        attribute = id >> Self.slotBits & Self.attributeMax
        entity = id >> Self.entityShift + id >> (Self.entityShift + Self.entityBits) * Self.foreignGap
    }

    var id: Int64 {
        let place = entity < WriteTransaction.foreignNumberMin ? entity : entity - Self.foreignGap
        return place << Self.entityShift | attribute << Self.slotBits | Int64(slot)
    }
}
