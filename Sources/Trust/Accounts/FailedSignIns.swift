package import CityModel
internal import OrderedCollections
internal import Store
internal import Synchronization

/// How often signing in to accounts failed, by the hour. What is known of it is written into the ledger when the hour is over: so somebody who guesses fills no
/// ledger, and an owner still learns of it.
struct FailedSignIns {
    struct Key: Hashable {
        let municipality: MunicipalityName
        let account: String
        /// Hours since 1970.
        let hour: Int64
    }

    private var counts: [Key: Int] = [:]

    mutating func add(_ municipality: MunicipalityName, _ account: String, at now: Instant) {
        counts[Key(municipality: municipality, account: account, hour: Self.hour(now)), default: 0] += 1
    }

    /// Those of hours that are over, or all; they are not counted any more.
    mutating func take(at now: Instant, all: Bool) -> [Key: Int] {
        let taken = counts.filter { all || $0.key.hour < Self.hour(now) }
        for key in taken.keys { counts[key] = nil }
        return taken
    }

    private static func hour(_ now: Instant) -> Int64 { now.seconds / 3600 }
}

extension Accounts {
    /// Writes into the ledgers how often signing in failed. To be called now and then, and at the end.
    /// - Parameter all: also those of this hour.
    package func recordFailures(at now: Instant, all: Bool = false) async throws {
        let taken = failures.withLock { $0.take(at: now, all: all) }
        for (municipality, counts) in Dictionary(grouping: taken, by: \.key.municipality) where store.exists(municipality) {
            try await store.file(municipality).write { transaction in
                for (key, count) in counts.sorted(by: { ($0.key.hour, $0.key.account) < ($1.key.hour, $1.key.account) }) {
                    let hour = Instant(seconds: key.hour * 3600).description
                    try transaction.record(
                        Act(.signInsFailed, key.account, details: ["hour": .string(hour), "count": .integer(Int64(count))]), by: .program, at: now)
                }
            }
        }
    }
}
