internal import CZlib
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// gzip (RFC 1952) for answers.
enum Gzip {
    /// Shorter answers gain nothing.
    static let byteCountMin = 600

    /// Nil when zlib has no memory left.
    /// - Parameter level: 1 (quick) to 9 (small).
    static func compress(_ bytes: [UInt8], level: Int32) -> [UInt8]? {
        var stream = z_stream()
        // 15 + 16: the largest window, in a gzip wrapper. `deflateInit2` is a macro, which Swift does not import.
        let size = Int32(MemoryLayout<z_stream>.size)
        guard deflateInit2_(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK else { return nil }
        defer { deflateEnd(&stream) }
        let bound = Int(deflateBound(&stream, UInt(bytes.count)))
        var code = Z_OK
        let packed = [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            bytes.withUnsafeBufferPointer { source in
                stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                stream.avail_in = UInt32(source.count)
                stream.next_out = buffer.baseAddress
                stream.avail_out = UInt32(buffer.count)
                code = deflate(&stream, Z_FINISH)
                count = buffer.count - Int(stream.avail_out)
            }
        }
        return code == Z_STREAM_END ? packed : nil
    }

    /// Whether a request accepts gzip (RFC 9110, section 12.5.3).
    static func isAccepted(_ headers: HTTPFields) -> Bool {
        guard let header = headers[.acceptEncoding] else { return false }
        return header.split(separator: ",").contains { part in
            let words = part.lowercased().split(separator: ";").map { $0.filter { $0 != " " } }
            guard words.first == "gzip" || words.first == "*" else { return false }
            return !words.dropFirst().contains { $0.hasPrefix("q=") && Double($0.dropFirst(2)) == 0 }
        }
    }
}
