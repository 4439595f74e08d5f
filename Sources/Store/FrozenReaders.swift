package import CityModel
internal import GRDB
internal import Synchronization

/// The connections through which snapshots are read, and when each snapshot was used last.
final class FrozenReaders: Sendable {
    private struct State {
        /// The one used last stands last.
        var open: [(snapshot: Int64, reader: DatabaseQueue)] = []
        var uses: [Int64: Instant] = [:]
    }

    private let state = Mutex(State())
    private let path: String
    private let configuration: Configuration
    /// Snapshots of one municipality that are kept open.
    private static let openCountMax = 4

    init(path: String, configuration: Configuration) {
        var configuration = configuration
        configuration.readonly = true
        (self.path, self.configuration) = (path, configuration)
    }

    /// A connection that shows a snapshot. Reads of one snapshot wait for each other.
    func reader(_ snapshot: Int64) throws -> DatabaseQueue {
        try state.withLock { state in
            if let index = state.open.firstIndex(where: { $0.snapshot == snapshot }) {
                let found = state.open.remove(at: index)
                state.open.append(found)
                return found.reader
            }
            var configuration = configuration
            configuration.prepareDatabase { db in try FrozenSchema.show(snapshot, in: db) }
            let reader = try DatabaseQueue(path: path, configuration: configuration)
            // One that is still read from is closed when that ends.
            if state.open.count >= Self.openCountMax { state.open.removeFirst() }
            state.open.append((snapshot, reader))
            return reader
        }
    }

    func close() { state.withLock { $0.open = [] } }
    func note(_ snapshot: Int64, _ moment: Instant) { state.withLock { $0.uses[snapshot] = max($0.uses[snapshot] ?? moment, moment) } }
    func lastUse(of snapshot: Int64) -> Instant? { state.withLock { $0.uses[snapshot] } }

    func takeUses() -> [Int64: Instant] {
        state.withLock { state in
            defer { state.uses = [:] }
            return state.uses
        }
    }
}

extension MunicipalityFile {
    /// What a snapshot froze, to be read as the file itself is. It can't be written to.
    package func frozen(_ snapshot: Int64) throws -> MunicipalityFile { try MunicipalityFile(self, showing: snapshot) }

    /// Notes that a snapshot is used; it is written down with the next sweep.
    package func noteUse(of snapshot: Int64, at now: Instant) { frozenReaders.note(snapshot, now) }

    /// The last use that is not written down yet.
    package func lastUse(of snapshot: Int64) -> Instant? { frozenReaders.lastUse(of: snapshot) }
    package func takeSnapshotUses() -> [Int64: Instant] { frozenReaders.takeUses() }
}
