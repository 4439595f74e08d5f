import Dispatch
import Synchronization
import Testing

@testable import Photos

private final class AtOnce: Sendable {
    private let counts = Mutex((now: 0, most: 0))

    var most: Int { counts.withLock { $0.most } }
    func begin() { counts.withLock { ($0.now, $0.most) = ($0.now + 1, max($0.most, $0.now + 1)) } }
    func end() { counts.withLock { $0.now -= 1 } }
}

@Suite("The workshop for photos")
struct PhotoWorkshopTests {
    @Test func `it prepares what is sent, and says what is wrong with it`() async throws {
        let workshop = PhotoWorkshop()
        let photo = try await workshop.prepare(Canvas(width: 64, height: 48).png)
        #expect(photo.width == 64)
        await #expect(throws: PhotoFault.unknownKind) { try await workshop.prepare([1, 2, 3]) }
        #expect(workshop.occupancy == 0)
    }

    @Test(.timeLimit(.minutes(10)))
    func `one is prepared at a time, some wait, and whoever comes then is told so`() async throws {
        let workshop = PhotoWorkshop(waitingCountMax: 3)
        let gate = DispatchSemaphore(value: 0)
        let atOnce = AtOnce()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try await workshop.run { () throws(PhotoFault) in
                        atOnce.begin()
                        gate.wait()
                        atOnce.end()
                    }
                }
            }
            while workshop.occupancy < 4 { await Task.yield() }
            await #expect(throws: PhotoFault.busy) { try await workshop.prepare([]) }
            for _ in 0..<4 { gate.signal() }
            try await group.waitForAll()
        }
        #expect(atOnce.most == 1)
        #expect(workshop.occupancy == 0)
        await #expect(throws: PhotoFault.empty) { try await workshop.prepare([]) }
    }
}
