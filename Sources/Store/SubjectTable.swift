package import CityModel
internal import GRDB

/// Which entities are about whom, and which acts of the ledger are about somebody's data. The subject is the text of `dataSubject`: for
/// somebody with an account its label, such as `account:3kQ…`.
enum SubjectTable {
    /// Migration `0018-subjects`. A row stays as long as there is the entity or a history of it.
    static let schema = """
        CREATE TABLE subject_entity (
            subject TEXT NOT NULL,
            entity INTEGER NOT NULL,
            PRIMARY KEY (subject, entity)
        ) WITHOUT ROWID, STRICT;
        CREATE INDEX subject_of_entity ON subject_entity (entity);

        CREATE TABLE personal_use (
            subject TEXT NOT NULL,
            position INTEGER NOT NULL,
            PRIMARY KEY (subject, position)
        ) WITHOUT ROWID, STRICT;

        -- Whose data is to be erased, until all of it is.
        CREATE TABLE erasure (
            subject TEXT PRIMARY KEY,
            begun_us INTEGER NOT NULL,
            by TEXT NOT NULL,
            purpose TEXT NOT NULL,
            entities INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID, STRICT;

        INSERT OR IGNORE INTO subject_entity
            SELECT value, entity FROM entity_value
            WHERE attribute = (SELECT id FROM term WHERE iri = '\(IRI.dataSubject.text)') AND typeof(value) = 'text';
        INSERT OR IGNORE INTO subject_entity
            SELECT value, entity FROM instance
            WHERE attribute = (SELECT id FROM term WHERE iri = '\(IRI.dataSubject.text)') AND typeof(value) = 'text';
        """
}

/// An entity that is or was about a person.
package struct SubjectEntity: Hashable, Sendable {
    package let number: Int64
    package let id: IRI
    /// Whether it is there now, and not its history alone.
    package let isCurrent: Bool
}

extension ReadSnapshot {
    /// The entities that are about somebody, or were, after the one with number `number`.
    package func entities(about subject: String, after number: Int64 = 0, limit: Int) throws -> [SubjectEntity] {
        let cursor = try rows(
            """
            SELECT subject_entity.entity, coalesce(current.iri, gone.iri), current.iri IS NOT NULL FROM main.subject_entity
            LEFT JOIN main.entity AS current ON current.id = subject_entity.entity LEFT JOIN main.past AS gone ON gone.id = subject_entity.entity
            WHERE subject = ? AND subject_entity.entity > ? AND coalesce(current.iri, gone.iri) IS NOT NULL ORDER BY subject_entity.entity LIMIT ?
            """, [subject, number, limit])
        var found: [SubjectEntity] = []
        while let row = try cursor.next() {
            found.append(
                SubjectEntity(
                    number: try row.decode(Int64.self, atIndex: 0), id: IRI(known: try row.decode(String.self, atIndex: 1)),
                    isCurrent: try row.decode(Bool.self, atIndex: 2)))
        }
        return found
    }

    /// Whom an entity is about, or was; none where it is about nobody.
    package func subjects(of entity: Int64) throws -> [String] {
        let cursor = try rows("SELECT subject FROM main.subject_entity WHERE entity = ? ORDER BY subject", [entity])
        var subjects: [String] = []
        while let row = try cursor.next() { subjects.append(try row.decode(String.self, atIndex: 0)) }
        return subjects
    }

    /// The number of an entity that is there, or of which there is a history.
    package func entityNumber(_ id: IRI) throws -> Int64? {
        let sql = "SELECT id FROM main.entity WHERE iri = ?1 UNION ALL SELECT id FROM main.past WHERE iri = ?1"
        return try row(sql, [id.text])?.decode(Int64.self, atIndex: 0)
    }

    /// Where in the ledger uses of somebody's data stand, the newest first, from before `position` on.
    package func uses(of subject: String, before position: Int64 = .max, limit: Int) throws -> [Int64] {
        let cursor = try rows(
            "SELECT position FROM main.personal_use WHERE subject = ? AND position < ? ORDER BY position DESC LIMIT ?", [subject, position, limit])
        var positions: [Int64] = []
        while let row = try cursor.next() { positions.append(try row.decode(Int64.self, atIndex: 0)) }
        return positions
    }

    package func isUse(_ position: Int64, of subject: String) throws -> Bool {
        try row("SELECT 1 FROM main.personal_use WHERE subject = ? AND position = ?", [subject, position]) != nil
    }
}

extension WriteTransaction {
    /// Notes whom an entity is about, now or at some time.
    package func noteSubject(_ subject: String?, of number: Int64) throws {
        guard let subject, !subject.isEmpty else { return }
        try execute("INSERT OR IGNORE INTO subject_entity (subject, entity) VALUES (?, ?)", [subject, number])
    }

    /// To be called when nothing is left of an entity.
    func forgetSubjects(of number: Int64) throws { try execute("DELETE FROM subject_entity WHERE entity = ?", [number]) }

    /// Notes that an act of the ledger is about somebody's data.
    package func noteUse(_ position: Int64, of subject: String) throws {
        try execute("INSERT OR IGNORE INTO personal_use (subject, position) VALUES (?, ?)", [subject, position])
    }
}
