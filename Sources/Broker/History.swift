package import CityModel
internal import OrderedCollections
package import Store
package import Trust

/// The past of entities, as far as pages and imports need it. The temporal API of NGSI-LD builds on the same rows.
extension Broker {
    /// The values of one attribute in a half-open interval, oldest first.
    /// - Throws: `resourceNotFound` when the entity is not there or may not be seen.
    package func history(
        of id: IRI, attribute: IRI, in interval: Range<Instant>, limit: Int, _ access: ReadAccess, at now: Instant
    ) async throws -> [HistoryInstance] {
        try await show(access, at: now) { snapshot in
            guard let stored = try snapshot.storedEntity(id), stored.classification <= access.classificationMax else {
                throw Broker.notFound(id)
            }
            snapshot.show(stored)
            return try snapshot.history(of: stored.number, attribute: attribute, in: interval, limit: limit, access.classificationMax, at: now)
        }
    }
}

/// Observations of one entity at one moment: current values, past values, or both.
package struct ObservedEntity: Sendable {
    package var id: IRI
    package var types: [IRI]
    package var scopes: [Scope]
    package var attributes: Attributes
    /// The time of the observation as a whole: of what has none of its own.
    package var observedAt: Instant?

    package init(id: IRI, types: [IRI], scopes: [Scope] = [], attributes: Attributes, observedAt: Instant? = nil) {
        (self.id, self.types, self.scopes, self.attributes, self.observedAt) = (id, types, scopes, attributes, observedAt)
    }
}

/// What became of one observation.
package enum RecordingOutcome: Hashable, Sendable {
    case created
    case updated
    /// Older than the current value: it became history only.
    case historic
    /// It said nothing that was not known.
    case unchanged
}

extension Broker {
    /// Records observations in one write. Each attribute instance becomes history at its `observedAt`; it becomes the
    /// current value unless the current one was observed later. What has no time of its own is taken from the newest
    /// observation. Saying the same twice changes nothing.
    /// - Returns: one outcome for each observation.
    package func record(
        _ observations: [ObservedEntity], provenance: Provenance, _ access: WriteAccess, at now: Instant
    ) async throws -> [RecordingOutcome] {
        try await file(toWrite: access).write { transaction in
            var recording = Recording(provenance: provenance, now: now)
            for observation in observations {
                if !recording.knows(observation.id) { recording.add(try transaction.target(observation.id, provenance)) }
                recording.record(observation)
            }
            let outcomes = try transaction.finish(recording)
            try transaction.recordReleases(run: provenance.run, access, at: now)
            return outcomes
        }
    }
}
