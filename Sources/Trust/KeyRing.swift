package import CityModel
internal import Foundation
package import Ledger
package import Store
internal import Synchronization

/// The keys of one municipality. They lie outside of its file: whoever gets hold of the file or of a backup can neither sign for
/// the municipality nor read what only these keys open.
package struct MunicipalityKeys: Sendable {
    /// Signs the ledger's checkpoints. Its name is the ledger's origin.
    package let ledger: SigningKey
    /// Co-signs the checkpoints of others.
    package let witness: SigningKey
    /// What keys of personal attributes are wrapped by: 256 bits.
    package let personal: [UInt8]
}

/// The folder of keys: `NAME.key` for each municipality, for the program's own user alone, and `NAME.checkpoint`, the last that was
/// signed with it. That lies here too so that a municipality's file that was put back from an older copy can't make the key sign another
/// past than it did before. `NAME.residents` holds the keys of residents (`ResidentKeySource`).
package final class KeyRing: Sendable {
    private let directory: URL
    /// Held while a file of the folder is written.
    private let writing = Mutex(())

    /// - Parameter directory: is made when the first key is.
    package init(directory: String) { self.directory = URL(filePath: directory, directoryHint: .isDirectory) }

    private func path(_ name: MunicipalityName, _ ending: String) -> URL { directory.appending(path: "\(name.text).\(ending)") }

    /// - Parameter origin: what the ledger is called from now on, should there be no keys yet; nil: then that is an error.
    /// - Throws: `KeyRingError`.
    package func keys(of name: MunicipalityName, origin: @autoclosure () -> String?) throws -> MunicipalityKeys {
        let path = path(name, "key")
        if let keys = try read(path) { return keys }
        guard let origin = origin() else { throw KeyRingError.missing(path: path.path) }
        // A file that came meanwhile stays, and is read.
        try writing.withLock { _ in try write(Self.document(origin: origin), to: path, replacing: false) }
        guard let keys = try read(path) else { throw KeyRingError.missing(path: path.path) }
        return keys
    }

    /// The last checkpoint that was signed with the municipality's key; nil when none was.
    package func lastSigned(_ name: MunicipalityName) throws -> SignedNote? {
        let path = path(name, "checkpoint")
        guard FileManager.default.fileExists(atPath: path.path) else { return nil }
        guard let bytes = FileManager.default.contents(atPath: path.path), let note = try? SignedNote(parsing: bytes) else {
            throw KeyRingError.unreadable(path: path.path)
        }
        return note
    }

    /// Keeps a checkpoint, unless that of a larger tree is kept. To be called before anybody is given it.
    package func keepSigned(_ note: SignedNote, of name: MunicipalityName) throws {
        let size = try Checkpoint(parsing: note.text).head.size
        try writing.withLock { _ in
            if let last = try lastSigned(name), try Checkpoint(parsing: last.text).head.size >= size { return }
            try write(Array(note.description.utf8), to: path(name, "checkpoint"), replacing: true)
        }
    }

    /// What the keys of a municipality's residents are wrapped by.
    /// - Parameter origin: as in `keys`. Keys are made only where there were none, and nothing that they signed or wrapped.
    package func personalSecret(of name: MunicipalityName, origin: () -> String) throws -> [UInt8] {
        let isUsed = ["checkpoint", "residents"].contains { FileManager.default.fileExists(atPath: path(name, $0).path) }
        return try keys(of: name, origin: isUsed ? nil : origin()).personal
    }

    /// Where residents' keys lie: `NAME.residents`, beside that which they are wrapped by.
    /// - Parameter publicAddress: the address by which others reach this installation; nil when nobody said.
    package func residentKeys(publicAddress: String?) -> ResidentKeySource {
        ResidentKeySource(directory: directory.path) { [self] name in
            try personalSecret(of: name) { Accountability.origin(of: name, self, publicAddress) }
        }
    }

    /// How often the keys of a municipality were put aside.
    package func retiredCount(_ name: MunicipalityName) -> Int {
        var count = 0
        while FileManager.default.fileExists(atPath: path(name, "key.\(count + 1)").path) { count += 1 }
        return count
    }

    /// Puts the keys of a municipality aside, those of its residents too, so that the next ones are others. What they are is kept beside:
    /// `NAME.key.1`, `.2` and so on. To be called while no file of the municipality is open.
    package func retire(_ name: MunicipalityName) throws {
        try writing.withLock { _ in
            let number = retiredCount(name) + 1
            for ending in ["residents", "checkpoint", "key"] where FileManager.default.fileExists(atPath: path(name, ending).path) {
                try FileManager.default.moveItem(at: path(name, ending), to: path(name, "\(ending).\(number)"))
            }
            if FileManager.default.fileExists(atPath: directory.path) { try Self.flush(directory.path) }
        }
    }

    /// Puts the keys aside that sign, and makes others; what residents' keys are wrapped by stays.
    /// - Parameter origin: what the ledger is called from now on.
    package func renew(_ name: MunicipalityName, origin: () -> String) throws {
        let key = path(name, "key")
        guard let keys = try? read(key) else { return try retire(name) }
        try writing.withLock { _ in
            let number = retiredCount(name) + 1
            guard link(key.path, path(name, "key.\(number)").path) == 0 else {
                throw KeyRingError.cannotWrite(path: path(name, "key.\(number)").path, reason: String(cString: strerror(errno)))
            }
            if FileManager.default.fileExists(atPath: path(name, "checkpoint").path) {
                try FileManager.default.moveItem(at: path(name, "checkpoint"), to: path(name, "checkpoint.\(number)"))
            }
            try write(Self.document(origin: origin(), personal: keys.personal), to: key, replacing: true)
        }
    }
}

