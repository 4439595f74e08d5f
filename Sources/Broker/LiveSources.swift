package import CityModel
package import Store
package import Trust

/// A source with how it is doing.
package struct LiveSource: Sendable {
    package let id: String
    /// Its definition, as it was declared.
    package let definition: JSON
    package let lastRun: ImportRun?
    /// Entities that it fed last.
    package let entityCount: Int
}

/// Where data comes from, as far as the access lets it be known: a source that is more confidential is not there.
extension Broker {
    package func liveSources(_ access: ReadAccess) async throws -> [LiveSource] {
        try await file(toRead: access).read { snapshot in
            try snapshot.documents(.source).filter { $0.isVisible(to: access) }.map { document in
                LiveSource(
                    id: document.id, definition: document.body, lastRun: try snapshot.lastImportRun(of: document.id),
                    entityCount: try snapshot.entityCount(fedBy: document.id))
            }
        }
    }

    /// Where an import run's data came from: the source's definition and the run; nil when it is unknown or may not be known.
    package func lineage(ofRun run: Int64, _ access: ReadAccess) async throws -> (definition: JSON, run: ImportRun)? {
        try await file(toRead: access).read { snapshot in
            guard let run = try snapshot.importRun(run), let document = try snapshot.document(.source, run.source),
                document.isVisible(to: access)
            else { return nil }
            return (document.body, run)
        }
    }
}

extension Document {
    /// A definition that does not say how confidential it is counts as internal, as entities do.
    fileprivate func isVisible(to access: ReadAccess) -> Bool {
        let declared = body["classification"]?.stringValue.flatMap(Classification.init(rawValue:)) ?? .internalUse
        return declared <= access.sight.wholeClassificationMax
    }
}
