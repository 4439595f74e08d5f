internal import CityModel
internal import OrderedCollections

/// Slows down whoever guesses. Decides and performs nothing; an attempt counts as failed until it has succeeded, so that many at once count too.
///
/// Three things are counted: what comes from one network address, what comes from it for one account, and what comes for one account from anywhere. So
/// a mistyped password holds up nobody else behind the same connection, and a guesser who has many addresses is held up by the account. The owner is
/// not: his browser shows that somebody signed in from it before, and its attempts are counted by themselves.
struct SignInThrottle {
    enum Key: Hashable {
        case address(String)
        case accountFrom(account: String, address: String)
        case account(String)
        case device(account: String)

        /// Failures that cost nothing, and the longest pause.
        var allowance: (freeCount: Int, secondsMax: Double) {
            switch self {
            case .address: (20, 300)
            case .accountFrom: (5, 900)
            case .account: (100, 3600)
            case .device: (10, 900)
            }
        }
    }

    private struct Failures {
        var count: Int
        var last: Instant
    }

    /// The failure that is oldest first.
    private var failures: OrderedDictionary<Key, Failures> = [:]
    private let countMax: Int
    /// Seconds after which failures are forgotten.
    static let memorySeconds = 86_400.0

    init(countMax: Int = 20_000) { self.countMax = countMax }

    /// What an attempt is counted by.
    static func keys(account: String, address: String, isKnownDevice: Bool) -> [Key] {
        isKnownDevice
            ? [.device(account: account)] : [.address(address), .accountFrom(account: account, address: address), .account(account)]
    }

    /// Counts an attempt.
    /// - Returns: the seconds to wait first; nil when the attempt may be made.
    mutating func begin(_ keys: [Key], at now: Instant) -> Int? {
        let wait = keys.map { pause($0, at: now) }.max() ?? 0
        guard wait <= 0 else { return Int(wait.rounded(.up)) }
        for key in keys {
            let count = current(key, at: now)?.count ?? 0
            failures[key] = nil
            failures[key] = Failures(count: count + 1, last: now)
        }
        if failures.count > countMax { failures.removeFirst(max(1, failures.count / 4)) }  // the oldest
        return nil
    }

    /// The attempt was right. What its address is counted for stays, but for this attempt.
    mutating func succeeded(_ keys: [Key]) {
        for key in keys {
            guard case .address = key, let known = failures[key], known.count > 1 else {
                failures[key] = nil
                continue
            }
            failures[key] = Failures(count: known.count - 1, last: known.last)
        }
    }

    var keyCount: Int { failures.count }

    private func current(_ key: Key, at now: Instant) -> Failures? {
        failures[key].flatMap { $0.last.adding(seconds: Self.memorySeconds) > now ? $0 : nil }
    }

    private func pause(_ key: Key, at now: Instant) -> Double {
        let allowance = key.allowance
        guard let known = current(key, at: now), known.count >= allowance.freeCount else { return 0 }
        let doublings = min(known.count - allowance.freeCount, 20)
        let seconds = min(Double(1 << doublings), allowance.secondsMax)
        return Double(known.last.adding(seconds: seconds).microseconds - now.microseconds) / 1_000_000
    }
}
