import CityModel
import Subscriptions
import Testing

@Suite struct DecisionTests {
    private let plan = DeliveryPlan(attemptCountMax: 20)

    @Test(arguments: [(1, 1.0), (2, 2), (5, 16), (10, 512), (11, 900), (19, 900)])
    func `pauses after failures double up to a quarter of an hour`(attemptCount: Int, seconds: Double) {
        #expect(plan.failed(attemptCount: attemptCount, createdAt: noon, cooldownSeconds: nil, at: noon) == .again(at: noon.adding(seconds: seconds)))
    }

    @Test func `an endpoint's cooldown makes a pause longer, never shorter (clause 5.2.15)`() {
        #expect(plan.failed(attemptCount: 1, createdAt: noon, cooldownSeconds: 7, at: noon) == .again(at: noon.adding(seconds: 7)))
        #expect(plan.failed(attemptCount: 6, createdAt: noon, cooldownSeconds: 7, at: noon) == .again(at: noon.adding(seconds: 32)))
    }

    @Test func `after the last attempt, and after a day, a notification is given up`() {
        #expect(plan.failed(attemptCount: 20, createdAt: noon, cooldownSeconds: nil, at: noon) == .giveUp)
        #expect(plan.failed(attemptCount: 2, createdAt: noon, cooldownSeconds: nil, at: noon.adding(seconds: 86_399)) != .giveUp)
        #expect(plan.failed(attemptCount: 2, createdAt: noon, cooldownSeconds: nil, at: noon.adding(seconds: 86_400)) == .giveUp)
    }

    @Test func `a message does not wait for the clock to be where it was before it was set back`() {
        #expect(plan.isDue(noon, cooldownSeconds: nil, at: noon))
        #expect(!plan.isDue(noon.adding(seconds: 900), cooldownSeconds: nil, at: noon))
        #expect(plan.isDue(noon.adding(seconds: 901), cooldownSeconds: nil, at: noon))
        #expect(!plan.isDue(noon.adding(seconds: 901), cooldownSeconds: 1000, at: noon))
        var throttle = Throttle(seconds: 2.5, lastMatch: noon)
        #expect(throttle.heldUntil(noon.adding(seconds: -3600)) == noon.adding(seconds: -3597.5))
    }

    @Test func `time in which nobody tried does not make a message older, so a clock that jumps ahead ends none`() {
        let jumped = noon.adding(seconds: 2 * 86_400)
        let began = plan.began(createdAt: noon, attemptCount: 1, due: noon.adding(seconds: 1), at: jumped)
        #expect(began == jumped.adding(seconds: -1))
        #expect(plan.failed(attemptCount: 2, createdAt: began, cooldownSeconds: nil, at: jumped) == .again(at: jumped.adding(seconds: 2)))
        // A queue that is slow is no such time, and neither is a wait behind others.
        #expect(plan.began(createdAt: noon, attemptCount: 1, due: noon.adding(seconds: 1), at: noon.adding(seconds: 901)) == noon)
        #expect(plan.began(createdAt: noon, attemptCount: 0, due: noon, at: jumped) == noon)
    }

    @Test func `a board looks at everything anew when the clock was set back, and not when it was adjusted`() {
        var board = WorkBoard<String>()
        board.wake("a", at: noon.adding(seconds: 5))
        #expect(board.take(at: noon, runningCountMax: 9) == [])
        #expect(board.take(at: noon.adding(seconds: -0.9), runningCountMax: 9) == [])
        #expect(board.take(at: noon.adding(seconds: -3600), runningCountMax: 9) == ["a"])
    }

    /// Clause 5.2.12.
    @Test func `a throttle lets through what is far enough from the last it let through`() {
        var throttle = Throttle(seconds: 2.5, lastMatch: nil)
        let held = [0, 2.5, 5.0, 100].map { throttle.heldUntil(noon.adding(seconds: $0)) }
        #expect(held == [nil, nil, nil, nil])
        // What changed at one moment belongs together.
        #expect(throttle.heldUntil(noon.adding(seconds: 100)) == nil)
        #expect(throttle.heldUntil(noon.adding(seconds: 102.4)) == noon.adding(seconds: 102.5))
    }

