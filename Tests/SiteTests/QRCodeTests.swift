import Testing
@testable internal import Site

@Suite struct QRCodeTests {
    private static func text(_ count: Int) -> [UInt8] { (0..<count).map { (index: Int) -> UInt8 in UInt8(33 + (7 * index * index + index) % 90) } }

    /// The numbers sum up what the Python package qrcode makes of the same bytes: every version, on both sides of its border, with all masks.
    @Test(arguments: [
        (14, 21, 0x6694295cc4c0ea8b), (15, 25, 0x600f5289905e26ed), (26, 25, 0xb4f63baa6d9c680f), (27, 29, 0x7fcc11eb0614a8bb),
        (42, 29, 0xcf55629b96ecda10), (62, 33, 0x180cfbde08191d48), (63, 37, 0xd4509e7851494b03), (84, 37, 0x6493fc566795116f),
        (106, 41, 0xa82271a90a80e8c4), (122, 45, 0x950cb3d22762c01f), (152, 49, 0x4beafe76ab420131), (180, 53, 0x6cf55ca176aad72d), (213, 57, 0x50b93cda0ed3ec57), (251, 61, 0x4a05763fccc68595), (287, 65, 0xf72f8cd7a50b3a5e), (331, 69, 0x6c74ef38405f65bb)
    ] as [(Int, Int, UInt64)])
    func `a code is the one that another program makes`(count: Int, size: Int, sum: UInt64) throws {
        let code = try #require(QRCode(Self.text(count), mask: count % 8))
        #expect(code.size == size)
        #expect(code.modules.joined().reduce(UInt64(0)) { $0 &* 31 &+ ($1 ? 2 : 1) } == sum)
    }

    @Test func `what is too long has no code`() { #expect(QRCode(Self.text(332)) == nil) }

    @Test func `the drawing has each dark module once, within the quiet zone`() throws {
        let code = try #require(QRCode(Self.text(100)))
        #expect(code.path.count { $0 == "M" } == code.modules.joined().count { $0 })
        #expect(code.path.hasPrefix("M4 4h1v1h-1z") && code.sizeWithMargin == code.size + 8)
    }
}
