import Testing

@testable import Server

struct MemoryLevelTests {
    private static let growth = MemoryLevel.growthMin

    @Test func `memory is given back after it has grown, and not again until it has grown as much`() {
        var (level, found) = (MemoryLevel(100 << 20), [Bool]())
        found.append(level.isRisen((100 << 20) + Self.growth - 1))
        found.append(level.isRisen((100 << 20) + Self.growth))
        level.settle((100 << 20) + Self.growth)
        found.append(level.isRisen((100 << 20) + Self.growth))
        found.append(level.isRisen((100 << 20) + 2 * Self.growth))
        #expect(found == [false, true, false, true])
    }

    @Test func `what the process lost by itself it may grow by again`() {
        var (level, found) = (MemoryLevel(200 << 20), [Bool]())
        found.append(level.isRisen(100 << 20))
        found.append(level.isRisen((100 << 20) + Self.growth))
        #expect(found == [false, true])
    }
}
