package import CityModel
package import Store

/// A time of which an answer would have needed more than is kept of an attribute.
package struct DroppedTime: Hashable, Sendable {
    package let attribute: IRI
    package let times: Range<Instant>
    package let kept: ThinnedSpan.Kept
    /// As answers call it.
    package var keptName: String { kept.rawValue }

    /// The value of a warning about it (clause 6.3.17), code 199.
    /// - Parameter name: what the attribute is called.
    package func warning(_ name: String) -> String {
        let words: String
        switch kept {
        case .hourly: words = "hourly summaries alone are kept"
        case .daily: words = "daily summaries alone are kept"
        case .nothing: words = "not everything is kept"
        }
        let safe = name.unicodeScalars.map { $0.isASCII && $0.value >= 0x20 && $0 != "\"" && $0 != "\\" && $0.value != 0x7F ? Character($0) : "?" }
        return "199 - \"\(String(safe)) from \(times.lowerBound) to \(times.upperBound): \(words)\""
    }
}

/// Gathers them: of each attribute one for each of what can be kept, from the first moment to the last.
package struct DroppedTimes: Sendable {
    private struct Key: Hashable {
        let attribute: IRI
        let kept: ThinnedSpan.Kept
    }

    private var times: [Key: Range<Instant>] = [:]
    /// Attributes that one answer tells of.
    private static let attributeCountMax = 100

    package init() {}

    package mutating func add(_ attribute: IRI, _ span: Range<Instant>, _ kept: ThinnedSpan.Kept) {
        guard !span.isEmpty else { return }
        let key = Key(attribute: attribute, kept: kept)
        if let known = times[key] {
            times[key] = min(known.lowerBound, span.lowerBound)..<max(known.upperBound, span.upperBound)
        } else if times.count < Self.attributeCountMax {
            times[key] = span
        }
    }

    package mutating func add(_ others: [DroppedTime]) { for other in others { add(other.attribute, other.times, other.kept) } }

    /// By attribute and time.
    package var all: [DroppedTime] {
        times.map { DroppedTime(attribute: $0.key.attribute, times: $0.value, kept: $0.key.kept) }
            .sorted { ($0.attribute.text, $0.times.lowerBound, $0.kept.rawValue) < ($1.attribute.text, $1.times.lowerBound, $1.kept.rawValue) }
    }
}

extension SummaryLevel {
    var kept: ThinnedSpan.Kept {
        switch self {
        case .hourly: .hourly
        case .daily: .daily
        }
    }
}

extension [DroppedTime] {
    /// With others, of each attribute and what is kept of it one.
    package func joined(_ others: [DroppedTime]) -> [DroppedTime] {
        var all = DroppedTimes()
        all.add(self)
        all.add(others)
        return all.all
    }
}
