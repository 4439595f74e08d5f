package import CityModel
internal import Synchronization

/// How many reports one connection may file. A shared one, such as a school's or a library's, is not locked out: what is more than people type goes in and
/// is looked at before it is public; only what no room full of people types is refused for a while.
package final class ReportThrottle: Sendable {
    package enum Verdict: Hashable, Sendable {
        /// - Parameter isMany: it is public only after somebody has looked at it.
        case accepted(isMany: Bool)
        case refused(seconds: Int)
    }

    /// Reports within one period after which they are many, and after which they are refused.
    static let (many, most) = (20, 300)
    static let periodSeconds = 3600.0
    /// Connections that are remembered.
    private static let countMax = 50_000

    private struct Bucket {
        var level: Double
        var at: Instant
    }

    private let state = Mutex<[String: Bucket]>([:])

    package init() {}

    /// Counts a report.
    package func verdict(on network: String, at now: Instant) -> Verdict {
        state.withLock { buckets in
            var bucket = buckets[network] ?? Bucket(level: 0, at: now)
            let passed = max(0, Double(now.microseconds - bucket.at.microseconds) / 1e6)
            // It empties evenly, so that after a period nothing is left.
            bucket.level = max(0, bucket.level - passed * Double(Self.most) / Self.periodSeconds)
            bucket.at = now
            guard bucket.level + 1 <= Double(Self.most) else {
                buckets[network] = bucket
                return .refused(seconds: Int((Self.periodSeconds / Double(Self.most)).rounded(.up)))
            }
            bucket.level += 1
            if buckets.count >= Self.countMax { buckets = buckets.filter { $0.value.level > 1 } }
            if buckets.count < Self.countMax { buckets[network] = bucket }
            return .accepted(isMany: bucket.level > Double(Self.many))
        }
    }
}
