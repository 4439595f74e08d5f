import CityModel
import Synchronization
import Testing

@testable import Server

struct BodyTurnsTests {
    private final class Counts: Sendable {
        let now = Atomic(0), most = Atomic(0), done = Atomic(0)
    }

    /// Of many that come at once.
    @Test func `no more is worked on at the same time than may be, and everybody gets a turn`() async throws {
        let turns = BodyTurns(byteCountMax: 1000)
        let counts = Counts()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                let byteCount = [10, 400, 999, 1000, 5000][number % 5]
                group.addTask {
                    try await turns.enter(byteCount)
                    // One that is larger than may be is alone.
                    let counted = min(byteCount, 1000)
                    let (_, together) = counts.now.add(counted, ordering: .sequentiallyConsistent)
                    counts.most.max(together, ordering: .sequentiallyConsistent)
                    await Task.yield()
                    counts.now.subtract(counted, ordering: .sequentiallyConsistent)
                    turns.leave(byteCount)
                    counts.done.add(1, ordering: .sequentiallyConsistent)
                }
            }
            try await group.waitForAll()
        }
        #expect(counts.done.load(ordering: .sequentiallyConsistent) == 200)
        #expect((1...1000).contains(counts.most.load(ordering: .sequentiallyConsistent)))
    }

    private final class Order: Sendable {
        let taken = Mutex<[Int]>([])
    }

    /// A small one does not pass a large one, which would wait for ever.
    @Test func `turns are taken in the order in which they are asked for`() async throws {
        let turns = BodyTurns(byteCountMax: 100)
        try await turns.enter(60)
        let order = Order()
        let large = Task {
            try await turns.enter(90)
            order.taken.withLock { $0.append(90) }
            turns.leave(90)
        }
        while turns.waitingCount < 1 { await Task.yield() }
        let small = Task {
            try await turns.enter(20)
            order.taken.withLock { $0.append(20) }
            turns.leave(20)
        }
        while turns.waitingCount < 2 { await Task.yield() }
        #expect(order.taken.withLock { $0 } == [])
        turns.leave(60)
        try await large.value
        try await small.value
        #expect(order.taken.withLock { $0 } == [90, 20])
        try await turns.enter(100)
        turns.leave(100)
    }

    @Test func `who waits too long is told to come again, and those behind go on`() async throws {
        let turns = BodyTurns(byteCountMax: 100, patience: .milliseconds(50))
        try await turns.enter(60)
        let large = Task { try await turns.enter(90) }
        while turns.waitingCount < 1 { await Task.yield() }
        let small = Task { try await turns.enter(20) }
        let failure = await #expect(throws: CityError.self) { try await large.value }
        if case .overloaded? = failure {} else { Issue.record("\(String(describing: failure))") }
        // Where the small one was asked for late it had its turn at once.
        try await small.value
        turns.leave(20)
        turns.leave(60)
        #expect(turns.waitingCount == 0)
        try await turns.enter(100)
    }
}
