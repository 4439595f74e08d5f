internal import Cases
internal import CityModel
internal import Logging
internal import ServiceLifecycle
internal import Store
internal import Trust

/// Erases of closed cases what was kept long enough, a part at a time, and asks again after a while.
struct CaseSweeper<Ticks: Clock>: Service where Ticks.Duration == Duration {
    let store: Store
    let gatekeeper: Gatekeeper
    let desk: CaseDesk
    let ticks: Ticks
    let now: @Sendable () -> Instant
    let logger: Logger

    static var pause: Duration { .seconds(600) }
    private static var turnCount: Int { 20 }

    func run() async throws {
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            for file in store.openCityFiles { await sweep(file.name) }
            try? await cancelWhenGracefulShutdown { try await ticks.sleep(for: Self.pause) }
        }
    }

    private func sweep(_ municipality: MunicipalityName) async {
        do {
            let access = try await gatekeeper.writing(municipality, .program)
            try await desk.forgetForms(access, at: now())
            while !Task.isShuttingDownGracefully, try await desk.retire(access, limit: Self.turnCount, at: now()) == Self.turnCount {}
        } catch {
            logger.error("what was kept long enough can't be erased", metadata: ["municipality": "\(municipality)", "error": "\(error)"])
        }
    }
}
