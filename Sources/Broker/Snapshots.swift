package import CityModel
internal import Synchronization
package import Store
package import Trust

/// How many snapshots a municipality keeps, how large and for how long.
package struct SnapshotLimits: Sendable {
    package var countMax: Int
    /// Entities of one snapshot.
    package var entityCountMax: Int
    /// Instances of histories of one snapshot.
    package var instanceCountMax: Int
    /// Bytes of one snapshot, roughly.
    package var byteCountMax: Int
    package var lifetimeSecondsDefault: Double
    package var lifetimeSecondsMax: Double

    package init(
        countMax: Int = 20, entityCountMax: Int = 10_000, instanceCountMax: Int = 100_000, byteCountMax: Int = 64 << 20,
        lifetimeSecondsDefault: Double = 86_400, lifetimeSecondsMax: Double = 604_800
    ) {
        (self.countMax, self.entityCountMax, self.instanceCountMax, self.byteCountMax) = (countMax, entityCountMax, instanceCountMax, byteCountMax)
        (self.lifetimeSecondsDefault, self.lifetimeSecondsMax) = (lifetimeSecondsDefault, lifetimeSecondsMax)
    }
}

/// The operations on snapshots as wholes (clauses 5.16.1 to 5.16.5 and 5.16.7). All of them need the right to write: a snapshot
/// takes room, and carries what its receiver must be shown.
extension Broker {
    package var snapshotLimits: SnapshotLimits { configuration.snapshotLimits }

    /// When a snapshot expires that is to live so long from now.
    package func snapshotExpiry(_ wanted: Instant?, at now: Instant) -> Instant {
        min(wanted ?? now.adding(seconds: snapshotLimits.lifetimeSecondsDefault), now.adding(seconds: snapshotLimits.lifetimeSecondsMax))
    }

    /// Adds a snapshot that is to be prepared, in the place of a less important one where there is no room.
    /// - Throws: `alreadyExists`; `tooManyResults` when all others are more important.
    package func createSnapshot(_ record: SnapshotRecord, _ access: WriteAccess, at now: Instant) async throws {
        let countMax = snapshotLimits.countMax
        try await file(toWrite: access).write { transaction in
            try transaction.makeRoom(for: record, countMax: countMax, at: now)
            try transaction.insert(record)
        }
        snapshotWork.publish(access.municipality)
    }

    /// Adds a copy of a snapshot, with what it holds.
    /// - Parameter make: the copy's record, from that of the one that is copied.
    /// - Throws: `resourceNotFound`, `alreadyExists`, `tooManyResults`.
    package func cloneSnapshot(
        _ id: IRI, _ access: WriteAccess, at now: Instant, _ make: @escaping @Sendable (SnapshotRecord) throws -> SnapshotRecord
    ) async throws -> String {
        let (file, countMax, name) = (try file(toWrite: access), snapshotLimits.countMax, access.municipality)
        guard let source = try await file.read({ try $0.snapshot(id.text, at: now) }) else { throw Self.noSnapshot(id) }
        guard source.status != .preparing else { throw CityError.operationNotSupported("snapshot \(id) is still being prepared") }
        let copy = try make(source)
        let path = try await store.copySnapshot(store.file(name.snapshot(source.number)), id: copy.id)
        do {
            try await file.write { [store] transaction in
                guard try transaction.snapshot(id.text, at: now)?.number == source.number else { throw Self.noSnapshot(id) }
                try transaction.makeRoom(for: copy, countMax: countMax, sparing: source.number, at: now)
                try store.adoptSnapshot(name.snapshot(transaction.insert(copy)), from: path)
            }
        } catch {
            store.discardCopy(path)
            throw error
        }
        snapshotWork.publish(name)
        return copy.id
    }

    /// - Throws: `resourceNotFound`.
    package func snapshot(_ id: IRI, _ access: WriteAccess, at now: Instant) async throws -> SnapshotRecord {
        let file = try file(toRead: access.reading)
        guard var record = try await file.read({ try $0.snapshot(id.text, at: now) }) else { throw Self.noSnapshot(id) }
        record.lastUsedAt = max(record.lastUsedAt, file.lastUse(of: record.number) ?? record.lastUsedAt)
        return record
    }

