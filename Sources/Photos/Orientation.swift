/// How a camera was held: what has to be done to the pixels so that the picture stands upright. Values and meaning are those of the EXIF tag
/// 0x0112 (CIPA DC-008, section 4.6.5.1).
enum Orientation: Int, CaseIterable {
    case upright = 1, mirrored, upsideDown, upsideDownMirrored, turnedLeftMirrored, turnedLeft, turnedRightMirrored, turnedRight

    /// Whether width and height change places.
    var isTurned: Bool { rawValue >= 5 }

    /// Where the upright picture's pixel at `x`, `y` is in the one that was taken, which is `width` × `height`.
    func source(x: Int, y: Int, width: Int, height: Int) -> (x: Int, y: Int) {
        switch self {
        case .upright: (x, y)
        case .mirrored: (width - 1 - x, y)
        case .upsideDown: (width - 1 - x, height - 1 - y)
        case .upsideDownMirrored: (x, height - 1 - y)
        case .turnedLeftMirrored: (y, x)
        case .turnedLeft: (y, height - 1 - x)
        case .turnedRightMirrored: (width - 1 - y, height - 1 - x)
        case .turnedRight: (width - 1 - y, x)
        }
    }

    /// Reads the body of a JPEG's APP1 segment, and of it nothing but the first directory.
    /// - Returns: nil when it is not EXIF, says nothing of the orientation, or is not well formed: the picture then stays as it is.
    init?(exif segment: ArraySlice<UInt8>) {
        guard segment.starts(with: Array("Exif".utf8) + [0, 0]) else { return nil }
        let tiff = TIFFBytes(segment.dropFirst(6))
        guard let tiff, tiff.number16(at: 2) == 42, let directory = tiff.number32(at: 4), let entryCount = tiff.number16(at: directory) else { return nil }
        // The count has 16 bits, so the walk is short whatever it says; it ends where the segment does.
        for index in 0..<entryCount {
            let entry = directory + 2 + index * 12
            guard let tag = tiff.number16(at: entry) else { return nil }
            guard tag == 0x0112 else { continue }
            // One SHORT, which stands in the first two bytes of the value.
            guard tiff.number16(at: entry + 2) == 3, tiff.number32(at: entry + 4) == 1, let value = tiff.number16(at: entry + 8) else { return nil }
            self.init(rawValue: value)
            return
        }
        return nil
    }
}

/// Numbers of a TIFF structure in the order of bytes that it begins with; nil beyond its end.
private struct TIFFBytes {
    private let bytes: ArraySlice<UInt8>
    private let isBigEndian: Bool

    init?(_ bytes: ArraySlice<UInt8>) {
        if bytes.starts(with: "MM".utf8) {
            isBigEndian = true
        } else if bytes.starts(with: "II".utf8) {
            isBigEndian = false
        } else {
            return nil
        }
        self.bytes = bytes
    }

    func number16(at offset: Int) -> Int? { number(at: offset, byteCount: 2) }
    func number32(at offset: Int) -> Int? { number(at: offset, byteCount: 4) }

    private func number(at offset: Int, byteCount: Int) -> Int? {
        guard offset >= 0, offset <= bytes.count - byteCount else { return nil }
        let field = bytes[(bytes.startIndex + offset)..<(bytes.startIndex + offset + byteCount)]
        return isBigEndian ? field.reduce(0) { $0 << 8 | Int($1) } : field.reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
