package import CityModel
package import Store
package import Trust

/// What is known of a municipality's file.
package struct MunicipalitySummary: Sendable {
    package let name: MunicipalityName
    package let entityCount: Int
    package let typeCount: Int
    package let changeCount: Int64
}

/// Municipalities as wholes.
extension Broker {
    package func municipalities() throws -> [MunicipalityName] { try store.municipalities() }

    package func summary(_ access: ReadAccess) async throws -> MunicipalitySummary {
        try await file(toRead: access).read { snapshot in
            return MunicipalitySummary(
                name: access.municipality, entityCount: try snapshot.entityCount(access.classificationMax),
                typeCount: try snapshot.types(access.classificationMax).count,
                changeCount: try snapshot.lastChangeNumber())
        }
    }

    /// - Throws: `StoreError.alreadyExists`.
    package func createMunicipality(_ name: MunicipalityName, _ access: InstallationAccess, at now: Instant) async throws {
        guard !store.exists(name) else { throw StoreError.alreadyExists(name) }
        // Another one may have had the name: its keys are not this one's.
        try keys?.retire(name)
        let act = Act(.municipalityCreated, name.text)
        try await store.file(name, creating: true).write { try $0.record(act, access, at: now) }
        try await record(act, access, at: now)
    }

    /// The act is recorded before it is done: the municipality's own ledger goes with it.
    package func removeMunicipality(_ name: MunicipalityName, _ access: InstallationAccess, at now: Instant) async throws {
        guard store.exists(name) else { throw StoreError.notFound(name) }
        let size = try await store.file(name).read { try $0.ledgerSize() }
        try await record(Act(.municipalityRemoved, name.text, details: ["acts": .integer(size)]), access, at: now)
        try store.remove(name)
    }

    /// Writes a copy of a municipality's file while others read and write. That it was made is in the copy too.
    package func backup(_ access: AdministerAccess, to path: String, at now: Instant) async throws {
        let file = try file(toRead: access.writing.reading)
        try await file.write { try $0.record(Act(.backupTaken), access, at: now) }
        try await file.copy(to: path)
    }

    /// - Returns: what of the backup can't be read, because keys of residents are gone.
    @discardableResult
    package func restore(_ name: MunicipalityName, from path: String, _ access: InstallationAccess, at now: Instant) async throws -> SealedLoss {
        let loss = try await store.restore(name, from: path)
        let act = Act(.municipalityRestored, name.text)
        if name != .installation { try await store.file(name).write { try $0.record(act, access, at: now) } }
        try await record(act, access, at: now)
        return loss
    }

    /// What is done to municipalities is also in the installation's own ledger, which outlives them.
    private func record(_ act: Act, _ access: InstallationAccess, at now: Instant) async throws {
        try await store.file(.installation, creating: true).write { try $0.record(act, access, at: now) }
    }

    /// Records an act that changes nothing in the file: somebody takes data away.
    package func record(_ act: Act, _ access: AdministerAccess, at now: Instant) async throws {
        try await file(toWrite: access.writing).write { try $0.record(act, access, at: now) }
    }

    /// Of a municipality's file and those of its snapshots.
    package func verify(_ access: AdministerAccess) async throws -> VerificationReport {
        var report = try await file(toRead: access.writing.reading).verify()
        for name in store.snapshots(of: access.municipality) {
            let found = try await store.file(name).verify().faults
            report = report.adding(faults: found.map { "\(name): \($0)" })
        }
        return report
    }

    /// Removes entities and attributes that have expired, what was recorded of them, and journal entries that every follower has passed, a few at a
    /// time, in every municipality that is open.
    /// - Parameter failed: told of each file that can't be swept; it holds up no other.
    package func sweep(at now: Instant, _ failed: (MunicipalityName, any Error) -> Void) async {
        for file in store.openCityFiles {
            do {
                try await resumeErasures(of: file, at: now)
                try await sweepSnapshots(of: file, at: now)
            } catch { failed(file.name, error) }
        }
        for file in store.openFiles {
            do { try await sweep(file, at: now) } catch { failed(file.name, error) }
        }
    }

    private func sweep(_ file: MunicipalityFile, at now: Instant) async throws {
        try await file.write { transaction in
            for stored in try transaction.expired(at: now, limit: Self.sweepCount) {
                let entity = try transaction.entity(stored)
                if let living = entity.unexpired(at: now) {
                    try transaction.update(stored, from: entity, to: living, provenance: .init(), at: now)
                } else {
                    try transaction.delete(stored, entity, at: now)
                }
            }
            try transaction.eraseExpiredInstances(at: now, limit: Self.instanceSweepCount)
            try transaction.trimJournal(keeping: Self.journalKeptCount, atMost: Self.journalTrimCount)
        }
    }

    private static var sweepCount: Int { 200 }
    private static var instanceSweepCount: Int { 5_000 }
    /// Changes that are kept for pages that reconnect, whatever followers there are.
    private static var journalKeptCount: Int64 { 100_000 }
    private static var journalTrimCount: Int { 20_000 }
}