    /// - Throws: `resourceNotFound`, and what `change` throws.
    package func updateSnapshot(
        _ id: IRI, _ access: WriteAccess, at now: Instant, _ change: @escaping @Sendable (inout SnapshotRecord) throws -> Void
    ) async throws -> SnapshotRecord {
        let updated = try await file(toWrite: access).write { transaction in
            guard var record = try transaction.snapshot(id.text, at: now) else { throw Self.noSnapshot(id) }
            try change(&record)
            try transaction.update(record)
            return record
        }
        snapshotWork.publish(access.municipality)
        return updated
    }

    /// - Throws: `resourceNotFound`.
    package func deleteSnapshot(_ id: IRI, _ access: WriteAccess, at now: Instant) async throws {
        try await file(toWrite: access).write { transaction in
            guard let record = try transaction.snapshot(id.text, at: now) else { throw Self.noSnapshot(id) }
            try transaction.removeSnapshot(record.number)
        }
    }

    /// - Returns: how many there were.
    package func purgeSnapshots(
        _ access: WriteAccess, at now: Instant, where isPurged: @escaping @Sendable (SnapshotRecord) -> Bool
    ) async throws -> Int {
        try await file(toWrite: access).write { transaction in
            let purged = try transaction.snapshots().filter { $0.expiresAt > now && isPurged($0) }
            for record in purged { try transaction.removeSnapshot(record.number) }
            return purged.count
        }
    }

    /// Removes snapshots whose time has passed and the files of those that were removed, and brings the others' classifications up to date.
    func sweepSnapshots(of file: MunicipalityFile, at now: Instant) async throws {
        let uses = file.takeSnapshotUses()
        let (all, removed) = try await file.read { (try $0.snapshots(), try $0.removedSnapshots()) }
        let expired = all.filter { $0.expiresAt <= now }.map(\.number)
        for number in removed + expired { try store.removeSnapshot(file.name.snapshot(number)) }
        try await store.removeStraySnapshots(of: file)
        for name in store.snapshots(of: file.name) { try await store.followClassifications(in: name) }
        guard !uses.isEmpty || !expired.isEmpty || !removed.isEmpty else { return }
        try await file.write { transaction in
            for (snapshot, moment) in uses { try transaction.setLastUse(snapshot, moment) }
            for number in expired { try transaction.removeSnapshot(number) }
            for number in removed { try transaction.forgetRemovedSnapshot(number) }
        }
    }

    private static func noSnapshot(_ id: IRI) -> CityError { .resourceNotFound("there is no snapshot \(id)") }
}

extension WriteTransaction {
    /// Where there are too many snapshots, the one of the lowest priority goes, of several the one longest not used
    /// (clause 5.5.15).
    fileprivate func makeRoom(for record: SnapshotRecord, countMax: Int, sparing spared: Int64? = nil, at now: Instant) throws {
        var others: [SnapshotRecord] = []
        for other in try snapshots() {
            if other.expiresAt <= now {
                try removeSnapshot(other.number)
            } else {
                guard other.id != record.id else { throw CityError.alreadyExists("snapshot \(record.id) exists already") }
                others.append(other)
            }
        }
        guard others.count >= countMax else { return }
        let least = others.filter { $0.number != spared }.min { ($0.priority, $0.lastUsedAt) < ($1.priority, $1.lastUsedAt) }
        guard let least, least.priority <= record.priority else {
            throw CityError.tooManyResults("a municipality has at most \(countMax) snapshots, and all others are more important")
        }
        try removeSnapshot(least.number)
    }
}

/// Names the municipalities in which there are snapshots to prepare or something to tell of them. It says no more than that:
/// what it is stands in their files.
package final class SnapshotWork: Sendable {
    private let names = Mutex<Set<MunicipalityName>>([])
    package let wakes: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (wakes, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    package func publish(_ name: MunicipalityName) {
        names.withLock { _ = $0.insert(name) }
        continuation.yield()
    }

    /// The municipalities named since this was asked last.
    package func take() -> Set<MunicipalityName> {
        names.withLock { names in
            defer { names = [] }
            return names
        }
    }

    /// Looks once more for what can be done.
    package func wake() { continuation.yield() }

    /// Ends the stream of wakes.
    package func finish() { continuation.finish() }
}
