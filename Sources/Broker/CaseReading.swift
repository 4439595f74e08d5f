package import CityModel
package import Store
package import Trust

/// What is asked of many cases at once.
extension Broker {
    /// The photos and files of cases that everybody may see, by their references; cases without any are left out.
    package func publicAttachments(of references: [String], _ access: ReadAccess) async throws -> [String: [Attachment]] {
        guard !references.isEmpty else { return [:] }
        return try await file(toRead: access).read { snapshot in
            var found: [String: [Attachment]] = [:]
            for reference in references {
                let attachments = try snapshot.attachments(of: reference).filter(\.isPublic)
                if !attachments.isEmpty { found[reference] = attachments }
            }
            return found
        }
    }

    /// What was answered to an update of another system, by the name that it gave it; nil where none was taken.
    package func takenUpdate(_ name: String, of request: IRI, _ access: ReadAccess) async throws -> String? {
        try await file(toRead: access).read { try $0.takenUpdate(name, of: request) }
    }

    /// The texts that entities of a type have as an attribute, each once.
    package func texts(of attribute: IRI, type: IRI, limit: Int, _ access: ReadAccess) async throws -> [String] {
        try await file(toRead: access).read { try $0.texts(of: attribute, type: type, access.classificationMax, limit: limit) }
    }

    /// When a definition of a service last changed; nil where there is none.
    package func servicesChangedAt(_ access: ReadAccess) async throws -> Instant? {
        try await file(toRead: access).read { try $0.documentsChangedAt(.service) }
    }

    /// The case that a form was filed as, if it was.
    package func filedForm(_ token: String, _ access: ReadAccess) async throws -> String? { try await file(toRead: access).read { try $0.filedForm(token) } }

    /// The case that a row of a table was filed as, if it was.
    /// - Parameter name: of the row; its digest is made of it.
    package func filedRow(named name: String, _ access: ReadAccess) async throws -> String? {
        try await file(toRead: access).read { try $0.filedRow(try $0.proof(of: name)) }
    }
}
