internal import Broker
internal import CityModel
internal import Logging
internal import ServiceLifecycle
internal import Store

/// Thins old history in the background: one step, a breath, the next; and after a walk over everything a longer rest.
struct Retaining: Service {
    let broker: Broker
    let settings: HistorySettings
    /// IANA name of the zone whose days history is summed up by.
    let zone: String
    let logger: Logger

    /// By how much the clock may run ahead of the time that has passed since the start.
    private static let clockErrorMax = Duration.seconds(86_400)
    private static let breath = Duration.milliseconds(50)

    func run() async throws {
        var retention = HistoryRetention(
            broker: broker, standard: settings.retention, zone: zone, settlingSeconds: settings.settleHours * 3600)
        var walk = SealingWalk()
        let (begun, clock) = (Instant.now, ContinuousClock.now)
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            let start = ContinuousClock.now
            // What a clock that jumps calls old would be gone for good.
            let isSteady = Self.isSteady(.now, since: begun, after: start - clock)
            if !isSteady { logger.error("the clock has jumped ahead; history is thinned again after a restart") }
            let isOver = isSteady ? await step(&retention, &walk) : true
            walk.duration += .now - start
            var pause = Self.breath
            if isOver {
                if walk.rowCount > 0 { logger.info("history was thinned", metadata: ["count": "\(walk.rowCount)"]) }
                pause = walk.rest(every: .seconds(settings.sealEverySeconds))
                walk = SealingWalk()
            }
            try? await cancelWhenGracefulShutdown { [pause] in try await Task.sleep(for: pause) }
        }
    }

    /// Whether no more time has passed by the clock than has passed, or hardly.
    static func isSteady(_ now: Instant, since begun: Instant, after elapsed: Duration) -> Bool {
        .microseconds(now.microseconds - begun.microseconds) <= elapsed + clockErrorMax
    }

    /// - Returns: whether the walk is over.
    private func step(_ retention: inout HistoryRetention, _ walk: inout SealingWalk) async -> Bool {
        do {
            guard let step = try await retention.step(at: .now) else { return true }
            walk.add(rowCount: step.count)
            for fault in step.faults { logger.error("a series can't be thinned", metadata: ["error": "\(fault)"]) }
        } catch {
            // The file waits for the next walk; the others do not.
            walk.add(rowCount: 0)
            logger.error("thinning failed", metadata: ["error": "\(error)"])
        }
        return false
    }
}
