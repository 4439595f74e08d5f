/// Equal steps of time that a sensor keeps to, nearly: each of its times is a place on the grid and a little after it.
struct Grid {
    /// A moment of the grid at or before the first time.
    let origin: Int64
    let step: Int64

    /// The grid with the steps that lie between most of the times; nil when there is none.
    /// - Parameter times: in order; at least two.
    init?(of times: [Int64]) {
        let steps = zip(times.dropFirst(), times).map { $0 &- $1 }.sorted()
        guard let last = times.last, let median = steps.isEmpty ? nil : steps[steps.count / 2], median > 1,
            last.subtractingReportingOverflow(times[0]).overflow == false
        else { return nil }
        let step = Self.rounded(median)
        // Places begin after the widest stretch that no time falls in, so that what is over stays small.
        let over = times.map { ($0 - times[0]) % step }.sorted()
        var (widest, start) = (over[0] + step - over[over.count - 1], over[0])
        for (next, before) in zip(over.dropFirst(), over) where next - before > widest { (widest, start) = (next - before, next) }
        let (origin, overflow) = times[0].subtractingReportingOverflow(start == 0 ? 0 : step - start)
        guard !overflow, last.subtractingReportingOverflow(origin).overflow == false else { return nil }
        (self.origin, self.step) = (origin, step)
    }

    func slot(_ time: Int64) -> Int64 { (time - origin) / step }

    /// The clock's own step that a median with some jitter means: the coarsest within a tenth of it.
    private static func rounded(_ median: Int64) -> Int64 {
        for unit in clockSteps where median >= unit / 2 {
            let step = (median + unit / 2) / unit * unit
            if step > 0, abs(step - median) <= median / 10 { return step }
        }
        return median
    }

    /// An hour, a quarter of one, five minutes, a minute, ten seconds, a second, a tenth and a thousandth, in microseconds.
    private static let clockSteps: [Int64] = [3_600_000_000, 900_000_000, 300_000_000, 60_000_000, 10_000_000, 1_000_000, 100_000, 1000]
}
