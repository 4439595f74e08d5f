internal import Foundation

/// Holds a data directory for one process, by an advisory lock that the system releases when the process ends, however it
/// ends.
final class DirectoryLock: Sendable {
    private let descriptor: Int32

    /// - Throws: `StoreError.locked` when another process holds it.
    init(directory: String) throws {
        let path = directory + "/conurb.lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StoreError.cannotUse(path: path, reason: "the lock file can't be opened") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw StoreError.locked(directory: directory)
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }
}
