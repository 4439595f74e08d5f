package import CityModel
package import Query

/// What was before and after a measure.
package struct MeasureFigures: Sendable {
    package let windows: MeasureWindows
    /// Reports of its wave, and of as many days since it took effect.
    package let countBefore: Int
    package let countAfter: Int
    /// How they went; nil where they are too many to be read one by one.
    package let reports: ReportTally?
    package let indicator: IndicatorAnswer?
    /// The newest reports of the wave that everybody may see.
    package let examples: [Entity]
}

/// Reports one by one, as few numbers.
package struct ReportTally: Sendable {
    /// By the number of the week.
    package private(set) var weeks: [Int: Int] = [:]
    private var foldBefore: CaseFiguresFold
    private var foldAfter: CaseFiguresFold
    private let windows: MeasureWindows
    private let zone: CivilZone

    package init(_ windows: MeasureWindows, zone: CivilZone, at now: Instant) {
        (self.windows, self.zone) = (windows, zone)
        (foldBefore, foldAfter) = (CaseFiguresFold(at: now), CaseFiguresFold(at: now))
    }

    package mutating func add(_ one: CountedCase) throws(CityError) {
        let day = zone.day(of: one.requestedAt)
        if windows.reportsBefore.contains(day) { try foldBefore.add(one) } else if windows.reportsAfter.contains(day) { try foldAfter.add(one) } else { return }
        weeks[windows.weekNumber(of: day), default: 0] += 1
    }

    package var before: CaseFigure { foldBefore.figures.all.whole }
    package var after: CaseFigure { foldAfter.figures.all.whole }
}

/// What the sensors of a measure's indicator say.
package enum IndicatorAnswer: Sendable {
    case compared(IndicatorComparison)
    /// There is no area of this name.
    case noArea(String)
    case noSensors
    case tooManySensors(Int, countMax: Int)
}

/// The numbers of an indicator before and after.
package struct IndicatorComparison: Sendable {
    package let before: IndicatorWindow
    package let after: IndicatorWindow
    package let sensorCount: Int
    /// As sensors say it; nil where they say none, or different ones.
    package let unitCode: String?
    package init(before: IndicatorWindow, after: IndicatorWindow, sensorCount: Int, unitCode: String?) {
        (self.before, self.after, self.sensorCount, self.unitCode) = (before, after, sensorCount, unitCode)
    }

    /// After less before; nil where one of them says too little.
    package var difference: Double? {
        guard !before.isFew, !after.isFew, let first = before.mean, let second = after.mean else { return nil }
        return second - first
    }
}

/// What the numbers of some days come to, all sensors together.
package struct IndicatorWindow: Sendable {
    package struct Part: Hashable, Sendable {
        package let days: DaySpan
        package let count: Int
        package let mean: Double?
    }

    package let days: DaySpan
    /// Those that had at least one number.
    package let answeredDayCount: Int
    package let count: Int
    /// Of all numbers, each counting the same.
    package let mean: Double?
    /// Sensors that said something.
    package let sensorCount: Int
    /// By day, or by week where there are many days.
    package let parts: [Part]

    /// With fewer numbers, or on fewer days, nothing is compared.
    package static let countMin = 10
    package static let dayCountMin = 3
    /// More days than these are shown by week.
    private static let singleDayCountMax = 35

    /// - Parameter sums: for each day what its numbers add up to, and how many there are.
    package init(_ days: DaySpan, sums: [(sum: Double, count: Int)], sensorCount: Int) {
        (self.days, self.sensorCount) = (days, sensorCount)
        answeredDayCount = sums.count { $0.count > 0 }
        count = sums.reduce(0) { $0 + $1.count }
        mean = Self.mean(sums[...])
        let length = days.dayCount > Self.singleDayCountMax ? 7 : 1
        parts = stride(from: 0, to: sums.count, by: length).map { start in
            let part = sums[start..<min(start + length, sums.count)]
            let first = days.first.adding(start)
            return Part(days: DaySpan(first, first.adding(part.count)), count: part.reduce(0) { $0 + $1.count }, mean: Self.mean(part))
        }
    }

    package var isFew: Bool { count < Self.countMin || answeredDayCount < Self.dayCountMin }

    private static func mean(_ sums: ArraySlice<(sum: Double, count: Int)>) -> Double? {
        let count = sums.reduce(0) { $0 + $1.count }
        return count > 0 ? sums.reduce(0) { $0 + $1.sum } / Double(count) : nil
    }
}
