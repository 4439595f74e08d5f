internal import Crypto

/// Random texts that only their holder knows, and the digests by which they are known here. With 80 random bits or more a plain SHA-256
/// can't be reversed by guessing.
enum Secret {
    static func bytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    static func text(byteCount: Int = 32) -> String { Base64.url.encode(bytes(byteCount)) }

    static func digest(of text: String) -> String { Base64.url.encode(Array(SHA256.hash(data: Array(text.utf8)))) }

    /// Takes as long whatever differs.
    static func areEqual(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

/// Base64 without padding (RFC 4648), read strictly: every text that is accepted is the one that its bytes are written as.
struct Base64: Sendable {
    /// Section 5: what JSON Web Tokens are written in.
    static let url = Base64("-_")
    /// Section 4: what the hashes of passwords are written in.
    static let standard = Base64("+/")

    private let digits: [UInt8]
    private let values: [UInt8: UInt8]

    private init(_ last: String) {
        digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8) + Array(last.utf8)
        values = Dictionary(uniqueKeysWithValues: digits.enumerated().map { ($1, UInt8($0)) })
    }

    func encode(_ bytes: [UInt8]) -> String {
        var (text, bits, count): ([UInt8], UInt32, Int) = ([], 0, 0)
        for byte in bytes {
            (bits, count) = (bits << 8 | UInt32(byte), count + 8)
            while count >= 6 {
                count -= 6
                text.append(digits[Int(bits >> UInt32(count)) & 63])
            }
        }
        if count > 0 { text.append(digits[Int(bits << UInt32(6 - count)) & 63]) }
        return String(decoding: text, as: UTF8.self)
    }

    func decode(_ text: some StringProtocol) -> [UInt8]? {
        var (bytes, bits, count): ([UInt8], UInt32, Int) = ([], 0, 0)
        for digit in text.utf8 {
            guard let value = values[digit] else { return nil }
            (bits, count) = (bits << 6 | UInt32(value), count + 6)
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        // What is left over is less than a digit, and zero.
        guard count < 6, bits & ((1 << UInt32(count)) - 1) == 0 else { return nil }
        return bytes
    }
}
