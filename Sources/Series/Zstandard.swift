internal import CZstd

/// Bytes as one zstd frame.
enum Zstandard {
    /// Fast, and nearly as small as the slow ones on the texts that sensors send.
    private static let level: Int32 = 3

    /// Nil when the library can't, which its interface allows for.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        var output = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
        let count = ZSTD_compress(&output, output.count, bytes, bytes.count, level)
        guard ZSTD_isError(count) == 0 else { return nil }
        return Array(output[..<count])
    }

    /// - Parameter count: what comes out, exactly.
    static func decompress(_ bytes: UnsafeRawBufferPointer, count: Int) throws(SeriesError) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: count)
        let written = ZSTD_decompress(&output, count, bytes.baseAddress, bytes.count)
        guard ZSTD_isError(written) == 0, written == count else { throw .malformed("a dictionary that can't be unpacked") }
        return output
    }
}
