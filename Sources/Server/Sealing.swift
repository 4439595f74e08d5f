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
    private var rest: Duration { .seconds(settings.sealEverySeconds) }

    func run() async throws {
        guard settings.sealAfterHours > 0 else { return try await gracefulShutdown() }
        var sealing = HistorySealing(
            broker: broker, ageSeconds: settings.sealAfterHours * 3600, rowCountMin: settings.sealRowCountMin)
        var rowCount = 0
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            var pause = Self.breath
            do {
                if let step = try await sealing.step(at: .now) {
                    rowCount += step.rowCount
                    for fault in step.faults { logger.error("a series can't be sealed", metadata: ["error": "\(fault)"]) }
                } else {
                    if rowCount > 0 { logger.info("history was sealed", metadata: ["rows": "\(rowCount)"]) }
                    (pause, rowCount) = (rest, 0)
                }
            } catch {
                logger.error("sealing failed", metadata: ["error": "\(error)"])
                pause = rest
            }
            try? await cancelWhenGracefulShutdown { [pause] in try await Task.sleep(for: pause) }
        }
    }
}
