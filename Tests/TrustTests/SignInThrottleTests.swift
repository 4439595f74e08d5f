import CityModel
import Testing
@testable import Trust

@Suite struct SignInThrottleTests {
    private let start = Instant(seconds: 1_795_000_000)

    private func keys(_ account: String, _ address: String, isKnown: Bool = false) -> [SignInThrottle.Key] {
        SignInThrottle.keys(account: account, address: address, isKnownDevice: isKnown)
    }

    @Test func `five mistakes cost nothing, each further one doubles the pause, up to a quarter of an hour`() {
        var throttle = SignInThrottle()
        var now = start
        var pauses: [Int] = []
        for _ in 0..<20 {
            if let seconds = throttle.begin(keys("a", "1.2.3.4"), at: now) {
                pauses.append(seconds)
                now = now.adding(seconds: Double(seconds))
                #expect(throttle.begin(keys("a", "1.2.3.4"), at: now) == nil)
            }
        }
        #expect(pauses.prefix(12) == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900])
    }

    @Test func `success forgives`() {
        var throttle = SignInThrottle()
        for _ in 0..<5 { #expect(throttle.begin(keys("a", "1.2.3.4"), at: start) == nil) }
        throttle.succeeded(keys("a", "1.2.3.4"))
        #expect(throttle.begin(keys("a", "1.2.3.4"), at: start) == nil)
    }

    @Test func `one who mistypes holds up nobody else behind the same connection`() {
        var throttle = SignInThrottle()
        for _ in 0..<8 { _ = throttle.begin(keys("a", "1.2.3.4"), at: start) }
        #expect(throttle.begin(keys("a", "1.2.3.4"), at: start) != nil)
        #expect(throttle.begin(keys("b", "1.2.3.4"), at: start) == nil)
    }

    @Test func `a connection that many guesses come from waits, for five minutes at most`() {
        var throttle = SignInThrottle()
        var now = start
        var longest = 0
        for number in 0..<60 {
            if let seconds = throttle.begin(keys("victim \(number)", "1.2.3.4"), at: now) {
                longest = max(longest, seconds)
                now = now.adding(seconds: Double(seconds))
                _ = throttle.begin(keys("victim \(number)", "1.2.3.4"), at: now)
            }
        }
        #expect(longest == 300)
        #expect(throttle.begin(keys("victim", "5.6.7.8"), at: now) == nil)
    }

    @Test func `guesses from many addresses are held up by the account, and its owner's browser is not`() {
        var throttle = SignInThrottle()
        var allowed = 0
        for number in 0..<500 where throttle.begin(keys("a", "10.0.\(number / 250).\(number % 250)"), at: start) == nil { allowed += 1 }
        #expect(allowed == 100)
        #expect(throttle.begin(keys("a", "9.9.9.9", isKnown: true), at: start) == nil)
        #expect(throttle.begin(keys("a", "9.9.9.9"), at: start.adding(seconds: 3600)) == nil, "nobody is shut out for ever")
    }

    @Test func `what is remembered is bounded, and the newest stays`() {
        var throttle = SignInThrottle(countMax: 100)
        for number in 0..<10_000 { _ = throttle.begin(keys("a \(number)", "10.\(number)"), at: start) }
        #expect(throttle.keyCount <= 100)
        for _ in 0..<5 { _ = throttle.begin(keys("z", "1.2.3.4"), at: start) }
        #expect(throttle.begin(keys("z", "1.2.3.4"), at: start) != nil)
    }

    @Test func `after a day all is forgotten`() {
        var throttle = SignInThrottle()
        for _ in 0..<6 { _ = throttle.begin(keys("a", "1.2.3.4"), at: start) }
        #expect(throttle.begin(keys("a", "1.2.3.4"), at: start.adding(seconds: SignInThrottle.memorySeconds + 1)) == nil)
        for _ in 0..<4 { #expect(throttle.begin(keys("a", "1.2.3.4"), at: start.adding(seconds: SignInThrottle.memorySeconds + 1)) == nil) }
    }
}
