/// A PNG file taken apart without decoding it: the chunks that decoding needs (PNG, third edition, section 5), and no texts, profiles or times.
struct PNGFile {
    let width: Int
    let height: Int
    let picture: [UInt8]

    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    private static let needed: Set<String> = ["IHDR", "PLTE", "tRNS", "IDAT", "IEND"]

    /// - Throws: `damaged`, also when the file ends before the picture does. Checksums are the decoder's business.
    init(_ bytes: [UInt8]) throws(PhotoFault) {
        var (offset, kept, size) = (Self.signature.count, Self.signature, (width: 0, height: 0))
        kept.reserveCapacity(bytes.count)
        while true {
            guard offset + 12 <= bytes.count else { throw .damaged(.png) }
            let length = Self.number(bytes[offset..<(offset + 4)])
            guard length <= bytes.count - offset - 12 else { throw .damaged(.png) }
            let chunk = bytes[offset..<(offset + 12 + length)]
            let type = String(decoding: chunk.dropFirst(4).prefix(4), as: UTF8.self)
            let isFirst = offset == Self.signature.count
            guard isFirst == (type == "IHDR"), !isFirst || length == 13 else { throw .damaged(.png) }
            if isFirst { size = (Self.number(chunk.dropFirst(8).prefix(4)), Self.number(chunk.dropFirst(12).prefix(4))) }
            if Self.needed.contains(type) { kept += chunk }
            offset += chunk.count
            if type == "IEND" { break }
        }
        guard (1...Int(Int32.max)).contains(size.width), (1...Int(Int32.max)).contains(size.height) else { throw .damaged(.png) }
        (width, height, picture) = (size.width, size.height, kept)
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
}