    @Test func `nothing overtakes what a throttle holds back`() {
        var throttle = Throttle(seconds: 2.5, lastMatch: noon)
        #expect(throttle.heldUntil(noon.adding(seconds: 1)) == noon.adding(seconds: 2.5))
        #expect(throttle.heldUntil(noon.adding(seconds: 9)) == noon.adding(seconds: 2.5))
    }

    /// Clauses 5.2.12, 5.8.6.
    @Test func `a period goes on from the moment that was due, and begins anew after a standstill`() {
        let period = Period(seconds: 10)
        #expect(period.next(after: noon, now: noon.adding(seconds: 0.3)) == noon.adding(seconds: 10))
        #expect(period.next(after: noon, now: noon.adding(seconds: 95)) == noon.adding(seconds: 105))
        #expect(Period(seconds: 0.001).next(after: noon, now: noon) == noon.adding(seconds: 1))
    }

    @Test func `work is done once at a time, in the order in which it was asked for`() {
        var board = WorkBoard<String>()
        for key in ["a", "b", "a", "c"] { board.wake(key) }
        #expect(board.take(at: noon, runningCountMax: 2) == ["a", "b"])
        #expect(board.take(at: noon, runningCountMax: 2) == [])
        board.finished("b")
        #expect(board.take(at: noon, runningCountMax: 2) == ["c"])
    }

    @Test func `what is asked for again while it runs is done again, and nothing else is`() {
        var board = WorkBoard<String>()
        board.wake("a")
        #expect(board.take(at: noon, runningCountMax: 9) == ["a"])
        board.wake("a")
        #expect(board.take(at: noon, runningCountMax: 9) == [])
        board.finished("a")
        #expect(board.take(at: noon, runningCountMax: 9) == ["a"])
        board.finished("a")
        #expect(board.take(at: noon, runningCountMax: 9) == [])
    }

    @Test func `what is asked for at a moment is done then, or sooner when that is asked for`() {
        var board = WorkBoard<String>()
        board.wake("a", at: noon.adding(seconds: 9))
        board.wake("a", at: noon.adding(seconds: 5))
        board.wake("b", at: noon.adding(seconds: 5))
        board.wake("b")
        #expect(board.take(at: noon, runningCountMax: 9) == ["b"])
        #expect(board.take(at: noon.adding(seconds: 4.9), runningCountMax: 9) == [])
        #expect(board.take(at: noon.adding(seconds: 5), runningCountMax: 9) == ["a"])
    }

    @Test(arguments: [
        (200, DeliveryResult.accepted), (204, .acceptedOtherwise), (301, .failed), (400, .refused), (401, .refused), (404, .refused),
        (408, .failed), (425, .failed), (429, .failed), (499, .refused), (500, .failed), (503, .failed),
    ])
    func `a status that blames the notification is final, one that asks for patience is not`(status: Int, result: DeliveryResult) {
        #expect(DeliveryResult(status: status) == result)
    }

    @Test(arguments: [
        ("mqtt://host/topic", MQTTParts("host", 1883, "topic", nil, nil)), ("mqtts://host/a/b", MQTTParts("host", 8883, "a/b", nil, nil)),
        ("mqtt://user@host:99/t", MQTTParts("host", 99, "t", "user", nil)), ("MQTT://u:p:q@[::1]:99/t", MQTTParts("::1", 99, "t", "u", "p:q")),
        ("mqtt://u:a%40b@h/t", MQTTParts("h", 1883, "t", "u", "a@b")),
    ])
    func `an MQTT address has the parts of clause 7.2`(uri: String, parts: MQTTParts) {
        let address = MQTTAddress(uri)
        #expect(address.map { MQTTParts($0.host, $0.port, $0.topic, $0.username, $0.password) } == parts)
    }

    /// Clause 7.2.
    @Test(arguments: ["mqtt://host", "mqtt://host/", "mqtt:///t", "mqtt://host:0/t", "mqtt://host:x/t", "mqtt://host/a/#", "mqtt://host/+/b", "amqp://host/t"])
    func `what is no MQTT address is refused`(uri: String) { #expect(MQTTAddress(uri) == nil) }
}

struct MQTTParts: Equatable, Sendable {
    let host: String, port: Int, topic: String, username: String?, password: String?
    init(_ host: String, _ port: Int, _ topic: String, _ username: String?, _ password: String?) {
        (self.host, self.port, self.topic, self.username, self.password) = (host, port, topic, username, password)
    }
}
