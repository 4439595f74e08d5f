package import CityModel
internal import GRDB
internal import OrderedCollections

extension ReadSnapshot {
    /// The entities of which a text attribute satisfies `matches`, read from the index of values, so that no document is
    /// opened. An attribute that is no plain text cannot be judged here; its entity is among the answers.
    /// - Parameters:
    ///   - attributes: those that hold names.
    ///   - visitCountMax: index rows that are looked at; the search ends there.
    /// - Complexity: one scan of the attributes' part of the index.
    package func liveNames(
        of attributes: [IRI], _ classificationMax: Classification, at now: Instant, visitCountMax: Int, matches: (String) -> Bool
    ) throws -> [LivePlace] {
        var numbers: [Int64] = []
        var seen: Set<Int64> = []
        var visited = 0
        for attribute in attributes.compactMap(terms.number(of:)) {
            let cursor = try rows(
                "SELECT entity, typeof(value), CASE typeof(value) WHEN 'text' THEN value END FROM entity_value WHERE attribute = ? LIMIT ?",
                [attribute, visitCountMax - visited])
            while let row = try cursor.next() {
                visited += 1
                let number = try row.decode(Int64.self, atIndex: 0)
                if let text = try row.decode(String?.self, atIndex: 2) {
                    guard matches(text) else { continue }
                } else if try row.decode(String.self, atIndex: 1) != "blob" {
                    continue
                }
                if seen.insert(number).inserted { numbers.append(number) }
            }
        }
        return try numbers.compactMap { try livePlace($0, classificationMax, at: now) }
    }

    private func livePlace(_ number: Int64, _ classificationMax: Classification, at now: Instant) throws -> LivePlace? {
        try row(
            "SELECT version, expires_us <= ?, classification FROM entity WHERE id = ? AND classification <= ?",
            [now.microseconds, number, classificationMax.rank]
        ).map { row in
            LivePlace(
                number: number, version: try row.decode(Int64.self, atIndex: 0), longitude: nil, latitude: nil,
                hasExpired: try row.decode(Bool?.self, atIndex: 1) ?? false, isPersonal: try row.decode(Int.self, atIndex: 2) >= Classification.personal.rank)
        }
    }

    /// The numeric values of one attribute, by entity; of several the smallest. For ordering many entities by it.
    /// - Complexity: one scan of the part of the index that is this attribute of these types.
    package func liveNumbers(of attribute: IRI, types: [IRI]) throws -> [Int64: Double] {
        guard let attribute = terms.number(of: attribute) else { return [:] }
        var values: [Int64: Double] = [:]
        for type in types.compactMap(terms.number(of:)) {
            let cursor = try rows(
                "SELECT entity, value FROM entity_value WHERE attribute = ? AND type = ? AND value < '' ORDER BY value", [attribute, type])
            while let row = try cursor.next() {
                let number = try row.decode(Int64.self, atIndex: 0)
                if values[number] == nil { values[number] = try row.decode(Double.self, atIndex: 1) }
            }
        }
        for (number, value) in try sealedNumbers(of: attribute, types) where values[number].map({ value < $0 }) ?? true { values[number] = value }
        return values
    }

    /// The same of what is sealed, of which the index does not tell the values.
    private func sealedNumbers(of attribute: Int64, _ types: [IRI]) throws -> [Int64: Double] {
        guard let name = terms.name(of: attribute) else { return [:] }
        var values: [Int64: Double] = [:]
        for type in types.compactMap(terms.number(of:)) {
            let cursor = try rows(
                """
                SELECT entity.id FROM entity_value CROSS JOIN entity ON entity.id = entity_value.entity
                WHERE attribute = ? AND type = ? AND value = ? AND entity.key IS NOT NULL
                """, [attribute, type, IndexValue.present.databaseValue])
            while let row = try cursor.next() {
                guard let stored = try storedEntity(number: row.decode(Int64.self, atIndex: 0)) else { continue }
                let instances = try decoder.entity(stored.document, keeping: [name]).attributes[name] ?? []
                let numbers = instances.flatMap(IndexValue.values).compactMap { if case .number(let number) = $0 { number } else { nil } }
                if let least = numbers.min() { values[stored.number] = least }
            }
        }
        return values
    }
}
