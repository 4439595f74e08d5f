import Testing

@testable import Photos

@Suite("Photos that are refused")
struct RefusalTests {
    private func fault(_ bytes: [UInt8], _ limits: PhotoLimits = PhotoLimits()) -> PhotoFault? {
        do { _ = try Photo.prepared(from: bytes, limits: limits) } catch { return error }
        return nil
    }

    @Test func `what is no picture is refused, whatever it is called`() {
        #expect(fault([]) == .empty)
        #expect(fault(Array("<!doctype html><script>alert(1)</script>".utf8)) == .unknownKind)
        #expect(fault(Array("%PDF-1.7".utf8)) == .unknownKind)
        #expect(fault(Array("<svg xmlns='http://www.w3.org/2000/svg'/>".utf8)) == .unknownKind)
        #expect(fault(Canvas(width: 8, height: 8).gif) == .unknownKind)
        #expect(fault([0xFF]) == .unknownKind && fault([0xFF, 0xD8]) == .unknownKind && fault(Array("RIFF".utf8)) == .unknownKind)
    }

    @Test func `the refusal says which kinds are taken, and names HEIC`() {
        #expect("\(PhotoFault.unknownKind)".contains("JPEG, PNG, WebP are taken"))
        let heic: [UInt8] = [0, 0, 0, 24] + Array("ftypheic".utf8) + [0, 0, 0, 0] + Array("mif1heic".utf8)
        #expect(fault(heic) == .heic)
        #expect("\(PhotoFault.heic)".contains("HEIC") && "\(PhotoFault.heic)".contains("JPEG"))
        #expect(fault([0, 0, 0, 24] + Array("ftypisom".utf8)) == .unknownKind)
    }

    @Test func `a file may have as many bytes as the limit says and no more`() {
        var limits = PhotoLimits()
        let jpeg = Canvas(width: 16, height: 16).jpeg
        limits.byteCountMax = jpeg.count
        #expect(fault(jpeg, limits) == nil)
        limits.byteCountMax = jpeg.count - 1
        #expect(fault(jpeg, limits) == .tooManyBytes(byteCount: jpeg.count, byteCountMax: jpeg.count - 1))
    }

    @Test func `a picture may have as many pixels as the limit says and no more`() {
        var limits = PhotoLimits()
        let canvas = Canvas(width: 20, height: 10)
        for bytes in [canvas.jpeg, canvas.png, canvas.webp, canvas.losslessWebP] {
            limits.pixelCountMax = 200
            #expect(fault(bytes, limits) == nil)
            limits.pixelCountMax = 199
            #expect(fault(bytes, limits) == .tooManyPixels(width: 20, height: 10, pixelCountMax: 199))
        }
    }

    @Test func `what a header claims is refused before anything is decoded`() {
        let limit = PhotoLimits().pixelCountMax
        #expect(fault(Crafted.hugePNG(width: 60_000, height: 60_000)) == .tooManyPixels(width: 60_000, height: 60_000, pixelCountMax: limit))
        #expect(fault(Crafted.hugePNG(width: 0x7FFF_FFFF, height: 0x7FFF_FFFF)) == .tooManyPixels(width: 0x7FFF_FFFF, height: 0x7FFF_FFFF, pixelCountMax: limit))
        #expect(fault(Crafted.hugePNG(width: 0x8000_0000, height: 1)) == .damaged(.png) && fault(Crafted.hugePNG(width: 0, height: 1)) == .damaged(.png))
        #expect(fault(Crafted.jpegHead(width: 65_535, height: 65_535)) == .tooManyPixels(width: 65_535, height: 65_535, pixelCountMax: limit))
        #expect(fault(Crafted.jpegHead(width: 100, height: 0)) == .damaged(.jpeg))
        let lossless: [UInt8] = [0x2F, 0xFF, 0xFF, 0xFF, 0x0F, 0]
        let webp = Array("RIFF".utf8) + [18, 0, 0, 0] + Array("WEBPVP8L".utf8) + [6, 0, 0, 0] + lossless
        #expect(fault(webp) == .tooManyPixels(width: 16_384, height: 16_384, pixelCountMax: limit))
    }

    @Test func `a JPEG of thousands of scans is refused`() {
        let jpeg = Crafted.jpegHead(width: 8, height: 8)
        let scan = Crafted.segment(0xDA, [1, 1, 0, 0, 63, 0]) + [0]
        let scans = Array(repeatElement(scan, count: JPEGFile.scanCountMax).joined())
        #expect((try? JPEGFile(jpeg.dropLast(2) + scans.dropLast(scan.count) + jpeg.suffix(2))) != nil)
        #expect((try? JPEGFile(jpeg.dropLast(2) + scans + jpeg.suffix(2))) == nil)
    }

    @Test func `moving pictures are refused`() {
        let body = Array("WEBPVP8X".utf8) + [10, 0, 0, 0, 2, 0, 0, 0, 7, 0, 0, 7, 0, 0] + Array("ANIM".utf8) + [6, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        #expect(fault(Array("RIFF".utf8) + [UInt8(body.count), 0, 0, 0] + body) == .moving)
    }

    @Test func `EXIF that is not well formed leaves a picture as it is`() throws {
        let jpeg = Canvas(width: 32, height: 16).jpeg
        let exif = Crafted.exif(orientation: 6, isBigEndian: true)
        for count in 10..<exif.count {
            let cut = Crafted.segment(0xE1, Array(exif[4..<count]))
            let photo = try Photo.prepared(from: Crafted.inserting(cut, into: jpeg))
            // The tag of the orientation ends behind 4 bytes of segment, 6 of name, 8 of header, 2 of count and two entries.
            #expect(photo.width == (count >= 4 + 6 + 8 + 2 + 12 + 10 ? 16 : 32))
        }
        for offset in [0, 0xFFFF_FFFF, 0x7FFF_FFFF] {
            let lost = Array("Exif\0\0MM".utf8) + [0, 42] + Crafted.big(offset) + [0xFF, 0xFF]
            #expect(Orientation(exif: lost[...]) == nil)
        }
    }
}
