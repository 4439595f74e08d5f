package import CityModel
internal import GRDB

/// What became more confidential since snapshots were made of it is so in them too. While there is a snapshot, the municipality's
/// file notes each entity that it classifies as more than open; a snapshot's file says how far it has followed.
extension ReadSnapshot {
    /// The number of the last note.
    package func lastReclassification() throws -> Int64 {
        try row("SELECT max(number) FROM reclassified")?.decode(Int64?.self, atIndex: 0) ?? 0
    }

    fileprivate func reclassified(after number: Int64, limit: Int) throws -> [Reclassified] {
        let cursor = try rows(
            """
            SELECT iri, number, classification, coalesce(
                (SELECT key FROM main.entity WHERE entity.iri = reclassified.iri), (SELECT key FROM main.past WHERE past.iri = reclassified.iri))
            FROM reclassified WHERE number > ? ORDER BY number LIMIT ?
            """, [number, limit])
        var found: [Reclassified] = []
        while let row = try cursor.next() {
            found.append(
                Reclassified(
                    iri: try row.decode(String.self, atIndex: 0), number: try row.decode(Int64.self, atIndex: 1),
                    rank: try row.decode(Int.self, atIndex: 2), key: try row.keyID(atIndex: 3)))
        }
        return found
    }

    func reclassifiedUntil() throws -> Int64 {
        try document(.setting, SnapshotBeginning.reclassifiedSetting)?.body.integerValue ?? 0
    }
}

private struct Reclassified: Sendable {
    let iri: String, number: Int64, rank: Int
    /// With what is sealed what is personal of it in the municipality.
    let key: KeyID?
}

extension WriteTransaction {
    /// To be told of whatever an entity is classified as from now on, unless it was that before.
    func noteClassification(_ classification: Classification, of id: IRI) throws {
        guard classification > .open, try row("SELECT 1 FROM snapshot LIMIT 1") != nil else { return }
        try execute(
            """
            INSERT INTO reclassified (iri, number, classification) VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM reclassified), ?2)
            ON CONFLICT (iri) DO UPDATE SET number = excluded.number, classification = max(classification, excluded.classification)
            """, [id.text, classification.rank])
    }

    /// Notes are for snapshots alone. The last stays, for its number says how far they went.
    func forgetReclassifications() throws {
        guard try row("SELECT 1 FROM snapshot LIMIT 1") == nil else { return }
        try execute("DELETE FROM reclassified WHERE number < (SELECT max(number) FROM reclassified)")
    }

    fileprivate func follow(_ changes: [Reclassified]) throws {
        for change in changes {
            for table in ["entity", "past"] {
                try execute("UPDATE \(table) SET classification = max(classification, ?) WHERE iri = ?", [change.rank, change.iri])
            }
            guarded = nil
            // What is personal from now on is sealed from now on.
            guard Classification(rank: change.rank)?.isSealed ?? true else { continue }
            if let stored = try storedEntity(IRI(known: change.iri)) { try sealPlain(stored, with: change.key) }
            if let past = try row("SELECT id FROM past WHERE iri = ?", [change.iri])?.decode(Int64.self, atIndex: 0) {
                try sealPlainPast(past, change.key)
            }
        }
        guard let last = changes.last else { return }
        try put(.setting, SnapshotBeginning.reclassifiedSetting, .integer(last.number), at: Instant(microseconds: 0))
    }
}

extension Store {
    private static var followCount: Int { 500 }

    /// Brings the classifications in a snapshot up to those of the municipality.
    /// - Throws: `StoreError.notFound` when the snapshot has no file.
    package func followClassifications(in name: MunicipalityName) async throws {
        let (city, snapshot) = (try file(name.city), try file(name))
        let last = try await city.read { try $0.lastReclassification() }
        while snapshot.reclassifiedUntil < last {
            let done = try await snapshot.read { try $0.reclassifiedUntil() }
            let changes = try await city.read { try $0.reclassified(after: done, limit: Self.followCount) }
            try await snapshot.write { try $0.follow(changes) }
            snapshot.reclassifiedUntil = changes.count < Self.followCount ? last : changes.last?.number ?? last
        }
    }
}
