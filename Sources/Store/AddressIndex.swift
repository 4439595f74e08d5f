package import CityModel
internal import Foundation
internal import GRDB

/// Words of addresses and of the names of streets, for finding a place by what people call it. Of what is sealed there are none.
package enum AddressWords {
    /// Migration `0025-addresses`. `unread_address` names the entities of a file from before, until their words are there (`fillAddressIndex`).
    static let schema = """
        CREATE TABLE entity_address (
            word TEXT NOT NULL,
            entity INTEGER NOT NULL,
            attribute INTEGER NOT NULL,
            PRIMARY KEY (word, entity, attribute)
        ) WITHOUT ROWID, STRICT;

        CREATE TABLE unread_address (entity INTEGER PRIMARY KEY) STRICT;
        INSERT INTO unread_address
            SELECT entity FROM entity_value WHERE attribute IN (SELECT id FROM term WHERE iri LIKE '%/address' OR iri LIKE '%#address' OR iri LIKE '%:address')
            UNION SELECT entity FROM entity_type WHERE type IN (
                SELECT id FROM term WHERE iri LIKE '%/RoadSegment' OR iri LIKE '%/Road' OR iri LIKE '%/Street');
        """

    /// Of one attribute; of one text.
    static let countMax = 32
    private static let byteCountMax = 60
    private static let textCountMax = 500

    /// The words of a text in the order in which they stand, without case and accents; signs are between them.
    package static func split(_ text: String) -> [String] {
        let text = String(String.UnicodeScalarView(text.unicodeScalars.prefix(textCountMax)))
        let isPlain = text.utf8.allSatisfy { $0 < 0x80 }
        let folded = isPlain ? text.lowercased() : text.folding(options: [.caseInsensitive, .diacriticInsensitive, .widthInsensitive], locale: nil)
        let words = folded.unicodeScalars.split { !$0.properties.isAlphabetic && $0.properties.numericType == nil }
        return words.prefix(countMax).map { String(String.UnicodeScalarView($0)) }.filter { $0.utf8.count <= byteCountMax }
    }

    /// Types whose names are those of streets, in the Smart Data Models and as cities call them besides.
    private static let streetTypes = ["RoadSegment", "Road", "Street"]
    /// Members of an address (schema.org PostalAddress) that say where something is within a city.
    private static let members = ["streetAddress", "streetNr", "addressLocality", "district"]

    static func isStreet(_ entity: Entity) -> Bool { entity.types.contains { type in streetTypes.contains { ends(type, with: $0) } } }

    /// Whether an attribute tells words of an address.
    static func isTold(by name: IRI, ofStreet isStreet: Bool) -> Bool {
        ends(name, with: "address") || isStreet && ends(name, with: "name")
    }

    /// Whether a name's last word is this one. Asked of each type and each attribute that is written, so most are told apart by their last byte.
    private static func ends(_ name: IRI, with word: String) -> Bool {
        name.text.utf8.reversed().starts(with: word.utf8.reversed()) && name.lastWord == word
    }

    static func words(of value: JSON) -> Set<String> {
        if let text = value.stringValue { return Set(split(text)) }
        let texts = members.compactMap { member in value[member].flatMap { $0.stringValue ?? $0.integerValue.map { String($0) } } }
        return Set(texts.flatMap(split).prefix(countMax))
    }
}

extension ReadSnapshot {
    /// Entities of which one address, or the name of the street that they are, has all of some words.
    /// - Complexity: of the words the rarest is looked up, and `postingCountMax` entities at most are asked for the others.
    package func addressed(_ words: [String], _ classificationMax: Classification, at now: Instant, limit: Int) throws -> [LiveEntity] {
        let wanted = Array(Set(words).prefix(AddressWords.countMax))
        guard !wanted.isEmpty else { return [] }
        let counted = try wanted.map { (word: $0, count: try count($0)) }.sorted { ($0.count, $0.word) < ($1.count, $1.word) }
        guard counted[0].count > 0 else { return [] }
        let others = counted.dropFirst().map(\.word)
        let condition = "AND EXISTS (SELECT 1 FROM entity_address WHERE word = ? AND entity = found.entity AND attribute = found.attribute)"
        let cursor = try rows(
            """
            SELECT DISTINCT entity.id FROM (SELECT entity, attribute FROM entity_address WHERE word = ? LIMIT \(Self.postingCountMax)) AS found
            CROSS JOIN entity ON entity.id = found.entity WHERE classification <= ? \(others.map { _ in condition }.joined(separator: " ")) LIMIT ?
            """, [counted[0].word, classificationMax.rank] + StatementArguments(others) + [limit])
        var numbers: [Int64] = []
        while let row = try cursor.next() { numbers.append(try row.decode(Int64.self, atIndex: 0)) }
        return try liveEntities(numbers: numbers, classificationMax, at: now)
    }

    private static var postingCountMax: Int { 20_000 }
    /// Words are compared up to here; beyond, all are as frequent.
    private static var probeCountMax: Int { 1000 }

    private func count(_ word: String) throws -> Int {
        let sql = "SELECT count(*) FROM (SELECT 1 FROM entity_address WHERE word = ? LIMIT \(Self.probeCountMax))"
        return try row(sql, [word])?.decode(Int.self, atIndex: 0) ?? 0
    }

    func hasUnreadAddresses() throws -> Bool { try row("SELECT 1 FROM unread_address LIMIT 1", []) != nil }
}

extension WriteTransaction {
    /// Adds the words of up to `limit` entities of a file from before.
    /// - Returns: of how many; none when all are there.
    func fillAddressIndex(limit: Int) throws -> Int {
        let cursor = try rows("SELECT entity FROM unread_address LIMIT ?", [limit])
        var numbers: [Int64] = []
        while let row = try cursor.next() { numbers.append(try row.decode(Int64.self, atIndex: 0)) }
        for number in numbers {
            try execute("DELETE FROM unread_address WHERE entity = ?", [number])
            // What can't be read, for its key is gone, has no words.
            guard let stored = try storedEntity(number: number), !stored.isSealed else { continue }
            for word in try IndexRows(entity(stored), isSealed: false, intern: intern).words { try addWord(word, number) }
        }
        return numbers.count
    }

    func addWord(_ row: IndexRows.Word, _ entity: Int64) throws {
        try execute("INSERT OR IGNORE INTO entity_address (word, entity, attribute) VALUES (?, ?, ?)", [row.word, entity, row.attribute])
    }

    func removeWord(_ row: IndexRows.Word, _ entity: Int64) throws {
        try execute("DELETE FROM entity_address WHERE word = ? AND entity = ? AND attribute = ?", [row.word, entity, row.attribute])
    }
}
