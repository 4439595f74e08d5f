package import CityModel
internal import GRDB

/// A type of entity as a list of layers needs it.
package struct LiveType: Hashable, Sendable {
    package let type: IRI
    /// How many entities may be seen.
    package let count: Int
    /// Whether at least one of them has a `location`.
    package let isPlaced: Bool
}

extension ReadSnapshot {
    /// The types of the entities that may be seen, by name.
    package func liveTypes(_ classificationMax: Classification) throws -> [LiveType] {
        try types(classificationMax).map { type in
            LiveType(
                type: type, count: try entityCount(of: type, classificationMax), isPlaced: try isPlaced(type, classificationMax))
        }
    }

    /// Up to `countMax` entities of a type, those with the lowest numbers.
    package func liveSample(
        of type: IRI, _ classificationMax: Classification, at now: Instant, countMax: Int
    ) throws -> [LiveEntity] {
        let places = try livePlaces(ofTypes: [type], classificationMax, at: now, countMax: countMax)
        return try liveEntities(numbers: places.map(\.number), classificationMax, at: now)
    }

    private func isPlaced(_ type: IRI, _ classificationMax: Classification) throws -> Bool {
        guard let type = terms.number(of: type), let location = terms.number(of: .location) else { return false }
        return try row(
            """
            SELECT 1 FROM entity_value CROSS JOIN entity ON entity.id = entity_value.entity
            WHERE attribute = ? AND type = ? AND classification <= ? LIMIT 1
            """, [location, type, classificationMax.rank]) != nil
    }
}
