internal import ServiceLifecycle

/// Says when what was freed is given back to the operating system, and does nothing.
///
/// What a burst of requests took and freed stays in the allocator's heaps, in the midst of what is in use. Nobody has it back before it is asked for.
struct MemoryLevel {
    private var byteCount: Int
    /// So much more than after the last time makes it worth looking for.
    static let growthMin = 16 << 20

    init(_ byteCount: Int) { self.byteCount = byteCount }

    /// - Parameter found: what the process has in memory now.
    mutating func isRisen(_ found: Int) -> Bool {
        byteCount = min(byteCount, found)
        return found >= byteCount + Self.growthMin
    }

    /// It was given back.
    mutating func settle(_ found: Int) { byteCount = found }
}

/// Gives memory back to the operating system.
package struct MemoryKeeper: Service {
    private let residentByteCount: @Sendable () -> Int
    private let giveBack: @Sendable () -> Void

    private static let pause = Duration.seconds(1)

    /// - Parameter residentByteCount: what the process has in memory.
    package init(residentByteCount: @escaping @Sendable () -> Int, giveBack: @escaping @Sendable () -> Void) {
        (self.residentByteCount, self.giveBack) = (residentByteCount, giveBack)
    }

    package func run() async throws {
        var level = MemoryLevel(residentByteCount())
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.pause) }
            guard level.isRisen(residentByteCount()) else { continue }
            giveBack()
            level.settle(residentByteCount())
        }
    }
}
