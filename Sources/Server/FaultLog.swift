internal import CityModel
internal import Store
internal import Synchronization

/// Says which faults of municipalities' files are to be logged: of the same fault one line at once, and then one in a while that tells how many there were. Where a disk is
/// full each of thousands of writes a second meets it, and the log often lies on that disk.
final class FaultLog: Sendable {
    private struct Key: Hashable {
        let municipality: String
        let fault: FileFault
    }

    private struct State {
        var lines: [Key: (moment: ContinuousClock.Instant, omittedCount: Int)] = [:]
    }

    private let state = Mutex(State())

    static let pause = Duration.seconds(10)
    /// Clients give names of municipalities.
    private static let keyCountMax = 10_000

    /// - Returns: how many like it were left out before; nil when this one is.
    func line(_ municipality: String, _ fault: FileFault, at now: ContinuousClock.Instant = .now) -> Int? {
        let key = Key(municipality: municipality, fault: fault)
        return state.withLock { state in
            if state.lines.count >= Self.keyCountMax, state.lines[key] == nil { state.lines = [:] }
            if let last = state.lines[key], now < last.moment + Self.pause {
                state.lines[key]?.omittedCount += 1
                return nil
            }
            return (state.lines.updateValue((now, 0), forKey: key))?.omittedCount ?? 0
        }
    }
}
