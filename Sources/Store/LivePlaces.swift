package import CityModel
internal import GRDB
internal import OrderedCollections

/// Where an entity is, without having read it: what a map needs to count and to group.
package struct LivePlace: Hashable, Sendable {
    package let number: Int64
    /// Grows with every change of the entity, so that whoever knows this version knows the entity.
    package let version: Int64
    /// The middle of the place's bounding box; nil when the search did not look at places.
    package let longitude: Double?
    package let latitude: Double?
    /// Whether the entity or one of its attributes has expired.
    package let hasExpired: Bool
    /// Whether it is about people, so that showing it has to be accounted for.
    package let isPersonal: Bool
}

/// An entity with what the file knows beside its document.
package struct LiveEntity: Sendable {
    package let number: Int64
    package let version: Int64
    package let run: Int64?
    package let classification: Classification
    package let entity: Entity

    package init(number: Int64, version: Int64, run: Int64?, classification: Classification, entity: Entity) {
        (self.number, self.version, self.run, self.classification, self.entity) = (number, version, run, classification, entity)
    }
}

/// Entities for pages, found by place or by type without reading their documents. What may not be seen is not there.
extension ReadSnapshot {
    /// Entities whose `location` meets a box, one row each.
    /// - Complexity: one search of the R*Tree and one look-up for each entity. What is sealed is read, some thousands at most.
    package func livePlaces(
        in box: BoundingBox, _ classificationMax: Classification, at now: Instant, countMax: Int
    ) throws -> [LivePlace] {
        guard let location = terms.number(of: .location) else { return [] }
        let cursor = try rows(
            """
            SELECT entity.id, entity.version, entity.expires_us <= ?, (west + east) / 2, (south + north) / 2, classification
            FROM entity_place CROSS JOIN entity ON entity.id = \(PlaceNumber.entityOfRow)
            WHERE west <= ? AND east >= ? AND south <= ? AND north >= ? AND \(PlaceNumber.attributeOfRow) = ? AND classification <= ? LIMIT ?
            """,
            [now.microseconds, box.east, box.west, box.north, box.south, location, classificationMax.rank, countMax])
        let told = try places(cursor)
        guard classificationMax.isSealed, told.count < countMax else { return told }
        let untold = try sealedPlaces(location, classificationMax).compactMap { stored -> LivePlace? in
            guard let middle = try locations(of: stored).first(where: box.intersects)?.center else { return nil }
            return LivePlace(
                number: stored.number, version: stored.version, longitude: middle.longitude, latitude: middle.latitude,
                hasExpired: stored.expiresAt.map { $0 <= now } ?? false, isPersonal: true)
        }
        return Array(unrepeated(told + untold).prefix(countMax))
    }

    /// Entities of which the index does not tell where they are, for they are sealed: some thousands at most.
    private func sealedPlaces(_ attribute: Int64, _ classificationMax: Classification) throws -> [StoredEntity] {
        var numbers: Set<Int64> = []
        for type in try types(having: attribute) {
            let cursor = try rows(
                "SELECT entity FROM entity_value WHERE attribute = ? AND type = ? AND value = ? LIMIT ?",
                [attribute, type, IndexValue.sealedPlace.databaseValue, Self.untoldCountMax - numbers.count])
            while let row = try cursor.next() { numbers.insert(try row.decode(Int64.self, atIndex: 0)) }
        }
        return try numbers.sorted().compactMap(storedEntity(number:)).filter { $0.classification <= classificationMax }
    }

    /// The boxes of an entity's places, as they are shown.
    private func locations(of stored: StoredEntity) throws -> [BoundingBox] {
        let instances = try decoder.entity(stored.document, keeping: [.location]).attributes[.location] ?? []
        return instances.compactMap { try? Geometry($0.value).boundingBox }
    }