/// What is wrong with the keys, for whoever keeps the installation running.
package enum KeyRingError: Error, Hashable, Sendable {
    /// There is no key file where there must be one: the ledger was signed with it before.
    case missing(path: String)
    case unreadable(path: String)
    case cannotWrite(path: String, reason: String)
}

extension KeyRingError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missing(let path): "\(path) is missing: the ledger was signed with the key in it, and no other can take its place"
        case .unreadable(let path): "\(path) is not what it should be; put it back from a copy"
        case .cannotWrite(let path, let reason): "\(path) can't be written: \(reason)"
        }
    }
}

// MARK: - Files

extension KeyRing {
    private static func document(origin: String, personal: [UInt8] = RandomBytes.make(32)) -> [UInt8] {
        func secret(_ count: Int) -> JSON { .string(Data(RandomBytes.make(count)).base64EncodedString()) }
        let document: JSON = [
            "origin": .string(origin), "ledger": secret(SigningKey.seedByteCount), "witness": secret(SigningKey.seedByteCount),
            "personal": .string(Data(personal).base64EncodedString()),
        ]
        return Array((document.description + "\n").utf8)
    }

    private func read(_ path: URL) throws -> MunicipalityKeys? {
        guard FileManager.default.fileExists(atPath: path.path) else { return nil }
        guard let bytes = FileManager.default.contents(atPath: path.path), let document = try? JSON(parsing: bytes),
            let origin = document["origin"]?.stringValue
        else { throw KeyRingError.unreadable(path: path.path) }
        func secret(_ member: String) -> [UInt8] { document[member]?.stringValue.flatMap { Data(base64Encoded: $0) }.map(Array.init) ?? [] }
        guard let ledger = SigningKey(name: origin, kind: .note, seed: secret("ledger")),
            let witness = SigningKey(name: origin + "/witness", kind: .cosignature, seed: secret("witness")), secret("personal").count == 32
        else { throw KeyRingError.unreadable(path: path.path) }
        return MunicipalityKeys(ledger: ledger, witness: witness, personal: secret("personal"))
    }

    /// Writes a file as a whole, for this user alone: it is on disk with all its bytes when it gets its name.
    /// - Parameter replacing: else a file that is there stays.
    private func write(_ bytes: [UInt8], to path: URL, replacing: Bool) throws {
        func failure(_ path: String) -> KeyRingError { .cannotWrite(path: path, reason: String(cString: strerror(errno))) }
        try? FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let arriving = path.path + ".new"
        unlink(arriving)
        let descriptor = open(arriving, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(arriving) }
        defer { unlink(arriving) }
        do {
            defer { close(descriptor) }
            let written = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            guard written == bytes.count, fsync(descriptor) == 0 else { throw failure(arriving) }
        }
        if replacing {
            guard rename(arriving, path.path) == 0 else { throw failure(path.path) }
        } else if link(arriving, path.path) != 0, errno != EEXIST {
            throw failure(path.path)
        }
        try Self.flush(directory.path)
    }

    /// Brings the names of a folder's files to disk.
    private static func flush(_ directory: String) throws {
        let descriptor = open(directory, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        guard descriptor >= 0, fsync(descriptor) == 0 else {
            throw KeyRingError.cannotWrite(path: directory, reason: String(cString: strerror(errno)))
        }
    }
}
