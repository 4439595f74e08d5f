internal import CityModel
internal import Logging
internal import ServiceLifecycle
internal import Trust

/// Writes by and by what no request waits for: when tokens were used, and how often signing in failed. What is left is written at the end.
struct Bookkeeping<Ticks: Clock>: Service where Ticks.Duration == Duration {
    let gatekeeper: Gatekeeper
    let ticks: Ticks
    let now: @Sendable () -> Instant
    let logger: Logger

    static var pause: Duration { .seconds(60) }

    func run() async throws {
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            try? await cancelWhenGracefulShutdown { try await ticks.sleep(for: Self.pause) }
            await write(isLast: Task.isShuttingDownGracefully)
        }
    }

    private func write(isLast: Bool) async {
        do {
            try await gatekeeper.writeTokenUses(at: now())
            try await gatekeeper.accounts.recordFailures(at: now(), all: isLast)
        } catch {
            logger.error("uses of tokens and failed sign-ins can't be written down", metadata: ["error": "\(error)"])
        }
    }
}
