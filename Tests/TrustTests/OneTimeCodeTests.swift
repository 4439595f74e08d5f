import CityModel
import Testing
@testable import Trust

@Suite struct OneTimeCodeTests {
    private let secret = Array("12345678901234567890".utf8)

    /// RFC 4226, appendix D.
    @Test(arguments: zip(0..<10, ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]))
    func `the codes of a counter are those of RFC 4226`(counter: Int, code: String) {
        #expect(OneTimeCode.code(secret, counter: Int64(counter)) == code)
    }

    /// RFC 6238, appendix B, SHA-1.
    @Test(arguments: [
        (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"), (1_234_567_890, "89005924"), (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ])
    func `the codes of a moment are those of RFC 6238`(seconds: Int, code: String) {
        #expect(OneTimeCode.code(secret, counter: OneTimeCode.step(at: Instant(seconds: Int64(seconds))), digitCount: 8) == code)
    }

    @Test func `a code holds one step before and after its own, and no longer`() {
        let now = Instant(seconds: 1_795_000_000)
        let step = OneTimeCode.step(at: now)
        for drift in Int64(-3)...3 {
            let accepted = OneTimeCode.acceptedStep(OneTimeCode.code(secret, counter: step + drift), secret, after: 0, at: now)
            #expect(accepted == (abs(drift) <= 1 ? step + drift : nil))
        }
    }

    @Test func `a code that was used, and those before it, are not taken again`() {
        let now = Instant(seconds: 1_795_000_000)
        let step = OneTimeCode.step(at: now)
        #expect(OneTimeCode.acceptedStep(OneTimeCode.code(secret, counter: step), secret, after: step, at: now) == nil)
        #expect(OneTimeCode.acceptedStep(OneTimeCode.code(secret, counter: step - 1), secret, after: step, at: now) == nil)
        #expect(OneTimeCode.acceptedStep(OneTimeCode.code(secret, counter: step + 1), secret, after: step, at: now) == step + 1)
    }

    @Test(arguments: ["", "12345", "1234567", "abcdef", "００００００"]) func `what is no code is none`(text: String) {
        #expect(OneTimeCode.acceptedStep(text, secret, after: 0, at: Instant(seconds: 59)) == nil)
    }

    /// RFC 4648, section 10.
    @Test(arguments: [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"), ("foobar", "MZXW6YTBOI")])
    func `Base32 is that of RFC 4648`(text: String, encoded: String) {
        #expect(Base32.encode(Array(text.utf8)) == encoded)
        #expect(Base32.decode(encoded.lowercased()) == Array(text.utf8))
    }

    @Test func `a recovery code is known however it is typed`() throws {
        let code = RecoveryCode.random()
        let digest = try #require(RecoveryCode.digest(of: code))
        #expect(RecoveryCode.digest(of: code.lowercased().replacing("-", with: " ")) == digest)
        #expect(RecoveryCode.digest(of: RecoveryCode.random()) != digest)
        #expect(RecoveryCode.digest(of: "123456") == nil)
        #expect(code.count == 29)
    }
}
