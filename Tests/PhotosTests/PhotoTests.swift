import Testing

@testable import Photos

@Suite("Photos that residents send")
struct PhotoTests {
    private static let corners = ["red", "green", "blue", "yellow"]

    @Test func `JPEG, PNG and WebP become JPEG with the same picture`() throws {
        let canvas = Canvas(width: 64, height: 48)
        for bytes in [canvas.jpeg, canvas.png, canvas.webp, canvas.losslessWebP, canvas.progressiveJPEG] {
            let photo = try Photo.prepared(from: bytes)
            #expect(photo.width == 64 && photo.height == 48)
            #expect(photo.jpeg.starts(with: [0xFF, 0xD8, 0xFF]))
            #expect(Canvas(photo)?.corners == Self.corners)
        }
    }

    /// By what viewers do: each value of the tag names the corners of the sensor that are the first row and the first column.
    @Test(arguments: [
        (1, ["red", "green", "blue", "yellow"]), (2, ["green", "red", "yellow", "blue"]), (3, ["yellow", "blue", "green", "red"]),
        (4, ["blue", "yellow", "red", "green"]), (5, ["red", "blue", "green", "yellow"]), (6, ["blue", "red", "yellow", "green"]),
        (7, ["yellow", "green", "blue", "red"]), (8, ["green", "yellow", "red", "blue"]), (0, corners), (9, corners), (65535, corners),
    ])
    func `a photo stands upright however the camera was held`(orientation: Int, expected: [String]) throws {
        let jpeg = Canvas(width: 64, height: 48).jpeg
        for isBigEndian in [true, false] {
            let photo = try Photo.prepared(from: Crafted.inserting(Crafted.exif(orientation: orientation, isBigEndian: isBigEndian), into: jpeg))
            #expect((photo.width, photo.height) == ((5...8).contains(orientation) ? (48, 64) : (64, 48)))
            #expect(Canvas(photo)?.corners == expected)
        }
    }

    @Test func `nothing of what came with a picture is in the photo`() throws {
        let exif = Crafted.exif(orientation: 1, isBigEndian: true)
        let xmp = Crafted.segment(0xE1, Array("http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>XMP-home</x:xmpmeta>".utf8))
        let profile = Crafted.segment(0xE2, Array("ICC_PROFILE\0".utf8) + [1, 1] + Array("ICC-device".utf8))
        let comment = Crafted.segment(0xFE, Array("COM-note".utf8))
        let archive = Array("PK".utf8) + [3, 4] + Array("ZIP-archive".utf8)
        let sent = Crafted.inserting(exif + xmp + profile + comment, into: Canvas(width: 64, height: 48).jpeg) + archive
        let traces = ["Exif", "SPY", "GPS-", "XMP-", "ICC", "COM-", "ZIP-", "PK", "gd-jpeg"]
        #expect(traces.dropLast().allSatisfy { sent.holds($0) })
        let photo = try Photo.prepared(from: sent)
        #expect(traces.filter { photo.jpeg.holds($0) } == [])
        #expect(photo.jpeg.suffix(2) == [0xFF, 0xD9])
        #expect(Canvas(photo)?.corners == Self.corners)
    }

    @Test func `texts in a PNG and metadata in a WebP are left behind`() throws {
        let canvas = Canvas(width: 64, height: 48)
        let png = canvas.png
        let noted = Array(png.dropLast(12)) + Crafted.chunk("tEXt", Array("Comment\0TEXT-note".utf8)) + png.suffix(12) + Array("TAIL-".utf8)
        let webp = canvas.webp
        let body = Array(webp.dropFirst(12)) + Array("EXIF".utf8) + [10, 0, 0, 0] + Array("EXIF-place".utf8)
        let size = body.count + 4
        let placed = Array("RIFF".utf8) + [UInt8(size & 0xFF), UInt8(size >> 8), 0, 0] + Array("WEBP".utf8) + body
        for sent in [noted, placed] {
            let photo = try Photo.prepared(from: sent)
            #expect(["TEXT-", "TAIL-", "EXIF-"].filter { photo.jpeg.holds($0) } == [])
            #expect(Canvas(photo)?.corners == Self.corners)
        }
    }

    @Test func `what is transparent becomes white`() throws {
        let canvas = Canvas(width: 64, height: 48)
        canvas.clearRightHalf()
        for bytes in [canvas.png, canvas.losslessWebP, canvas.webp] {
            #expect(try Canvas(Photo.prepared(from: bytes))?.corners == ["red", "white", "blue", "white"])
        }
    }

    /// One colour of a PNG without an alpha channel may stand for nothing (PNG, section 11.3.1.1).
    @Test func `a colour that stands for transparent becomes white`() throws {
        let header = Crafted.big(4) + Crafted.big(4) + [8, 0, 0, 0, 0]
        // Stored without compression: four rows of filter byte and four black pixels, with their Adler-32.
        let rows = [UInt8](repeating: 0, count: 20)
        let data: [UInt8] = [0x78, 0x01, 1, 20, 0, 0xEB, 0xFF] + rows + [0, 20, 0, 1]
        let start = PNGFile.signature + Crafted.chunk("IHDR", header)
        let end = Crafted.chunk("IDAT", data) + Crafted.chunk("IEND", [])
        #expect(try Canvas(Photo.prepared(from: start + end))?.colour(x: 1, y: 1) == "black")
        #expect(try Canvas(Photo.prepared(from: start + Crafted.chunk("tRNS", [0, 0]) + end))?.colour(x: 1, y: 1) == "white")
    }

    @Test(arguments: [(1600, 900, 1600, 900), (1601, 900, 1600, 899), (3200, 1000, 1600, 500), (800, 2400, 533, 1600), (1, 4000, 1, 1600)])
    func `the longer side has at most 1600 pixels and the shape stays`(width: Int, height: Int, newWidth: Int, newHeight: Int) throws {
        let photo = try Photo.prepared(from: Canvas(width: width, height: height).png)
        #expect((photo.width, photo.height) == (newWidth, newHeight))
    }

    @Test func `a thumbnail is the same picture, smaller`() throws {
        let sent = Crafted.inserting(Crafted.exif(orientation: 6, isBigEndian: false), into: Canvas(width: 640, height: 480).jpeg)
        let photo = try Photo.prepared(from: sent)
        let thumbnail = try photo.thumbnail(sideMax: 100)
        #expect((thumbnail.width, thumbnail.height) == (75, 100))
        #expect(Canvas(thumbnail)?.corners == Canvas(photo)?.corners)
        #expect(try photo.thumbnail(sideMax: 4000).width == photo.width)
    }
}
