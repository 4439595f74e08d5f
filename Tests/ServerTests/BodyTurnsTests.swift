import Synchronization
import Testing

@testable import Server

struct BodyTurnsTests {
    /// Longer than the busiest machine takes.
    private static let endless = Duration.seconds(86_400)

    private final class Counts: Sendable {
        let now = Atomic(0), most = Atomic(0), done = Atomic(0)
    }

    /// Of many that come at once.
    @Test func `no more is worked on at the same time than may be, and everybody gets a turn`() async throws {
        let turns = BodyTurns(byteCountMax: 1000, patience: Self.endless)
        let counts = Counts()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                let byteCount = [10, 400, 999, 1000, 5000][number % 5]
                group.addTask {
                    await turns.enter(byteCount)
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
        let turns = BodyTurns(byteCountMax: 100, patience: Self.endless)
        await turns.enter(60)
        let order = Order()
        let large = Task {
            await turns.enter(90)
            order.taken.withLock { $0.append(90) }
            turns.leave(90)
        }
        while turns.waitingCount < 1 { await Task.yield() }
        let small = Task {
            await turns.enter(20)
            order.taken.withLock { $0.append(20) }
            turns.leave(20)
        }
        while turns.waitingCount < 2 { await Task.yield() }
        #expect(order.taken.withLock { $0 } == [])
        turns.leave(60)
        await large.value
        await small.value
        #expect(order.taken.withLock { $0 } == [90, 20])
        await turns.enter(100)
        turns.leave(100)
    }

    /// Those before it may wait for a context source that does not answer.
    @Test func `who waits too long goes on beside the others`() async throws {
        let turns = BodyTurns(byteCountMax: 100, patience: .milliseconds(50))
        await turns.enter(60)
        let large = Task { await turns.enter(90) }
        await large.value
        #expect(turns.waitingCount == 0)
        let small = Task { await turns.enter(20) }
        turns.leave(90)
        await small.value
        turns.leave(20)
        turns.leave(60)
        await turns.enter(100)
        turns.leave(100)
        await turns.enter(5000)
    }
}
