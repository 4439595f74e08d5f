internal import Foundation
internal import GRDB

/// Why a municipality's file could not be used, for whoever waits for an answer. None of these is the fault of a request; a write that meets one leaves nothing behind.
package enum FileFault: Hashable, Sendable {
    /// No space is left where the file is. The same write succeeds once there is some.
    case full
    /// Reading or writing failed, or there is no memory or file descriptor for it. It may pass.
    case unavailable
    /// What the file holds is not what SQLite wrote, or the disk did not give it (SQLite says the same of both). It hardly passes.
    case damaged

    /// - Returns: nil for what is not a fault of the file.
    package init?(_ error: any Error) {
        if let error = error as? CocoaError { self.init(error) } else if let error = error as? DatabaseError { self.init(error.resultCode) } else { return nil }
    }

    private init?(_ code: ResultCode) {
        switch code {
        case .SQLITE_FULL: self = .full
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .damaged
        // An aborted statement follows one that failed so and ended the transaction.
        case .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_NOMEM, .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_READONLY, .SQLITE_PROTOCOL, .SQLITE_ABORT: self = .unavailable
        default: return nil
        }
    }

    /// Of the files beside the database: keys, checkpoints, folders.
    private init?(_ error: CocoaError) {
        switch error.code {
        case .fileWriteOutOfSpace: self = .full
        case .fileReadUnknown, .fileWriteUnknown, .fileReadNoPermission, .fileWriteNoPermission, .fileWriteVolumeReadOnly: self = .unavailable
        default: return nil
        }
    }
}

extension Error {
    /// Whether the file as such could not be read or written, which may pass. Anything else that reading throws is the fault of
    /// one row or document, and will be thrown again.
    package var isOfFile: Bool { self is DatabaseError || self is CancellationError }
}
