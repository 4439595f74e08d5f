internal import Broker
internal import CityModel
internal import Logging
internal import ServiceLifecycle
internal import Store

/// Packs old history in the background: one step, a breath, the next; and after a walk over everything a longer rest.
struct Sealing: Service {
    let broker: Broker
    let settings: HistorySettings
    let logger: Logger

    private static let breath = Duration.milliseconds(50)

    func run() async throws {
        guard settings.sealAfterHours > 0 else { return try await gracefulShutdown() }
        var sealing = HistorySealing(
            broker: broker, ageSeconds: settings.sealAfterHours * 3600, rowCountMin: settings.sealRowCountMin)
        var walk = SealingWalk()
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            let start = ContinuousClock.now
            let isOver = await step(&sealing, &walk)
            walk.duration += .now - start
            var pause = Self.breath
            if isOver {
                if walk.rowCount > 0 { logger.info("history was sealed", metadata: ["rows": "\(walk.rowCount)"]) }
                pause = walk.rest(every: .seconds(settings.sealEverySeconds))
                walk = SealingWalk()
            }
            try? await cancelWhenGracefulShutdown { [pause] in try await Task.sleep(for: pause) }
        }
    }

    /// - Returns: whether the walk is over.
    private func step(_ sealing: inout HistorySealing, _ walk: inout SealingWalk) async -> Bool {
        do {
            guard let step = try await sealing.step(at: .now) else { return true }
            walk.add(rowCount: step.rowCount)
            for fault in step.faults { logger.error("a series can't be sealed", metadata: ["error": "\(fault)"]) }
        } catch {
            // The file waits for the next walk; the others do not.
            walk.add(rowCount: 0)
            logger.error("sealing failed", metadata: ["error": "\(error)"])
        }
        return false
    }
}

/// What a walk over the history of all open municipalities came to.
struct SealingWalk {
    private(set) var rowCount = 0
    private var stepCount = 0
    var duration = Duration.zero

    /// Of the time, a walk may take one part and rests for these.
    private static let restPerWalk = 20
    /// So many times longer is the rest after a walk that found nothing to pack: what is young now is old only then.
    private static let idleFactor = 12

    mutating func add(rowCount: Int) {
        self.rowCount += rowCount
        stepCount += 1
    }

    /// How long to rest after it. One that met no municipality was none.
    /// - Parameter every: the least rest.
    func rest(every: Duration) -> Duration {
        max(rowCount == 0 && stepCount > 0 ? every * Self.idleFactor : every, duration * Self.restPerWalk)
    }
}
