#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// Where bytes come from, piece by piece.
public protocol ChunkSource {
    /// The next bytes, never none; nil at the end.
    mutating func next() throws(SourceError) -> [UInt8]?
}

/// A file, read from its beginning in pieces of 256 KiB.
public final class FileChunks: ChunkSource {
    public static let chunkByteCount = 256 << 10

    /// Bytes read so far, for showing progress.
    public private(set) var byteCount = 0
    private let path: String
    private let descriptor: Int32

    /// - Throws: `SourceError.unreadable`.
    public init(path: String) throws(SourceError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(path: path, reason: String(cString: strerror(errno))) }
    }

    deinit { close(descriptor) }

    public func next() throws(SourceError) -> [UInt8]? {
        var count = 0
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: Self.chunkByteCount) { buffer, initializedCount in
            repeat { count = read(descriptor, buffer.baseAddress, buffer.count) } while count < 0 && errno == EINTR
            if count < 0 { failure = errno }
            initializedCount = max(count, 0)
        }
        guard failure == 0 else { throw .unreadable(path: path, reason: String(cString: strerror(failure))) }
        byteCount += count
        return bytes.isEmpty ? nil : bytes
    }
}

/// Bytes that are in memory already, handed out in pieces.
public struct MemoryChunks: ChunkSource {
    private let bytes: [UInt8]
    private let chunkByteCount: Int
    private var position = 0

    /// - Parameter chunkByteCount: the size of the pieces, at least 1.
    public init(_ bytes: [UInt8], chunkByteCount: Int = 64 << 10) {
        self.bytes = bytes
        self.chunkByteCount = max(chunkByteCount, 1)
    }

    public mutating func next() -> [UInt8]? {
        guard position < bytes.count else { return nil }
        let end = min(position + chunkByteCount, bytes.count)
        defer { position = end }
        return Array(bytes[position..<end])
    }
}
