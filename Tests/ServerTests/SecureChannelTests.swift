import CityModel
import NIOCore
import Testing

@testable import Server

/// What changes its value can't be asked within an expectation.
private func equal<Value: Equatable>(_ found: Value, _ expected: Value, at place: SourceLocation = #_sourceLocation) {
    #expect(found == expected, sourceLocation: place)
}

struct StreamLifeTests {
    private let begin = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private func after(_ seconds: Int64) -> NIODeadline { begin + .seconds(seconds) }

    @Test func `a connection without streams is told to go after the idle time, and closed a moment later`() {
        var life = StreamLife(idle: .seconds(60), at: begin)
        equal(life.tick(at: after(59)), .stay)
        equal(life.tick(at: after(60)), .leave)
        equal(life.tick(at: after(60)), .stay)
        equal(life.tick(at: after(61)), .close)
    }

    @Test func `the idle time begins when the last stream ends`() {
        var life = StreamLife(idle: .seconds(60), at: begin)
        life.opened()
        life.opened()
        life.heard(at: after(100))
        equal(life.closed(at: after(100)), false)
        equal(life.tick(at: after(120)), .stay)
        equal(life.closed(at: after(120)), false)
        equal(life.tick(at: after(179)), .stay)
        equal(life.tick(at: after(180)), .leave)
    }

    @Test func `a stream may last for hours as long as the client answers`() {
        var life = StreamLife(idle: .seconds(60), at: begin)
        life.opened()
        for hour in stride(from: Int64(60), through: 36_000, by: 60) {
            equal(life.tick(at: after(hour)), .ask)
            equal(life.tick(at: after(hour)), .stay)
            life.heard(at: after(hour))
        }
    }

    @Test func `a client that gives no sign of life is let go, whatever streams it has`() {
        var life = StreamLife(idle: .seconds(60), at: begin)
        life.opened()
        equal(life.tick(at: after(60)), .ask)
        equal(life.tick(at: after(119)), .stay)
        equal(life.tick(at: after(120)), .close)
    }

    @Test func `when the program ends, what was begun is finished`() {
        var life = StreamLife(idle: .seconds(60), at: begin)
        life.opened()
        equal(life.leave(at: after(1)), .leave)
        equal(life.leave(at: after(2)), .stay)
        equal(life.tick(at: after(3)), .stay)
        equal(life.closed(at: after(4)), true)
    }
}

struct ExpiryWarningTests {
    private let validity = Instant(microseconds: 0)...Instant(microseconds: 90 * 86_400_000_000)
    private func day(_ day: Double) -> Instant { Instant(microseconds: Int64(day * 86_400_000_000)) }

    @Test func `a certificate is told of from two weeks before its end on, once a day`() {
        var warnings = ExpiryWarnings()
        equal(warnings.due(validity, at: day(75.9)), nil)
        equal(warnings.due(validity, at: day(76.1)), .endsSoon(day(90)))
        equal(warnings.due(validity, at: day(76.5)), nil)
        equal(warnings.due(validity, at: day(77.2)), .endsSoon(day(90)))
        equal(warnings.due(validity, at: day(90.1)), .ended(day(90)))
        equal(warnings.due(validity, at: day(90.2)), nil)
    }

    @Test func `one that is not valid yet is told of`() {
        var warnings = ExpiryWarnings()
        equal(warnings.due(validity, at: day(-1)), .notYet(day(0)))
    }
}

struct OpenInstallationTests {
    @Test(arguments: ["127.0.0.1", "127.8.9.10", "::1", "localhost", "::ffff:127.0.0.1"])
    func `an address of this machine alone is recognised`(host: String) { #expect(OpenInstallation.isLoopback(host)) }

    @Test(arguments: ["0.0.0.0", "::", "10.0.0.1", "192.168.1.2", "128.0.0.1", "127.0.0.1.example.invalid", "::ffff:10.0.0.1", "fe80::1", "", "2130706433x"])
    func `every other is one that others can reach`(host: String) { #expect(!OpenInstallation.isLoopback(host)) }
}
