internal import Broker
package import CityModel
internal import OrderedCollections
internal import Services
package import Trust

/// The name that another system gave something that it says of a request: said twice, it is done once.
package struct OutsideUpdate: Hashable, Sendable {
    package static let byteCountMax = 200
    package let name: String
    /// What it is called here.
    package let answer: String

    /// Nil for a name that is none.
    package init?(_ name: String, answer: String) {
        guard (1...Self.byteCountMax).contains(name.utf8.count), !name.utf8.contains(0) else { return nil }
        (self.name, self.answer) = (name, answer)
    }
}

extension CaseDesk {
    /// What an update of this name is called here; nil where none was taken.
    package func taken(_ name: String, of request: IRI, _ access: ReadAccess) async throws -> String? {
        try await broker.takenUpdate(name, of: request, access)
    }

    /// Says what became of a request that a source brought, of which there is no case here: its status, what is said of it, or both. When the source brings the
    /// request again, that counts.
    /// - Parameter isClosed: nil: it stays what it is.
    /// - Throws: `resourceNotFound`, `forbidden`; `CaseFault`.
    package func tell(
        of request: IRI, isClosed: Bool?, saying text: String?, once update: OutsideUpdate? = nil, _ access: WriteAccess, at now: Instant
    ) async throws {
        let said = try text.map { try checked($0, field: "description") }
        guard isClosed != nil || said != nil else { throw CaseFault.nothingSaid }
        try await broker.jointly(access, at: now) { writer in
            guard try writer.isFirst(update, of: request) else { return }
            try writer.edit(request) { entity in
                if let isClosed {
                    entity.set(CaseTerm.status, isClosed ? "closed" : "open", at: now)
                    entity.set(CaseTerm.closedAt, isClosed ? now : nil, at: now)
                }
                if let said { entity.set(CaseTerm.answer, said, at: now) }
                entity.set(CaseTerm.updatedAt, now, at: now)
            }
        }
    }
}

extension JointWriter {
    /// Whether it was not done before. What has no name is done each time.
    func isFirst(_ update: OutsideUpdate?, of request: IRI) throws -> Bool {
        try update.map { try takeUpdate($0.name, of: request, answering: $0.answer) } ?? true
    }
}
