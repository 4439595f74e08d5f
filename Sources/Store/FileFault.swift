internal import GRDB

extension Error {
    /// Whether the file as such could not be read or written, which may pass. Anything else that reading throws is the fault of
    /// one row or document, and will be thrown again.
    package var isOfFile: Bool { self is DatabaseError || self is CancellationError }
}
