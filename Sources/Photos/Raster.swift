internal import CGD

/// Pixels in GD's memory, four bytes each, without transparency. Not to be shared between threads.
final class Raster {
    private let image: gdImagePtr

    var width: Int { Int(image.pointee.sx) }
    var height: Int { Int(image.pointee.sy) }

    private init(owning image: gdImagePtr) { self.image = image }

    deinit { gdImageDestroy(image) }

    /// GD tells its warnings to standard error until it is told not to, for the whole process. What matters of them is that there was no picture.
    private static let silence: Void = gdSetErrorMethod { _, _, _ in }

    /// White. Nil when there is no memory.
    private convenience init?(width: Int, height: Int) {
        Self.silence
        guard let image = gdImageCreateTrueColor(Int32(width), Int32(height)) else { return nil }
        gdImageFilledRectangle(image, 0, 0, Int32(width) - 1, Int32(height) - 1, Self.white)
        self.init(owning: image)
    }

    private static let white: Int32 = 0xFF_FFFF

    // MARK: Decoding

    /// Nil when libjpeg finds anything wrong, also what it could guess at.
    static func decode(jpeg bytes: [UInt8]) -> Raster? { opened(bytes) { gdImageCreateFromJpegPtrEx($0, $1, 0) } }

    /// Transparent becomes white.
    static func decode(webp bytes: [UInt8]) -> Raster? { opened(bytes) { gdImageCreateFromWebpPtr($0, $1) } }

    /// Transparent becomes white.
    static func decode(png bytes: [UInt8]) -> Raster? { bytes.withUnsafeBytes(decode) }

    /// libpng reads from the bytes until the pixels are there.
    private static func decode(png bytes: UnsafeRawBufferPointer) -> Raster? {
        var png = png_image()
        png.version = png_uint_32(PNG_IMAGE_VERSION)
        defer { png_image_free(&png) }
        guard png_image_begin_read_from_memory(&png, bytes.baseAddress, bytes.count) != 0 else { return nil }
        png.format = png_uint_32(PNG_FORMAT_FLAG_COLOR)
        guard let raster = Raster(width: Int(png.width), height: Int(png.height)) else { return nil }
        var background = png_color(red: 255, green: 255, blue: 255)
        let rowByteCount = raster.width * 3
        // Not an array: that would be filled with zeros first.
        let pixels = UnsafeMutableRawBufferPointer.allocate(byteCount: rowByteCount * raster.height, alignment: 1)
        defer { pixels.deallocate() }
        guard png_image_finish_read(&png, &background, pixels.baseAddress, png_int_32(rowByteCount), nil) != 0 else { return nil }
        for y in 0..<raster.height {
            guard let row = raster.row(y) else { return nil }
            for x in 0..<raster.width {
                let start = y * rowByteCount + x * 3
                row[x] = Int32(pixels[start]) << 16 | Int32(pixels[start + 1]) << 8 | Int32(pixels[start + 2])
            }
        }
        return raster
    }

    private static func opened(_ bytes: [UInt8], _ open: (Int32, UnsafeMutableRawPointer?) -> gdImagePtr?) -> Raster? {
        silence
        var bytes = bytes
        let image = bytes.withUnsafeMutableBytes { open(Int32($0.count), $0.baseAddress) }
        guard let image else { return nil }
        let raster = Raster(owning: image)
        return raster.flatten() ? raster : nil
    }

    /// Lays the picture on white. GD counts transparency from 0 to 127.
    private func flatten() -> Bool {
        for y in 0..<height {
            guard let row = row(y) else { return false }
            for x in 0..<width where row[x] & 0x7F00_0000 != 0 {
                let alpha = row[x] >> 24 & 0x7F
                func channel(_ shift: Int32) -> Int32 { (((row[x] >> shift & 0xFF) * (127 - alpha) + 255 * alpha) / 127) << shift }
                row[x] = channel(16) | channel(8) | channel(0)
            }
        }
        return true
    }

    private func row(_ y: Int) -> UnsafeMutablePointer<Int32>? { image.pointee.tpixels?[y] }

    // MARK: Changing

    /// The same, smaller where a side is longer than `sideMax`: each pixel is the mean of those that it stands for. Nil when there is no memory.
    func fitting(sideMax: Int) -> Raster? {
        let side = max(width, height)
        guard side > sideMax else { return self }
        // Rounded, and never nothing: a line stays a line.
        func scaled(_ length: Int) -> Int { max(1, (length * sideMax + side / 2) / side) }
        guard let small = Raster(width: scaled(width), height: scaled(height)) else { return nil }
        gdImageCopyResampled(small.image, image, 0, 0, 0, 0, Int32(small.width), Int32(small.height), Int32(width), Int32(height))
        return small
    }

    /// Upright. Nil when there is no memory.
    func turned(_ orientation: Orientation) -> Raster? {
        guard orientation != .upright else { return self }
        let size = orientation.isTurned ? (width: height, height: width) : (width: width, height: height)
        guard let turned = Raster(width: size.width, height: size.height) else { return nil }
        for y in 0..<turned.height {
            guard let row = turned.row(y) else { return nil }
            for x in 0..<turned.width {
                let source = orientation.source(x: x, y: y, width: width, height: height)
                guard let pixel = self.row(source.y)?[source.x] else { return nil }
                row[x] = pixel
            }
        }
        return turned
    }

    // MARK: Encoding

    /// Nil when there is no memory.
    func jpeg(quality: Int) -> [UInt8]? {
        var byteCount: Int32 = 0
        guard let bytes = gdImageJpegPtr(image, &byteCount, Int32(quality)) else { return nil }
        defer { gdFree(bytes) }
        return Array(UnsafeRawBufferPointer(start: bytes, count: Int(byteCount)))
    }
}
