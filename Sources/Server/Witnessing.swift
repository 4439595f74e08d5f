internal import CityModel
internal import Logging
internal import ServiceLifecycle
internal import Store
internal import Trust

/// Has ledgers signed, and their checkpoints shown to witnesses, in the background: soon after something was recorded, and after a failure with
/// a pause that doubles. So a backup has a checkpoint in it although nobody asked for one.
struct Witnessing: Service {
    private let store: Store
    private let accountability: Accountability
    private let gatekeeper: Gatekeeper
    private let client: WitnessClient
    private let logger: Logger

    private static let rest = Duration.seconds(1)
    /// Rounds that a municipality with a failing witness sits out, at most: five minutes.
    private static let pauseMax = 300

    init(_ store: Store, _ accountability: Accountability, _ gatekeeper: Gatekeeper, _ client: WitnessClient, logger: Logger) {
        (self.store, self.accountability, self.gatekeeper, self.client, self.logger) = (store, accountability, gatekeeper, client, logger)
    }

    func run() async throws {
        var pauses: [MunicipalityName: (left: Int, length: Int)] = [:]
        // What was recorded just before the end of the last process is signed too: so every file is opened once, one in each round.
        var unopened = ((try? store.municipalities()) ?? [])[...]
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            if let name = unopened.popFirst() { await round(name, &pauses) }
            for file in store.openCityFiles where !Task.isShuttingDownGracefully { await round(file.name, &pauses) }
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.rest) }
        }
    }

    private func round(_ name: MunicipalityName, _ pauses: inout [MunicipalityName: (left: Int, length: Int)]) async {
        if let pause = pauses[name], pause.left > 0 {
            pauses[name]?.left -= 1
            return
        }
        do {
            guard try await accountability.isBehind(store.file(name)) else {
                pauses[name] = nil
                return
            }
            let access = try await gatekeeper.reading(name, .none)
            let faults = try await accountability.askWitnesses(access, at: .now, send: client.send)
            for (witness, fault) in faults {
                logger.warning(
                    "a witness did not co-sign", metadata: ["municipality": "\(name)", "witness": "\(witness)", "reason": "\(fault)"])
            }
            if faults.isEmpty { pauses[name] = nil } else { lengthen(&pauses[name]) }
        } catch {
            logger.error("a ledger is not signed", metadata: ["municipality": "\(name)", "error": "\(error)"])
            lengthen(&pauses[name])
        }
    }

    private func lengthen(_ pause: inout (left: Int, length: Int)?) {
        let length = min((pause?.length ?? 1) * 2, Self.pauseMax)
        pause = (length, length)
    }
}
