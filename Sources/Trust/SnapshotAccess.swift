package import CityModel
internal import Store

extension Gatekeeper {
    /// The same access to what a snapshot froze instead of to the current state (clause 5.5.15). What may be seen there is judged
    /// as it is here, at the time of reading: freezing opens nothing.
    /// - Throws: `resourceNotFound` for a snapshot that the municipality does not have, `operationNotSupported` for one that is
    ///   still being prepared.
    package func reading(_ access: ReadAccess, snapshot id: String, at now: Instant) async throws -> ReadAccess {
        let file = try store.file(access.municipality, creating: access.municipality == .standard)
        guard let record = try await file.read({ try $0.snapshot(id, at: now) }) else {
            throw CityError.resourceNotFound("NGSILD-Snapshot: there is no snapshot \(id.prefix(200))")
        }
        guard record.status != .preparing else {
            throw CityError.operationNotSupported("NGSILD-Snapshot: \(id.prefix(200)) is still being prepared")
        }
        file.noteUse(of: record.number, at: now)
        return ReadAccess(access, snapshot: record.number)
    }
}

extension ReadAccess {
    fileprivate init(_ access: ReadAccess, snapshot: Int64) {
        self.init(
            municipality: access.municipality, principal: access.principal, purpose: access.purpose,
            classificationMax: access.classificationMax, snapshot: snapshot)
    }

    /// The same access to no more than what this class of data includes.
    package func narrowed(to classificationMax: Classification) -> ReadAccess {
        ReadAccess(
            municipality: municipality, principal: principal, purpose: purpose,
            classificationMax: min(self.classificationMax, classificationMax), snapshot: snapshot)
    }
}
