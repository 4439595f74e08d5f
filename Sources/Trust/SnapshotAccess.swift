package import CityModel
internal import Store

extension Gatekeeper {
    /// The same access to a snapshot instead of to the current state (clause 5.5.15). What may be seen there is judged as it is here, at the
    /// time of reading: freezing opens nothing.
    /// - Throws: `resourceNotFound` for a snapshot that the municipality does not have, `operationNotSupported` for one that is
    ///   still being prepared.
    package func reading(_ access: ReadAccess, snapshot id: String, at now: Instant) async throws -> ReadAccess {
        ReadAccess(access, in: try await snapshot(id, of: access.municipality, at: now))
    }

    /// The same, to change what the snapshot holds.
    package func writing(_ access: WriteAccess, snapshot id: String, at now: Instant) async throws -> WriteAccess {
        WriteAccess(reading: try await reading(access.reading, snapshot: id, at: now), permit: access.permit, device: access.device)
    }

    private func snapshot(_ id: String, of municipality: MunicipalityName, at now: Instant) async throws -> MunicipalityName {
        let missing = CityError.resourceNotFound("NGSILD-Snapshot: there is no snapshot \(id.prefix(200))")
        let file = try store.file(municipality, creating: municipality == .standard)
        guard let record = try await file.read({ try $0.snapshot(id, at: now) }) else { throw missing }
        guard record.status != .preparing else {
            throw CityError.operationNotSupported("NGSILD-Snapshot: \(id.prefix(200)) is still being prepared")
        }
        let name = municipality.snapshot(record.number)
        do { try await store.followClassifications(in: name) } catch StoreError.notFound { throw missing }
        file.noteUse(of: record.number, at: now)
        return name
    }
}

extension ReadAccess {
    fileprivate init(_ access: ReadAccess, in municipality: MunicipalityName) {
        self.init(municipality: municipality, principal: access.principal, claimant: access.claimant, action: access.action, sight: access.sight)
    }

    /// The same access to the municipality itself.
    package var city: ReadAccess { ReadAccess(self, in: municipality.city) }

    /// The same access to no more than what this class of data includes.
    package func narrowed(to classificationMax: Classification) -> ReadAccess {
        ReadAccess(municipality: municipality, principal: principal, claimant: claimant, action: action, sight: sight.narrowed(to: classificationMax))
    }
}

extension WriteAccess {
    /// The same access to the municipality itself.
    package var city: WriteAccess { WriteAccess(reading: reading.city, permit: permit, device: device) }
}
