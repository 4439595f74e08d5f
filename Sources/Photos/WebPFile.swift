/// A WebP file taken apart without decoding it (RFC 9649): its one picture and the transparency that belongs to it, as a file of their own. So
/// there is one statement of its size, the picture's, and metadata is not there.
struct WebPFile {
    let width: Int
    let height: Int
    let picture: [UInt8]

    /// - Throws: `damaged`, also when the file ends before the picture does; `moving`.
    init(_ bytes: [UInt8]) throws(PhotoFault) {
        let end = 8 + Self.number(bytes.dropFirst(4).prefix(4))
        guard bytes.count >= 12, end <= bytes.count else { throw .damaged(.webp) }
        var (offset, alpha) = (12, ArraySlice<UInt8>())
        while true {
            guard offset + 8 <= end else { throw .damaged(.webp) }
            let length = Self.number(bytes[(offset + 4)..<(offset + 8)])
            guard length <= end - offset - 8 else { throw .damaged(.webp) }
            let (name, body) = (String(decoding: bytes[offset..<(offset + 4)], as: UTF8.self), bytes[(offset + 8)..<(offset + 8 + length)])
            switch name {
            case "ANIM", "ANMF": throw .moving
            case "ALPH": alpha = body
            case "VP8 ":
                (width, height) = try Self.lossySize(body)
                picture = Self.file(Self.extended(width, height, alpha) + Self.chunk(name, body))
                return
            case "VP8L":
                (width, height) = try Self.losslessSize(body)
                picture = Self.file(Self.chunk(name, body))
                return
            default: break
            }
            // Chunks begin at even places.
            offset += 8 + length + length % 2
        }
    }

    /// The header of a key frame (RFC 6386, section 9.1): three bytes, a start code, and twice 14 bits with two of scaling.
    private static func lossySize(_ body: ArraySlice<UInt8>) throws(PhotoFault) -> (Int, Int) {
        let bytes = Array(body.prefix(10))
        guard bytes.count == 10, bytes[0] & 1 == 0, bytes[3..<6].elementsEqual([0x9D, 0x01, 0x2A]) else { throw .damaged(.webp) }
        let (width, height) = (number(bytes[6..<8]) & 0x3FFF, number(bytes[8..<10]) & 0x3FFF)
        guard width > 0, height > 0 else { throw .damaged(.webp) }
        return (width, height)
    }

    /// RFC 9649, section 3.4: a signature byte, then width and height less one in 14 bits each.
    private static func losslessSize(_ body: ArraySlice<UInt8>) throws(PhotoFault) -> (Int, Int) {
        let bytes = Array(body.prefix(5))
        guard bytes.count == 5, bytes[0] == 0x2F else { throw .damaged(.webp) }
        let bits = number(bytes[1..<5])
        return (bits & 0x3FFF + 1, bits >> 14 & 0x3FFF + 1)
    }

    /// What has to stand before a lossy picture that is partly transparent; empty where it is not.
    private static func extended(_ width: Int, _ height: Int, _ alpha: ArraySlice<UInt8>) -> [UInt8] {
        guard !alpha.isEmpty else { return [] }
        let hasAlpha: [UInt8] = [0x10, 0, 0, 0]
        return chunk("VP8X", ArraySlice(hasAlpha + little(width - 1, 3) + little(height - 1, 3))) + chunk("ALPH", alpha)
    }

    private static func chunk(_ name: String, _ body: ArraySlice<UInt8>) -> [UInt8] {
        Array(name.utf8) + little(body.count, 4) + body + (body.count % 2 == 1 ? [0] : [])
    }

    private static func file(_ chunks: [UInt8]) -> [UInt8] { Array("RIFF".utf8) + little(chunks.count + 4, 4) + Array("WEBP".utf8) + chunks }

    private static func little(_ number: Int, _ byteCount: Int) -> [UInt8] { (0..<byteCount).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reversed().reduce(0) { $0 << 8 | Int($1) } }
}
