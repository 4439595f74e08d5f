/// What kinds of pictures are taken. The kind is what the bytes begin with; names and media types that come along say nothing.
package enum PhotoKind: String, CaseIterable, Hashable, Sendable {
    case jpeg = "JPEG"
    case png = "PNG"
    case webp = "WebP"

    /// - Throws: `empty`, `heic` or `unknownKind`.
    init(signatureOf bytes: [UInt8]) throws(PhotoFault) {
        if bytes.isEmpty { throw .empty }
        if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if bytes.starts(with: PNGFile.signature) {
            self = .png
        } else if bytes.starts(with: "RIFF".utf8), bytes.dropFirst(8).starts(with: "WEBP".utf8) {
            self = .webp
        } else {
            throw Self.isHEIC(bytes) ? .heic : .unknownKind
        }
    }

    /// ISO/IEC 14496-12, section 4.3: a box `ftyp` with the brand of what follows. The brands are those of ISO/IEC 23008-12 and of AVIF.
    private static func isHEIC(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 12, bytes[4..<8].elementsEqual("ftyp".utf8) else { return false }
        let brand = String(decoding: bytes[8..<12], as: UTF8.self)
        return ["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1", "avif", "avis"].contains(brand)
    }
}
