import CityModel
import Testing
@testable import Door

/// Forms with files, as browsers send them (RFC 7578), and as whoever means harm does.
struct MultipartFormTests {
    private static let boundary = "----conurb7MA4YWxkTrZu0gW"

    private static func body(_ parts: [(head: String, bytes: [UInt8])], end: String = "--\r\n") -> [UInt8] {
        parts.flatMap { Array("--\(boundary)\r\n\($0.head)\r\n\r\n".utf8) + $0.bytes + Array("\r\n".utf8) } + Array("--\(boundary)\(end)".utf8)
    }

    private static func field(_ name: String, _ value: String) -> (head: String, bytes: [UInt8]) {
        ("Content-Disposition: form-data; name=\"\(name)\"", Array(value.utf8))
    }

    @Test func `texts and files come as they were sent`() throws {
        let bytes: [UInt8] = [0, 13, 10, 45, 45, 255] + Array("--\(Self.boundary.dropLast())".utf8)
        let file = ("Content-Disposition: form-data; name=\"f.photos\"; filename=\"a%22b.jpg\"\r\nContent-Type: image/jpeg", bytes)
        let empty = ("Content-Disposition: form-data; name=\"f.photos\"; filename=\"\"\r\nContent-Type: application/octet-stream", [UInt8]())
        let form = try MultipartForm(Self.body([Self.field("a", "Zażółć\r\n--x"), Self.field("a", ""), file, empty]), boundary: Self.boundary)
        #expect(form.texts("a") == ["Zażółć\r\n--x", ""] && form["a"] == "Zażółć\r\n--x" && form["b"] == nil)
        #expect(form.files("f.photos").map(\.fileName) == ["a\"b.jpg"])
        #expect(form.files("f.photos").first?.bytes == bytes && form.files("f.photos").first?.mediaType == "image/jpeg")
    }

    @Test func `a form may begin with a preamble and end without a line`() throws {
        let form = try MultipartForm(Array("This is a form.\r\n".utf8) + Self.body([Self.field("a", "1")], end: "--"), boundary: Self.boundary)
        #expect(form["a"] == "1")
    }

    @Test(arguments: ["", "--", "no form", "------conurb7MA4YWxkTrZu0gW", "------conurb7MA4YWxkTrZu0gW\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1"])
    func `what is not whole is refused`(text: String) {
        #expect(throws: CityError.self) { try MultipartForm(Array(text.utf8), boundary: Self.boundary) }
    }

    @Test func `a part without a name, and one with an endless head, are refused`() {
        for head in ["Content-Type: text/plain", "X: " + String(repeating: "x", count: 5000) + "\r\nContent-Disposition: form-data; name=\"a\""] {
            #expect(throws: CityError.self) { try MultipartForm(Self.body([(head, [1])]), boundary: Self.boundary) }
        }
    }

    @Test func `a form has so many parts and no more`() throws {
        var limits = MultipartForm.Limits()
        limits.partCountMax = 3
        #expect(try MultipartForm(Self.body((1...3).map { Self.field("\($0)", "") }), boundary: Self.boundary, limits: limits).parts.count == 3)
        #expect(throws: CityError.self) { try MultipartForm(Self.body((1...4).map { Self.field("\($0)", "") }), boundary: Self.boundary, limits: limits) }
    }

    @Test(arguments: [
        ("multipart/form-data; boundary=abc", "abc"), ("Multipart/Form-Data; charset=utf-8; boundary=\"a b\"", "a b"), ("multipart/form-data", nil),
        ("multipart/form-data; boundary=", nil), ("text/plain; boundary=abc", nil), ("multipart/form-data; boundary=" + String(repeating: "x", count: 71), nil),
    ])
    func `the boundary is the media type's`(type: String, boundary: String?) {
        #expect(MultipartForm.boundary(type) == boundary)
    }

    /// A linear congruential generator: a seed is a case.
    private struct Chance: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    @Test(arguments: UInt64(0)..<300)
    func `whatever becomes of the bytes on their way, a form is read or refused`(seed: UInt64) {
        var chance = Chance(state: seed)
        var bytes = Self.body([Self.field("a", "1"), ("Content-Disposition: form-data; name=\"b\"; filename=\"x\"\r\nContent-Type: image/png", [137, 80, 78, 71])])
        for _ in 0..<Int.random(in: 1...6, using: &chance) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &chance)
            switch Int.random(in: 0..<4, using: &chance) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &chance)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(contentsOf: Array("\r\n--\(Self.boundary)".utf8), at: place)
            default: bytes.removeLast(bytes.count - place)
            }
        }
        let form = try? MultipartForm(bytes, boundary: Self.boundary)
        #expect((form?.parts.count ?? 0) <= 20)
    }
}
