/// A JPEG file taken apart without decoding it (ITU-T T.81, annex B): what decoding needs, without anything else that cameras, phones and
/// others put into the file or behind its end.
struct JPEGFile {
    private(set) var width = 0
    private(set) var height = 0
    private(set) var orientation = Orientation.upright
    /// The file without comments, profiles, EXIF, XMP and what follows the end of the picture.
    private(set) var picture: [UInt8] = [0xFF, Marker.start]

    private enum Marker {
        static let start: UInt8 = 0xD8, end: UInt8 = 0xD9, scan: UInt8 = 0xDA, comment: UInt8 = 0xFE
        static let jfif: UInt8 = 0xE0, exif: UInt8 = 0xE1, adobe: UInt8 = 0xEE
        static let applications: ClosedRange<UInt8> = 0xE0...0xEF, restarts: ClosedRange<UInt8> = 0xD0...0xD7

        /// SOF0 to SOF15; among their numbers are those of Huffman tables, extensions and arithmetic conditions.
        static func isFrame(_ marker: UInt8) -> Bool { (0xC0...0xCF).contains(marker) && ![0xC4, 0xC8, 0xCC].contains(marker) }
    }

    /// Progressive pictures have about ten. Each is a walk over the whole picture, whatever few bytes it has, so thousands would keep a core busy for minutes.
    static let scanCountMax = 64

    /// - Throws: `damaged`, also when the file ends before the picture does.
    init(_ bytes: [UInt8]) throws(PhotoFault) {
        var offset = 2
        var (scanCount, hasOrientation) = (0, false)
        picture.reserveCapacity(bytes.count)
        while true {
            let marker = try Self.marker(in: bytes, at: &offset)
            if marker == Marker.end { break }
            // These two have no length. Between segments they mean nothing.
            if marker == 0x01 || Marker.restarts.contains(marker) { continue }
            guard marker != 0x00, marker != Marker.start else { throw .damaged(.jpeg) }
            let segment = try Self.segment(in: bytes, at: &offset)
            if marker == Marker.exif, !hasOrientation, let found = Orientation(exif: segment.dropFirst(2)) { (orientation, hasOrientation) = (found, true) }
            guard Self.isNeeded(marker, segment.dropFirst(2)) else { continue }
            if Marker.isFrame(marker) { try readFrame(segment) }
            picture += [0xFF, marker]
            picture += segment
            guard marker == Marker.scan else { continue }
            scanCount += 1
            guard width > 0, scanCount <= Self.scanCountMax else { throw .damaged(.jpeg) }
            picture += Self.entropyCoded(in: bytes, at: &offset)
        }
        guard scanCount > 0 else { throw .damaged(.jpeg) }
        picture += [0xFF, Marker.end]
    }

    /// Moves behind a marker. Before it any number of bytes 0xFF may stand.
    private static func marker(in bytes: [UInt8], at offset: inout Int) throws(PhotoFault) -> UInt8 {
        guard offset < bytes.count, bytes[offset] == 0xFF else { throw .damaged(.jpeg) }
        while offset < bytes.count, bytes[offset] == 0xFF { offset += 1 }
        guard offset < bytes.count else { throw .damaged(.jpeg) }
        offset += 1
        return bytes[offset - 1]
    }

    /// Moves behind a segment, which begins with the two bytes of its length; they count as part of it.
    private static func segment(in bytes: [UInt8], at offset: inout Int) throws(PhotoFault) -> ArraySlice<UInt8> {
        guard offset + 2 <= bytes.count else { throw .damaged(.jpeg) }
        let length = Int(bytes[offset]) << 8 | Int(bytes[offset + 1])
        guard length >= 2, offset + length <= bytes.count else { throw .damaged(.jpeg) }
        defer { offset += length }
        return bytes[offset..<(offset + length)]
    }

    /// Moves to the marker after a scan's data. In the data 0xFF is followed by 0 or by the number of a restart.
    private static func entropyCoded(in bytes: [UInt8], at offset: inout Int) -> ArraySlice<UInt8> {
        let start = offset
        while offset + 1 < bytes.count {
            guard bytes[offset] == 0xFF else {
                offset += 1
                continue
            }
            let next = bytes[offset + 1]
            guard next == 0 || Marker.restarts.contains(next) else { break }
            offset += 2
        }
        return bytes[start..<offset]
    }

    /// JFIF and Adobe segments say how the colours are coded. Without the colour profile a picture of a wide-gamut camera is shown a little paler;
    /// a profile is also a place to hide things in, and names the device.
    private static func isNeeded(_ marker: UInt8, _ body: ArraySlice<UInt8>) -> Bool {
        switch marker {
        case Marker.jfif: body.starts(with: Array("JFIF".utf8) + [0])
        case Marker.adobe: body.starts(with: "Adobe".utf8)
        case Marker.comment, Marker.applications: false
        default: true
        }
    }

    private mutating func readFrame(_ segment: ArraySlice<UInt8>) throws(PhotoFault) {
        let bytes = Array(segment.prefix(8))
        guard width == 0, bytes.count == 8 else { throw .damaged(.jpeg) }
        (height, width) = (Int(bytes[3]) << 8 | Int(bytes[4]), Int(bytes[5]) << 8 | Int(bytes[6]))
        guard width > 0, height > 0 else { throw .damaged(.jpeg) }
    }
}
