internal import CityModel
internal import Crypto

/// Codes of six digits that change every 30 seconds (RFC 6238 with HMAC-SHA-1, the one that all authenticator apps know).
enum OneTimeCode {
    static let periodSeconds: Int64 = 30
    static let digitCount = 6
    /// 160 bits, as RFC 4226 recommends (section 4, R6).
    static let secretByteCount = 20

    static func step(at now: Instant) -> Int64 { now.seconds / periodSeconds }

    /// RFC 4226, section 5.3.
    static func code(_ secret: [UInt8], counter: Int64, digitCount: Int = digitCount) -> String {
        let message = (0..<8).map { UInt8(truncatingIfNeeded: counter >> Int64(56 - 8 * $0)) }
        let mac = Array(HMAC<Insecure.SHA1>.authenticationCode(for: message, using: SymmetricKey(data: secret)))
        let offset = Int(mac[19] & 15)
        let number = mac[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let power = (0..<digitCount).reduce(UInt32(1)) { product, _ in product * 10 }
        let digits = String(number % power)
        return String(repeating: "0", count: digitCount - digits.count) + digits
    }

    /// The step that a code belongs to: this one, the one before or the one after, for clocks differ. Never one that was used already or is
    /// older, so that a code that somebody looked over a shoulder is worth nothing (section 5.2).
    static func acceptedStep(_ code: String, _ secret: [UInt8], after usedStep: Int64, at now: Instant) -> Int64? {
        let digits = code.filter { $0 != " " }
        let step = step(at: now)
        let matching = [step, step - 1, step + 1].filter { Secret.areEqual(Array(self.code(secret, counter: $0).utf8), Array(digits.utf8)) }
        return matching.first { $0 > usedStep }
    }

    /// What an authenticator app reads from a QR code.
    static func link(secret: [UInt8], account: String, issuer: String) -> String {
        let (account, issuer) = (escaped(account), escaped(issuer))
        return "otpauth://totp/\(issuer):\(account)?secret=\(Base32.encode(secret))&issuer=\(issuer)&algorithm=SHA1&digits=6&period=30"
    }

    private static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        let bytes = text.utf8.flatMap { byte -> [UInt8] in
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126, 64: [byte]
            default: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// RFC 4648, section 6, without padding: what people type from a screen.
enum Base32 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var (text, bits, count): ([UInt8], UInt32, Int) = ([], 0, 0)
        for byte in bytes {
            (bits, count) = (bits << 8 | UInt32(byte), count + 8)
            while count >= 5 {
                count -= 5
                text.append(digits[Int(bits >> UInt32(count)) & 31])
            }
        }
        if count > 0 { text.append(digits[Int(bits << UInt32(5 - count)) & 31]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for what has other characters. Small letters and spaces are as people copy them.
    static func decode(_ text: String) -> [UInt8]? {
        var (bytes, bits, count): ([UInt8], UInt32, Int) = ([], 0, 0)
        for digit in text.uppercased().utf8 where digit != UInt8(ascii: " ") && digit != UInt8(ascii: "-") {
            guard let value = digits.firstIndex(of: digit) else { return nil }
            (bits, count) = (bits << 5 | UInt32(value), count + 5)
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }
}

/// Codes that stand in for the second factor when the phone is gone: ten, each good once.
enum RecoveryCode {
    static let count = 10
    private static let byteCount = 15

    /// 120 random bits in six groups.
    static func random() -> String {
        let text = Array(Base32.encode(Secret.bytes(byteCount)))
        return stride(from: 0, to: text.count, by: 4).map { String(text[$0..<$0 + 4]) }.joined(separator: "-")
    }

    /// Nil for what can't be one.
    static func digest(of text: String) -> String? {
        guard let bytes = Base32.decode(text), bytes.count == byteCount else { return nil }
        return Secret.digest(of: "recovery " + Base32.encode(bytes))
    }
}
