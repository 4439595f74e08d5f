internal import CityModel
package import Store
package import Trust

/// Changes as a follower sees them, with where it stands.
package struct ChangePage: Sendable {
    package let changes: [Change]
    /// The number of the last change looked at: where to go on.
    package let position: Int64
    /// Whether changes after the position asked for are no longer kept, so that the follower has to read everything anew.
    package let hasGap: Bool
}

/// Following a municipality's journal.
extension Broker {
    /// The changes after `position` that may be seen, at most `limit` looked at.
    package func changes(after position: Int64, limit: Int, _ access: ReadAccess) async throws -> ChangePage {
        try await file(toRead: access).read { snapshot in
            let changes = try snapshot.changes(after: position, limit: limit)
            let oldest = try snapshot.firstChangeNumber()
            return ChangePage(
                changes: changes.filter { $0.classification <= access.classificationMax },
                position: changes.last?.seq ?? position, hasGap: oldest.map { $0 > position + 1 && position > 0 } ?? false)
        }
    }

    /// Yields whenever the journal grows, at once with its newest number, until the municipality is closed.
    package func journalNumbers(_ access: ReadAccess) throws -> AsyncStream<Int64> { try file(toRead: access).journal.numbers() }

    /// The number of the newest change.
    package func newestChange(_ access: ReadAccess) throws -> Int64 { try file(toRead: access).journal.last }
}
