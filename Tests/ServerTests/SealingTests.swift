@testable import Server
import Testing

/// How often history is looked over for what can be sealed.
@Suite struct SealingWalkTests {
    private func rest(rowCount: Int?, took seconds: Int) -> Duration {
        var walk = SealingWalk()
        walk.duration = .seconds(seconds)
        if let rowCount { walk.add(rowCount: rowCount) }
        return walk.rest(every: .seconds(300))
    }

    @Test func `the rest after a walk is as long as was set, and longer after one that found nothing`() {
        #expect(rest(rowCount: 5, took: 1) == .seconds(300))
        #expect(rest(rowCount: 0, took: 1) == .seconds(3600))
        #expect(rest(rowCount: nil, took: 0) == .seconds(300))
    }

    @Test func `a walk takes no more than a twentieth of the time`() {
        #expect(rest(rowCount: 5, took: 60) == .seconds(1200))
        #expect(rest(rowCount: 0, took: 600) == .seconds(12_000))
    }
}
