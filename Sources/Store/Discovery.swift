package import CityModel
internal import GRDB
internal import OrderedCollections

/// Which types and attributes the file's entities have (clauses 5.7.5 to 5.7.10), read from the indexes by jumping from
/// one to the next, so that the cost follows the vocabulary and not the entities. What may not be seen is not counted.
extension ReadSnapshot {
    package func types(_ classificationMax: Classification) throws -> [IRI] {
        let sql = """
            WITH RECURSIVE found (type) AS (
                SELECT min(type) FROM entity_type
                UNION ALL
                SELECT (SELECT min(type) FROM entity_type WHERE type > found.type) FROM found WHERE found.type IS NOT NULL
            ) SELECT type FROM found WHERE type IS NOT NULL
            """
        return try numbers(sql).filter { try isVisible(type: $0, classificationMax) }.compactMap(terms.name(of:)).sorted()
    }

    package func attributes(_ classificationMax: Classification) throws -> [IRI] {
        try attributeNumbers().filter { try !types(having: $0, classificationMax).isEmpty }.compactMap(terms.name(of:)).sorted()
    }

    /// The attributes that entities of a type have.
    package func attributes(of type: IRI, _ classificationMax: Classification) throws -> [IRI] {
        guard let type = terms.number(of: type) else { return [] }
        return try attributeNumbers().filter { try isVisible(attribute: $0, type: type, classificationMax) }
            .compactMap(terms.name(of:)).sorted()
    }

    /// The types of the entities that have an attribute.
    package func types(having attribute: IRI, _ classificationMax: Classification) throws -> [IRI] {
        guard let attribute = terms.number(of: attribute) else { return [] }
        return try types(having: attribute, classificationMax).compactMap(terms.name(of:)).sorted()
    }

    package func entityCount(of type: IRI, _ classificationMax: Classification) throws -> Int {
        guard let type = terms.number(of: type) else { return 0 }
        if classificationMax == .special {
            return try row("SELECT count(*) FROM entity_type WHERE type = ?", [type])?.decode(Int.self, atIndex: 0) ?? 0
        }
        let sql = """
            SELECT count(*) FROM entity_type CROSS JOIN entity ON entity.id = entity_type.entity
            WHERE type = ? AND classification <= ?
            """
        return try row(sql, [type, classificationMax.rank])?.decode(Int.self, atIndex: 0) ?? 0
    }

    /// How many entities have an attribute.
    package func entityCount(having attribute: IRI, _ classificationMax: Classification) throws -> Int {
        guard let attribute = terms.number(of: attribute) else { return 0 }
        let sql = """
            SELECT count(*) FROM (SELECT DISTINCT entity FROM entity_value WHERE attribute = ?) AS owner
            CROSS JOIN entity ON entity.id = owner.entity WHERE classification <= ?
            """
        return try row(sql, [attribute, classificationMax.rank])?.decode(Int.self, atIndex: 0) ?? 0
    }

    /// The kinds in which an attribute occurs, looked up in up to `sampleCountMax` entities.
    package func kinds(of attribute: IRI, type: IRI, _ classificationMax: Classification) throws -> [AttributeKind] {
        guard let attributeNumber = terms.number(of: attribute), let typeNumber = terms.number(of: type) else { return [] }
        let sql = "SELECT DISTINCT entity FROM entity_value WHERE attribute = ? AND type = ? LIMIT \(Self.sampleCountMax)"
        var kinds: OrderedSet<AttributeKind> = []
        let cursor = try rows(sql, [attributeNumber, typeNumber])
        while let row = try cursor.next() {
            guard let stored = try storedEntity(number: row.decode(Int64.self, atIndex: 0)),
                stored.classification <= classificationMax
            else { continue }
            for instance in try entity(stored).attributes[attribute] ?? [] { kinds.append(instance.kind) }
        }
        return AttributeKind.allCases.filter(kinds.contains)
    }

    private static let sampleCountMax = 500

    private func attributeNumbers() throws -> [Int64] {
        try numbers(
            """
            WITH RECURSIVE found (attribute) AS (
                SELECT min(attribute) FROM entity_value
                UNION ALL
                SELECT (SELECT min(attribute) FROM entity_value WHERE attribute > found.attribute) FROM found
                WHERE found.attribute IS NOT NULL
            ) SELECT attribute FROM found WHERE attribute IS NOT NULL
            """)
    }

    private func types(having attribute: Int64, _ classificationMax: Classification) throws -> [Int64] {
        try types(having: attribute).filter { try isVisible(attribute: attribute, type: $0, classificationMax) }
    }

    private func numbers(_ sql: String) throws -> [Int64] {
        let cursor = try rows(sql)
        var numbers: [Int64] = []
        while let row = try cursor.next() { numbers.append(try row.decode(Int64.self, atIndex: 0)) }
        return numbers
    }

    private func isVisible(type: Int64, _ classificationMax: Classification) throws -> Bool {
        let sql = """
            SELECT 1 FROM entity_type CROSS JOIN entity ON entity.id = entity_type.entity
            WHERE type = ? AND classification <= ? LIMIT 1
            """
        return try row(sql, [type, classificationMax.rank]) != nil
    }

    private func isVisible(attribute: Int64, type: Int64, _ classificationMax: Classification) throws -> Bool {
        let sql = """
            SELECT 1 FROM entity_value CROSS JOIN entity ON entity.id = entity_value.entity
            WHERE attribute = ? AND type = ? AND classification <= ? LIMIT 1
            """
        return try row(sql, [attribute, type, classificationMax.rank]) != nil
    }
}

extension ReadSnapshot {
    /// The texts that entities of a type have as an attribute, as far as they are seen, each once and in order; of long ones the beginning.
    /// - Complexity: jumps from text to text in the index of values; its cost does not follow the entities.
    package func texts(of attribute: IRI, type: IRI, _ classificationMax: Classification, limit: Int) throws -> [String] {
        guard let attribute = terms.number(of: attribute), let type = terms.number(of: type) else { return [] }
        // Texts stand between numbers and blobs.
        let next = "SELECT value FROM entity_value WHERE attribute = ?1 AND type = ?2 AND value < x'' AND value >"
        let cursor = try rows(
            """
            WITH RECURSIVE found (text) AS (
                SELECT (\(next) '' ORDER BY value LIMIT 1)
                UNION ALL
                SELECT (\(next) found.text ORDER BY value LIMIT 1) FROM found WHERE found.text IS NOT NULL
            )
            SELECT text FROM found WHERE text IS NOT NULL AND EXISTS (
                SELECT 1 FROM entity_value CROSS JOIN entity ON entity.id = entity_value.entity
                WHERE attribute = ?1 AND type = ?2 AND value = found.text AND classification <= ?3
            ) LIMIT ?4
            """, [attribute, type, classificationMax.rank, limit])
        var texts: [String] = []
        while let row = try cursor.next() { texts.append(try row.decode(String.self, atIndex: 0)) }
        return texts
    }
}
