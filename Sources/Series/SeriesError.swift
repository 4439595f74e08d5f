/// Why a chunk can't be read, or some records can't be made one.
package enum SeriesError: Error, Hashable, Sendable {
    /// It ends before what it announces.
    case truncated
    /// It is not what was written.
    case wrongChecksum
    /// It was written by a later program.
    case unknownVersion(UInt8)
    /// It says something that no encoder writes.
    case malformed(String)
    /// It asks for more memory than a chunk may take.
    case tooLarge(String)
    /// Records are not in order of time and lateness, too many, or none.
    case notASeries
}
