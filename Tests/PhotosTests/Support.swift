import CGD

@testable import Photos

/// A picture made with GD, to be taken apart by what is tested. Colours are 0xRRGGBB.
final class Canvas {
    private let image: gdImagePtr

    static let red: Int32 = 0xF0_1010, green: Int32 = 0x10_D010, blue: Int32 = 0x10_10F0, yellow: Int32 = 0xF0_F010

    /// Four fields: red and green above, blue and yellow below.
    init(width: Int, height: Int) {
        image = gdImageCreateTrueColor(Int32(width), Int32(height))
        for (index, colour) in [Self.red, Self.green, Self.blue, Self.yellow].enumerated() {
            let (left, top) = (index % 2 * width / 2, index / 2 * height / 2)
            gdImageFilledRectangle(image, Int32(left), Int32(top), Int32(left + width / 2), Int32(top + height / 2), colour)
        }
    }

    /// Decodes what was made.
    init?(_ photo: Photo) {
        var bytes = photo.jpeg
        guard let image = bytes.withUnsafeMutableBytes({ gdImageCreateFromJpegPtrEx(Int32($0.count), $0.baseAddress, 0) }) else { return nil }
        self.image = image
    }

    deinit { gdImageDestroy(image) }

    var width: Int { Int(image.pointee.sx) }
    var height: Int { Int(image.pointee.sy) }

    /// Makes everything right of the middle transparent.
    func clearRightHalf() {
        gdImageAlphaBlending(image, 0)
        gdImageSaveAlpha(image, 1)
        gdImageFilledRectangle(image, Int32(width / 2), 0, Int32(width), Int32(height), 127 << 24)
    }

    /// Each pixel another colour, so that it does not compress to nothing.
    func roughen(seed: UInt64) {
        var random = Random(seed: seed)
        for y in 0..<height { for x in 0..<width { gdImageSetPixel(image, Int32(x), Int32(y), Int32(random.next() & 0xFF_FFFF)) } }
    }

    var jpeg: [UInt8] { encoded { gdImageJpegPtr(image, &$0, 90) } }
    var progressiveJPEG: [UInt8] {
        gdImageInterlace(image, 1)
        return jpeg
    }
    var png: [UInt8] { encoded { gdImagePngPtr(image, &$0) } }
    var losslessWebP: [UInt8] { encoded { gdImageWebpPtrEx(image, &$0, Int32(gdWebpLossless)) } }
    var webp: [UInt8] { encoded { gdImageWebpPtrEx(image, &$0, 80) } }
    var gif: [UInt8] { encoded { gdImageGifPtr(image, &$0) } }

    private func encoded(_ encode: (inout Int32) -> UnsafeMutableRawPointer?) -> [UInt8] {
        var byteCount: Int32 = 0
        guard let bytes = encode(&byteCount) else { return [] }
        defer { gdFree(bytes) }
        return Array(UnsafeRawBufferPointer(start: bytes, count: Int(byteCount)))
    }

    /// Which of the colours a pixel has, as far as JPEG keeps them.
    func colour(x: Int, y: Int) -> String {
        let pixel = gdImageGetTrueColorPixel(image, Int32(x), Int32(y))
        let channels = [pixel >> 16 & 0xFF, pixel >> 8 & 0xFF, pixel & 0xFF].map { $0 > 150 ? "1" : $0 < 90 ? "0" : "?" }.joined()
        return ["100": "red", "010": "green", "001": "blue", "110": "yellow", "111": "white", "000": "black"][channels] ?? channels
    }

    /// In the middle of each quarter: upper left, upper right, lower left, lower right.
    var corners: [String] {
        [(1, 1), (3, 1), (1, 3), (3, 3)].map { x, y in colour(x: width * x / 4, y: height * y / 4) }
    }
}

/// Numbers that follow from a seed (xorshift64*).
struct Random {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return (state &* 0x2545_F491_4F6C_DD1D) >> 16
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

/// Segments and chunks by hand.
enum Crafted {
    /// An APP1 segment with the orientation, a position and a text to look for.
    static func exif(orientation: Int, isBigEndian: Bool) -> [UInt8] {
        func number(_ value: Int, _ byteCount: Int) -> [UInt8] {
            let bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
            return isBigEndian ? bytes.reversed() : bytes
        }
        func entry(_ tag: Int, _ type: Int, _ count: Int, _ value: [UInt8]) -> [UInt8] { number(tag, 2) + number(type, 2) + number(count, 4) + value }
        let make = entry(0x010F, 2, 4, Array("SPY\0".utf8))
        let turned = entry(0x0112, 3, 1, number(orientation, 2) + [0, 0])
        let position = entry(0x8825, 4, 1, number(50, 4))
        let directory = number(3, 2) + make + turned + position + number(0, 4)
        let north = number(1, 2) + entry(0x0001, 2, 2, Array("N\0\0\0".utf8)) + number(0, 4)
        let tiff = Array((isBigEndian ? "MM" : "II").utf8) + number(42, 2) + number(8, 4) + directory + north + Array("GPS-43.61,3.87".utf8)
        return segment(0xE1, Array("Exif".utf8) + [0, 0] + tiff)
    }

    static func segment(_ marker: UInt8, _ body: [UInt8]) -> [UInt8] {
        [0xFF, marker, UInt8((body.count + 2) >> 8), UInt8((body.count + 2) & 0xFF)] + body
    }

    /// Puts segments behind the start of a JPEG.
    static func inserting(_ segments: [UInt8], into jpeg: [UInt8]) -> [UInt8] { Array(jpeg.prefix(2)) + segments + jpeg.dropFirst(2) }

    static func big(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }

    static func chunk(_ type: String, _ body: [UInt8]) -> [UInt8] {
        let named = Array(type.utf8) + body
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in named {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        return big(body.count) + named + big(Int(~crc))
    }

    /// A PNG that says it is so large and has next to nothing in it.
    static func hugePNG(width: Int, height: Int) -> [UInt8] {
        PNGFile.signature + chunk("IHDR", big(width) + big(height) + [8, 2, 0, 0, 0]) + chunk("IDAT", [0x78, 0x9C, 3, 0, 0, 0, 0, 1]) + chunk("IEND", [])
    }

    /// The start of a JPEG that says it is so large.
    static func jpegHead(width: Int, height: Int) -> [UInt8] {
        [0xFF, 0xD8] + segment(0xC0, [8, UInt8(height >> 8), UInt8(height & 0xFF), UInt8(width >> 8), UInt8(width & 0xFF), 1, 1, 0x11, 0])
            + segment(0xDA, [1, 1, 0, 0, 63, 0]) + [0, 0xFF, 0xD9]
    }
}

extension Array where Element == UInt8 {
    func holds(_ text: String) -> Bool { firstRange(of: Array(text.utf8)) != nil }
}
