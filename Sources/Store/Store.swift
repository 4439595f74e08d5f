package import CityModel
internal import Foundation
internal import GRDB
internal import GRDBSQLite
internal import Synchronization

/// The municipalities of one installation: a data directory with a folder for each. Files are opened when they are first
/// needed and the ones least recently used are closed when too many are open.
package final class Store: Sendable {
    private struct State {
        var open: [MunicipalityName: OpenFile] = [:]
        /// Of municipalities of which a file was opened.
        var vaults: [MunicipalityName: ResidentKeys] = [:]
        var uses: Int64 = 0
    }

    private struct OpenFile {
        var file: MunicipalityFile
        let lastUse: Int64
    }

    private let directory: URL
    private let lock: DirectoryLock
    private let limits: StoreLimits
    private let keys: ResidentKeySource
    private let state = Mutex(State())
    private let chunks = ChunkCache()
    /// Where there is something to do for whoever delivers notifications.
    package let work = PendingWork()

    /// - Parameter directory: is created when it is not there.
    /// - Parameter keys: where the keys of residents are; nil: in `_keys` in the directory, wrapped by a secret that lies beside them.
    /// - Throws: `StoreError.locked` when another process has it.
    package init(directory path: String, limits: StoreLimits = .init(), keys: ResidentKeySource? = nil) throws {
        directory = URL(filePath: path, directoryHint: .isDirectory)
        self.limits = limits
        self.keys = keys ?? .beside(directory)
        do {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        } catch {
            throw StoreError.cannotUse(path: path, reason: "the directory can't be created")
        }
        lock = try DirectoryLock(directory: path)
        sqlite3_soft_heap_limit64(Int64(limits.cacheByteCountMax))
    }

    /// Where the keys of its municipalities are when nothing says where else; no municipality can have that name.
    package var keysDirectory: String { directory.appending(path: "_keys").path }

    func folder(_ name: MunicipalityName) -> URL { directory.appending(path: name.text, directoryHint: .isDirectory) }
    func path(_ name: MunicipalityName) -> URL {
        name.snapshot.map { snapshotPath(name.city, $0) } ?? folder(name).appending(path: MunicipalityFile.fileName)
    }

    /// All municipalities, by name.
    package func municipalities() throws -> [MunicipalityName] {
        try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
            .compactMap { MunicipalityName($0.lastPathComponent) }
            .filter(exists)
            .sorted()
    }

    /// All municipalities and all of their snapshots.
    package func municipalitiesAndSnapshots() throws -> [MunicipalityName] { try municipalities().flatMap { [$0] + snapshots(of: $0) } }

    package var openFiles: [MunicipalityFile] { state.withLock { $0.open.values.map(\.file) } }
    /// Those of municipalities themselves, without snapshots.
    package var openCityFiles: [MunicipalityFile] { openFiles.filter { $0.name.snapshot == nil } }
    package var openFileCount: Int { state.withLock { $0.open.count } }

    package func exists(_ name: MunicipalityName) -> Bool {
        if state.withLock({ $0.open[name] != nil }) { return true }
        return FileManager.default.fileExists(atPath: path(name).path)
    }

    /// The file of a municipality.
    /// - Parameter creating: whether to make one that is not there.
    /// - Throws: `StoreError.notFound`, `.newerVersion`.
    package func file(_ name: MunicipalityName, creating: Bool = false) throws -> MunicipalityFile {
        try open(name, creating: creating)
    }

    /// - Parameter beginning: what the file of a snapshot holds first, which is to be made.
    func open(_ name: MunicipalityName, creating: Bool = false, _ beginning: SnapshotBeginning? = nil) throws -> MunicipalityFile {
        // Files are opened under the lock, so that one is never opened twice; opening takes a few milliseconds.
        try state.withLock { state in
            state.uses += 1
            if let open = state.open[name] {
                state.open[name] = OpenFile(file: open.file, lastUse: state.uses)
                return open.file
            }
            let path = path(name)
            if !FileManager.default.fileExists(atPath: path.path) {
                guard name.snapshot == nil ? creating : beginning != nil else { throw StoreError.notFound(name) }
                try FileManager.default.createDirectory(at: folder(name), withIntermediateDirectories: true)
            }
            if name.snapshot == nil { removeLeftCopies(of: name) }
            closeLeastUsed(&state)
            let file: MunicipalityFile
            let vault = state.vaults[name.city] ?? ResidentKeys(name.city, keys)
            state.vaults[name.city] = vault
            do { file = try MunicipalityFile(name: name, path: path.path, limits: limits, work: work, chunks: chunks, vault: vault, beginning) } catch let error
                as DatabaseError where error.resultCode == .SQLITE_NOTADB
            { throw StoreError.notAMunicipality(path: path.path) }
            state.open[name] = OpenFile(file: file, lastUse: state.uses)
            return file
        }
    }

    /// Brings all files to this version's form. That can take long for a large file, and holds up whoever wants to open another: so it
    /// is done before anybody is served.
    /// - Parameter report: told of each file that is about to be changed, and of what fails; the others go on.
    package func migrateAll(_ report: (MunicipalityName, (any Error)?) -> Void) throws {
        for name in try municipalitiesAndSnapshots() where !Schema.isCurrent(path: path(name).path) {
            report(name, nil)
            do { _ = try file(name) } catch { report(name, error) }
        }
    }

    /// Closes the file least recently used when the limit is reached. A file that a request still holds stays open, since
    /// a second opening of it would have a term table of its own; so the limit can be passed by as many as are in use.
    private func closeLeastUsed(_ state: inout State) {
        let oldestFirst = state.open.sorted { $0.value.lastUse < $1.value.lastUse }.map(\.key)
        for name in oldestFirst where state.open.count >= limits.openFileCountMax {
            guard var candidate = state.open.removeValue(forKey: name) else { continue }
            if isKnownUniquelyReferenced(&candidate.file) {
                try? candidate.file.close()
            } else {
                state.open[name] = candidate
            }
        }
    }

    /// Takes a file for closed that is about to be removed.
    func forget(_ name: MunicipalityName) {
        let file = state.withLock { $0.open.removeValue(forKey: name)?.file }
        try? file?.close()
    }

    /// Removes a municipality with everything in it, for good.
    package func remove(_ name: MunicipalityName) throws {
        let file = try state.withLock { state in
            guard exists(name, state) else { throw StoreError.notFound(name) }
            return state.open.removeValue(forKey: name)?.file
        }
        for snapshot in snapshots(of: name) { forget(snapshot) }
        try file?.close()
        try state.withLock { $0.vaults.removeValue(forKey: name) }?.close()
        try FileManager.default.removeItem(at: folder(name))
        work.publish(name)
    }

    private func exists(_ name: MunicipalityName, _ state: State) -> Bool {
        state.open[name] != nil || FileManager.default.fileExists(atPath: path(name).path)
    }

    /// Puts a backup in place as a municipality that is not there yet. What is in it of residents whose keys were destroyed since is taken out.
    @discardableResult
    package func restore(_ name: MunicipalityName, from backup: String) async throws -> SealedLoss {
        guard !exists(name) else { throw StoreError.alreadyExists(name) }
        try MunicipalityFile.checkIsMunicipality(path: backup)
        let folder = folder(name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let arriving = folder.appending(path: "restoring.sqlite")
        try? FileManager.default.removeItem(at: arriving)
        try FileManager.default.copyItem(at: URL(filePath: backup), to: arriving)
        try FileManager.default.moveItem(at: arriving, to: path(name))
        defer { work.publish(name) }
        do {
            let file = try file(name)
            try file.forgetWhatPassed()
            return try await file.purgeDestroyed()
        } catch {
            forget(name)
            try? FileManager.default.removeItem(at: folder)
            throw error
        }
    }

    /// Destroys the key of a resident (`MunicipalityFile.destroyKeys`), and takes out of snapshots what it sealed.
    package func destroyKeys(of subject: String, in city: MunicipalityName, at now: Instant) async throws {
        try await file(city).destroyKeys(of: subject, at: now)
        try await purgeSnapshots(of: city)
    }

    /// Takes out of a municipality's snapshots what was sealed with keys that were destroyed.
    package func purgeSnapshots(of city: MunicipalityName) async throws {
        for name in snapshots(of: city) { _ = try await file(name).purgeDestroyed() }
    }

    /// Closes every file. To be called after the last request was answered.
    package func close() throws {
        let (files, vaults) = state.withLock { state in
            defer { (state.open, state.vaults) = ([:], [:]) }
            return (state.open.values.map(\.file), Array(state.vaults.values))
        }
        // One that can't be closed properly, for it is damaged or its disk is full, keeps no other from it.
        let closings = files.map { file in Result { try close(file) } } + vaults.map { vault in Result { try vault.close() } }
        for closing in closings { try closing.get() }
    }

    private func close(_ file: MunicipalityFile) throws(StoreError) {
        do { try file.close() } catch { throw .cannotUse(path: path(file.name).path, reason: "the file can't be closed: \(error)") }
    }
}

/// What a store keeps open at most.
package struct StoreLimits: Sendable {
    package var openFileCountMax: Int
    /// Reading connections of one file.
    package var readerCountMax: Int
    /// How long a read may hold up the thread that asks.
    package var promptReadMax: Duration
    /// Changes since the oldest one that no subscription was held against yet.
    package var watchLagMax: Int64
    /// What all connections of the process keep of files together. Where it is reached they reuse what they have, and go on.
    package var cacheByteCountMax: Int

    package init(
        openFileCountMax: Int = 64, readerCountMax: Int = 4, promptReadMax: Duration = .milliseconds(2), watchLagMax: Int64 = 5_000_000, cacheByteCountMax: Int = 256 << 20
    ) {
        self.openFileCountMax = openFileCountMax
        self.readerCountMax = readerCountMax
        self.promptReadMax = promptReadMax
        self.watchLagMax = watchLagMax
        self.cacheByteCountMax = cacheByteCountMax
    }
}
