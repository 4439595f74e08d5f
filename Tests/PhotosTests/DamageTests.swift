import Testing

@testable import Photos

/// Small limits: damage may make a picture claim millions of pixels, which is lawful and slow.
@Suite("Photos that are damaged")
struct DamageTests {
    private static let limits = {
        var limits = PhotoLimits()
        limits.pixelCountMax = 100_000
        return limits
    }()

    private static let pictures: [(PhotoKind, [UInt8])] = {
        let canvas = Canvas(width: 48, height: 32)
        canvas.roughen(seed: 7)
        let jpeg = Crafted.inserting(Crafted.exif(orientation: 6, isBigEndian: true), into: canvas.jpeg)
        let clear = Canvas(width: 48, height: 32)
        clear.clearRightHalf()
        return [
            (.jpeg, jpeg), (.jpeg, canvas.progressiveJPEG), (.png, canvas.png), (.webp, canvas.webp), (.webp, canvas.losslessWebP), (.png, clear.png), (.webp, clear.webp),
        ]
    }()

    @Test func `a picture that was cut off anywhere is refused as damaged`() {
        for (kind, bytes) in Self.pictures {
            for count in stride(from: 12, to: bytes.count, by: 50) + [bytes.count - 1] {
                #expect(throws: PhotoFault.damaged(kind)) { try Photo.prepared(from: Array(bytes.prefix(count)), limits: Self.limits) }
            }
            #expect(throws: Never.self) { try Photo.prepared(from: bytes, limits: Self.limits) }
        }
    }

    /// What comes out of it is a photo or a fault; that the program is still there is the test.
    @Test(arguments: UInt64(0)..<20)
    func `a picture with bytes changed at random is a photo or a fault`(group: UInt64) throws {
        for seed in (group * 100)..<(group * 100 + 100) {
            var random = Random(seed: seed)
            var (_, bytes) = Self.pictures[random.below(Self.pictures.count)]
            for _ in 0...random.below(8) {
                switch random.below(4) {
                case 0: bytes[random.below(bytes.count)] = UInt8(random.below(256))
                case 1: bytes[random.below(min(64, bytes.count))] ^= 1 << UInt8(random.below(8))
                case 2: bytes.removeSubrange(random.below(bytes.count - 1)..<bytes.count)
                default: bytes.insert(UInt8(random.below(256)), at: random.below(bytes.count))
                }
                guard bytes.count > 1 else { break }
            }
            if let photo = try? Photo.prepared(from: bytes, limits: Self.limits) {
                #expect(max(photo.width, photo.height) <= 1600 && Canvas(photo) != nil, "seed \(seed)")
            }
        }
    }
}
