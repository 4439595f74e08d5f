import CityModel
import Subscriptions
import Testing

@Suite struct BoardTests {
    private let alder = MunicipalityName("alder")!, birch = MunicipalityName("birch")!

    private func queue(_ name: MunicipalityName, _ subscription: String) -> DeliveryBoard.Queue { .init(municipality: name, subscription: subscription) }

    @Test func `a queue has one turn at a time, and another when something was added meanwhile`() {
        var board = DeliveryBoard(runningCountMax: 8)
        let one = queue(alder, "s1")
        board.wake(one, endpoint: "http://a")
        board.wake(one, endpoint: "http://a")
        #expect(board.take(at: noon) == [one])
        board.wake(one, endpoint: "http://a")
        #expect(board.take(at: noon).isEmpty)
        board.finished(one, .idle, .answered, at: noon)
        #expect(board.take(at: noon) == [one])
        board.finished(one, .idle, .answered, at: noon)
        #expect(board.take(at: noon).isEmpty && board.endpointCount == 0 && !board.isRunning)
    }

    @Test func `a queue that waits for its moment is not woken by what is added behind`() {
        var board = DeliveryBoard(runningCountMax: 8)
        let one = queue(alder, "s1")
        board.wake(one, endpoint: "http://a", at: noon.adding(seconds: 5))
        board.wake(one, endpoint: "http://a")
        #expect(board.take(at: noon.adding(seconds: 4)).isEmpty)
        #expect(board.take(at: noon.adding(seconds: 5)) == [one])
        board.finished(one, .at(noon.adding(seconds: 100)), .answered, at: noon)
        board.renew(one, endpoint: "http://b")
        #expect(board.take(at: noon.adding(seconds: 6)) == [one])
    }

    @Test func `a queue in which nothing waits any more is forgotten with its endpoint, unless it has its turn`() {
        var board = DeliveryBoard(runningCountMax: 8)
        let (one, two) = (queue(alder, "s1"), queue(alder, "s2"))
        board.wake(one, endpoint: "http://a", at: noon.adding(seconds: 5))
        board.wake(two, endpoint: "http://b")
        board.drop(one)
        #expect(board.endpointCount == 1)
        #expect(board.take(at: noon.adding(seconds: 5)) == [two])
        board.drop(two)
        #expect(board.endpointCount == 1 && board.isRunning)
        board.finished(two, .idle, nil, at: noon)
        #expect(board.endpointCount == 0 && !board.isRunning)
        board.wake(one, endpoint: "http://a")
        board.drop(one)
        board.wake(one, endpoint: "http://c")
        #expect(board.take(at: noon) == [one])
    }

    @Test func `municipalities have turns alternately, whoever has more to send`() {
        var board = DeliveryBoard(runningCountMax: 8)
        for number in 0..<100 { board.wake(queue(alder, "s\(number)"), endpoint: "http://a\(number)") }
        board.wake(queue(birch, "s"), endpoint: "http://b")
        let taken = board.take(at: noon)
        #expect(taken.contains(queue(birch, "s")))
        // Half of the places at most, so that some are left for others.
        #expect(taken.count { $0.municipality == alder } == 4)
    }

    @Test func `an endpoint with many queues holds only its own few places`() {
        var board = DeliveryBoard(runningCountMax: 100)
        for number in 0..<100 { board.wake(queue(alder, "many\(number)"), endpoint: "http://many") }
        board.wake(queue(alder, "one"), endpoint: "http://one")
        let taken = board.take(at: noon)
        #expect(taken.count == 9 && taken.contains(queue(alder, "one")))
    }

    @Test func `endpoints that are slow leave room for those that are not`() {
        var board = DeliveryBoard(runningCountMax: 16)
        for number in 0..<16 { board.wake(queue(alder, "slow\(number)"), endpoint: "http://slow\(number)") }
        for _ in 0..<6 { for slow in board.take(at: noon) { board.finished(slow, .more, .slow, at: noon) } }
        let running = board.take(at: noon)
        #expect(running.count == 4)
        board.wake(queue(alder, "sound"), endpoint: "http://sound")
        #expect(board.take(at: noon) == [queue(alder, "sound")])
    }

    @Test func `an endpoint that can't be reached is left alone for a while, then one queue tries, then all go`() {
        var board = DeliveryBoard(runningCountMax: 100)
        let queues = (0..<20).map { queue(alder, "s\($0)") }
        for queue in queues { board.wake(queue, endpoint: "http://away") }
        let first = board.take(at: noon)
        #expect(first.count == 8)
        for queue in first { board.finished(queue, .at(noon.adding(seconds: 1)), .unreachable, at: noon) }
        #expect(board.take(at: noon.adding(seconds: 0.9)).isEmpty)
        let later = noon.adding(seconds: 1)
        let probe = board.take(at: later)
        #expect(probe.count == 1)
        board.finished(probe[0], .more, .answered, at: later)
        #expect(board.take(at: later).count == 8)
    }

    @Test(arguments: UInt64(0)..<20)
    func `whatever happens, every queue has its turn, none two at once and never too many`(seed: UInt64) {
        var chance = Chance(seed: seed)
        var board = DeliveryBoard(runningCountMax: 6)
        var running: Set<DeliveryBoard.Queue> = [], waiting: Set<DeliveryBoard.Queue> = []
        var now = noon
        for _ in 0..<2000 {
            let one = queue(chance.next(2) == 0 ? alder : birch, "s\(chance.next(10))")
            switch chance.next(4) {
            case 0, 1:
                board.wake(one, endpoint: "http://e\(chance.next(4))")
                waiting.insert(one)
            case 2:
                for queue in board.take(at: now) {
                    #expect(running.insert(queue).inserted)
                    waiting.remove(queue)
                }
                #expect(running.count <= 6)
            default:
                guard let done = running.sorted(by: { $0.subscription < $1.subscription }).first else { continue }
                running.remove(done)
                let reach = [DeliveryBoard.Reach.answered, .slow, .unreachable][chance.next(3)]
                board.finished(done, reach == .unreachable ? .at(now.adding(seconds: 2)) : .idle, reach, at: now)
                if reach == .unreachable { waiting.insert(done) }
            }
            now = now.adding(seconds: 0.1)
        }
        for _ in 0..<1000 where !(waiting.isEmpty && running.isEmpty) {
            now = now.adding(seconds: 100)
            for queue in running { board.finished(queue, .idle, .answered, at: now) }
            running = Set(board.take(at: now))
            waiting.subtract(running)
        }
        #expect(waiting.isEmpty)
    }
}

/// Numbers that follow from a seed.
struct Chance {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func next(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(bound))
    }
}
