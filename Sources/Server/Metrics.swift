internal import Synchronization

/// Counts of what the server does, shown at `/metrics` in the Prometheus text format.
final class ServerMetrics: Sendable {
    private struct Key: Hashable {
        let method: String
        let route: String
        let status: Int
    }

    private struct State {
        var requests: [Key: Int] = [:]
        var buckets = [Int](repeating: 0, count: ServerMetrics.bounds.count + 1)
        var seconds = 0.0
        var inFlight = 0
        var reusedCount = 0
    }

    private let state = Mutex(State())
    /// Upper bounds of the duration histogram, in seconds.
    fileprivate static let bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    func began() { state.withLock { $0.inFlight += 1 } }

    /// - Parameter route: the route's template, so that the number of series is bounded.
    func ended(method: String, route: String, status: Int, seconds: Double) {
        state.withLock { state in
            state.inFlight -= 1
            state.requests[Key(method: method, route: route, status: status), default: 0] += 1
            state.buckets[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
            state.seconds += seconds
        }
    }

    /// An answer was given again (`Microcache`): that takes no time to speak of.
    func reused(route: String) {
        state.withLock { state in
            state.reusedCount += 1
            state.requests[Key(method: "GET", route: route, status: 200), default: 0] += 1
            state.buckets[0] += 1
        }
    }

    /// - Parameter gauges: further values, by name.
    func text(gauges: [(name: String, help: String, value: Int)]) -> String {
        let state = state.withLock { $0 }
        var lines = ["# HELP conurb_http_requests_total Requests answered.", "# TYPE conurb_http_requests_total counter"]
        for (key, count) in state.requests.sorted(by: { ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status) }) {
            lines.append("conurb_http_requests_total{method=\"\(key.method)\",route=\"\(key.route)\",status=\"\(key.status)\"} \(count)")
        }
        lines += ["# HELP conurb_http_request_duration_seconds Time from request to answer.", "# TYPE conurb_http_request_duration_seconds histogram"]
        var total = 0
        for (bound, count) in zip(Self.bounds, state.buckets) {
            total += count
            lines.append("conurb_http_request_duration_seconds_bucket{le=\"\(bound)\"} \(total)")
        }
        total += state.buckets[Self.bounds.count]
        lines += [
            "conurb_http_request_duration_seconds_bucket{le=\"+Inf\"} \(total)",
            "conurb_http_request_duration_seconds_sum \(state.seconds)", "conurb_http_request_duration_seconds_count \(total)",
        ]
        lines += [
            "# HELP conurb_http_answers_reused_total Requests answered with what was answered to the same within a second, or as one was that differed in the last part of its path.",
            "# TYPE conurb_http_answers_reused_total counter", "conurb_http_answers_reused_total \(state.reusedCount)",
        ]
        let inFlight = (name: "conurb_http_requests_in_flight", help: "Requests being answered.", value: state.inFlight)
        for gauge in [inFlight] + gauges {
            lines += ["# HELP \(gauge.name) \(gauge.help)", "# TYPE \(gauge.name) gauge", "\(gauge.name) \(gauge.value)"]
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