    /// Entities of any of these types, or of every type when there are none, one row each and without their places.
    package func livePlaces(
        ofTypes types: [IRI], _ classificationMax: Classification, at now: Instant, countMax: Int
    ) throws -> [LivePlace] {
        let columns = "entity.id, entity.version, entity.expires_us <= ?, NULL, NULL, classification"
        guard !types.isEmpty else {
            return try places(
                rows(
                    "SELECT \(columns) FROM entity WHERE classification <= ? ORDER BY id LIMIT ?",
                    [now.microseconds, classificationMax.rank, countMax]))
        }
        var found: [LivePlace] = []
        for type in types.compactMap(terms.number(of:)) {
            let cursor = try rows(
                """
                SELECT \(columns) FROM entity_type CROSS JOIN entity ON entity.id = entity_type.entity
                WHERE type = ? AND classification <= ? LIMIT ?
                """, [now.microseconds, type, classificationMax.rank, countMax - found.count])
            found += try places(cursor)
        }
        return types.count == 1 ? found : unrepeated(found)
    }

    private func places(_ cursor: RowCursor) throws -> [LivePlace] {
        var found: [LivePlace] = []
        while let row = try cursor.next() { found.append(try place(row)) }
        return unrepeated(found)
    }

    private func place(_ row: Row) throws -> LivePlace {
        LivePlace(
            number: try row.decode(Int64.self, atIndex: 0), version: try row.decode(Int64.self, atIndex: 1),
            longitude: try row.decode(Double?.self, atIndex: 3), latitude: try row.decode(Double?.self, atIndex: 4),
            hasExpired: try row.decode(Bool?.self, atIndex: 2) ?? false, isPersonal: try row.decode(Int.self, atIndex: 5) >= Classification.personal.rank)
    }

    /// An entity with several instances of `location` comes up once for each.
    private func unrepeated(_ places: [LivePlace]) -> [LivePlace] {
        var seen = Set<Int64>(minimumCapacity: places.count)
        return places.filter { seen.insert($0.number).inserted }
    }

    /// Sealed entities that are read to find out where they are.
    private static let untoldCountMax = 10_000

    /// The smallest box that holds every `location`; nil when there is none. Of what is sealed no more than some thousands are looked at.
    package func livePlacesBox(_ classificationMax: Classification) throws -> BoundingBox? {
        guard let location = terms.number(of: .location) else { return nil }
        let row = try row(
            """
            SELECT min(west), min(south), max(east), max(north)
            FROM entity_place CROSS JOIN entity ON entity.id = \(PlaceNumber.entityOfRow)
            WHERE \(PlaceNumber.attributeOfRow) = ? AND classification <= ?
            """, [location, classificationMax.rank])
        let told = try row.flatMap(box)
        guard classificationMax.isSealed else { return told }
        let all = try (told.map { [$0] } ?? []) + sealedPlaces(location, classificationMax).flatMap(locations)
        return all.dropFirst().reduce(into: all.first) { whole, box in
            whole?.extend(longitude: box.west, latitude: box.south)
            whole?.extend(longitude: box.east, latitude: box.north)
        }
    }

    private func box(_ row: Row) throws -> BoundingBox? {
        guard let west = try row.decode(Double?.self, atIndex: 0), let south = try row.decode(Double?.self, atIndex: 1),
            let east = try row.decode(Double?.self, atIndex: 2), let north = try row.decode(Double?.self, atIndex: 3)
        else { return nil }
        return BoundingBox(west: west, south: south, east: east, north: north)
    }

    /// The entities with these numbers, as they are now. Ones that are gone or may not be seen are left out.
    package func liveEntities(
        numbers: some Sequence<Int64>, _ classificationMax: Classification, at now: Instant
    ) throws -> [LiveEntity] {
        try numbers.compactMap { number in
            try storedEntity(number: number).flatMap { try liveEntity($0, classificationMax, at: now) }
        }
    }

    package func liveEntity(_ id: IRI, _ classificationMax: Classification, at now: Instant) throws -> LiveEntity? {
        try storedEntity(id).flatMap { try liveEntity($0, classificationMax, at: now) }
    }

    private func liveEntity(_ stored: StoredEntity, _ classificationMax: Classification, at now: Instant) throws -> LiveEntity? {
        guard stored.classification <= classificationMax, let entity = try entity(stored).unexpired(at: now) else { return nil }
        return LiveEntity(number: stored.number, version: stored.version, run: stored.run, classification: stored.classification, entity: entity)
    }
}
