public import CityModel

/// What is computed of the numbers of a period.
public enum SeriesFunction: Hashable, Sendable {
    /// Of the observations, each counting the same.
    case count, sum, avg, min, max, stddev, first, last
    /// Exact, between two observations linearly; within 0 and 100.
    case percentile(Double)
    /// The mean over time: each observation holds until the next.
    case timeAvg
    /// How much a counter has grown. One that falls has begun anew at 0.
    case increase

    private static let names: [(name: String, function: SeriesFunction)] = [
        ("count", .count), ("sum", .sum), ("avg", .avg), ("min", .min), ("max", .max), ("stddev", .stddev), ("first", .first), ("last", .last),
        ("median", .percentile(50)), ("timeAvg", .timeAvg), ("increase", .increase),
    ]

    /// Words for all of them, for people who got one wrong.
    public static let known = names.map(\.name).joined(separator: ", ") + ", p0 to p100"

    /// `avg`, `p95`, `p99.9`, `median` …
    public init?(_ text: String) {
        if let known = Self.names.first(where: { $0.name == text }) {
            self = known.function
        } else if text.first == "p", let percent = Double(text.dropFirst()), (0...100).contains(percent), text.utf8.count <= 8 {
            self = .percentile(percent)
        } else {
            return nil
        }
    }

    public var name: String {
        if case .percentile(let percent) = self {
            return "p" + (percent == percent.rounded() ? String(Int(percent)) : String(percent))
        }
        return Self.names.first { $0.function == self }?.name ?? ""
    }

    /// Whether every observation of a period has to be kept until its end.
    public var keepsAll: Bool { if case .percentile = self { true } else { false } }
    /// Whether many observations may be added as what they were summed up to.
    public var takesTogether: Bool { !keepsAll && !looksBack }
    /// Whether what holds at the beginning of a period matters.
    public var looksBack: Bool { self == .timeAvg || self == .increase }
}

/// What stands where a period has no observation.
public enum GapFilling: String, CaseIterable, Hashable, Sendable {
    case none
    /// What the last period before had.
    case last
    /// On the line between the periods before and after, by where periods begin.
    case linear
}

extension GapFilling {
    /// - Parameter moments: one for each value, in order.
    /// - Parameter isUnknown: whether a value is not there because it is not known: nothing takes its place, nor goes on over it.
    public func fill(_ values: [Double?], at moments: [Instant], isUnknown: (Int) -> Bool = { _ in false }) -> [Double?] {
        switch self {
        case .none: return values
        case .last:
            var last: Double?
            return values.enumerated().map { index, value in
                last = isUnknown(index) ? nil : value ?? last
                return last
            }
        case .linear:
            var filled = values
            var before: Int?
            for (index, value) in values.enumerated() {
                if isUnknown(index) { before = nil }
                guard let value else { continue }
                if let before, index - before > 1, let start = values[before] {
                    let span = Double(moments[index].microseconds - moments[before].microseconds)
                    for gap in before + 1..<index {
                        filled[gap] = start + (value - start) * Double(moments[gap].microseconds - moments[before].microseconds) / span
                    }
                }
                before = index
            }
            return filled
        }
    }
}
