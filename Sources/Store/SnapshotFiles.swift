package import CityModel
internal import Foundation
internal import GRDB

/// What a snapshot's file begins with.
package struct SnapshotBeginning: Sendable {
    /// The identifier that the snapshot has for those who ask.
    let id: String
    /// The names of the municipality's file, by the numbers that records of its history use.
    let terms: [Int64: IRI]
    /// The last change of a classification that what it holds knows of.
    let reclassifiedUntil: Int64

    package init(id: String, of file: MunicipalityFile, reclassifiedUntil: Int64) {
        (self.id, terms, self.reclassifiedUntil) = (id, file.terms.names, reclassifiedUntil)
    }

    static let idSetting = "snapshot-id"
    static let reclassifiedSetting = "snapshot-reclassified"

    func write(to db: Database) throws {
        for (number, name) in terms { try db.execute(sql: "INSERT INTO term (id, iri) VALUES (?, ?)", arguments: [number, name.text]) }
        for (setting, value) in [(Self.idSetting, JSON.string(id)), (Self.reclassifiedSetting, .integer(reclassifiedUntil))] {
            try db.execute(
                sql: "INSERT OR REPLACE INTO document (kind, id, body, modified_us) VALUES (?, ?, ?, 0)",
                arguments: [DocumentKind.setting.rawValue, setting, value.description.data(using: .utf8)])
        }
    }
}

/// Snapshots (clause 4.3.7) are files of their own beside the municipality's, of the same form: so whatever can be done with a
/// municipality can be done with one (clause 5.5.15). They are copies for a time, and go into no backup.
extension Store {
    private static let snapshotsFolder = "snapshots"

    func snapshotsFolder(of city: MunicipalityName) -> URL { folder(city).appending(path: Self.snapshotsFolder, directoryHint: .isDirectory) }
    func snapshotPath(_ city: MunicipalityName, _ number: Int64) -> URL { snapshotsFolder(of: city).appending(path: "\(number).sqlite") }

    /// The snapshots of a municipality of which there is a file, by number.
    package func snapshots(of city: MunicipalityName) -> [MunicipalityName] {
        let files = (try? FileManager.default.contentsOfDirectory(at: snapshotsFolder(of: city), includingPropertiesForKeys: nil)) ?? []
        return files.filter { $0.pathExtension == "sqlite" }
            .compactMap { Int64($0.deletingPathExtension().lastPathComponent).map(city.snapshot) }.sorted()
    }

    /// Makes the file of a snapshot, in the place of one that was begun before.
    package func makeSnapshot(_ name: MunicipalityName, _ beginning: SnapshotBeginning) throws -> MunicipalityFile {
        try removeSnapshot(name)
        try FileManager.default.createDirectory(at: snapshotsFolder(of: name.city), withIntermediateDirectories: true)
        return try open(name, beginning)
    }

    /// Removes the file of a snapshot, if there is one. Whoever still reads from it goes on.
    package func removeSnapshot(_ name: MunicipalityName) throws {
        guard name.snapshot != nil else { throw StoreError.notFound(name) }
        forget(name)
        try Self.removeFiles(path(name))
    }

    private static func removeFiles(_ path: URL) throws {
        for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path.path + suffix) {
            try FileManager.default.removeItem(atPath: path.path + suffix)
        }
    }

    /// Copies a snapshot to a place where no one looks for one, under another identifier: what it holds, not who subscribed to it.
    /// - Returns: the copy's path.
    package func copySnapshot(_ file: MunicipalityFile, id: String) async throws -> String {
        let copy = snapshotsFolder(of: file.name.city).appending(path: "\(UUID().uuidString).copy").path
        do {
            try await file.copy(to: copy)
            let queue = try DatabaseQueue(path: copy)
            try await queue.write { db in
                for table in ["outbox", "held", "watched", "passed_on", "subscription", "cursor"] { try db.execute(sql: "DELETE FROM \(table)") }
                try db.execute(
                    sql: "UPDATE document SET body = ? WHERE kind = ? AND id = ?",
                    arguments: [JSON.string(id).description.data(using: .utf8), DocumentKind.setting.rawValue, SnapshotBeginning.idSetting])
            }
            try queue.close()
            return copy
        } catch {
            try? Self.removeFiles(URL(filePath: copy))
            throw error
        }
    }

    /// Puts a copy in the place of a snapshot. To be called while the municipality's file is written to, so that
    /// `removeStraySnapshots` does not come between.
    package func adoptSnapshot(_ name: MunicipalityName, from copy: String) throws {
        try removeSnapshot(name)
        try FileManager.default.moveItem(at: URL(filePath: copy), to: path(name))
    }

    /// Does away with a copy that came to nothing.
    package func discardCopy(_ copy: String) { try? Self.removeFiles(URL(filePath: copy)) }

    /// Copies that a program which ended left behind.
    func removeLeftCopies(of city: MunicipalityName) {
        let files = (try? FileManager.default.contentsOfDirectory(at: snapshotsFolder(of: city), includingPropertiesForKeys: nil)) ?? []
        for file in files where file.lastPathComponent.contains(".copy") { try? FileManager.default.removeItem(at: file) }
    }

    /// Removes files of snapshots that a municipality does not know.
    package func removeStraySnapshots(of file: MunicipalityFile) async throws {
        let known = try await file.read { Set(try $0.snapshots().map(\.number)) }
        guard snapshots(of: file.name).contains(where: { !known.contains($0.snapshot ?? 0) }) else { return }
        try await file.write { [self] transaction in
            let known = Set(try transaction.snapshots().map(\.number))
            for name in snapshots(of: file.name) where !known.contains(name.snapshot ?? 0) { try removeSnapshot(name) }
        }
    }
}
