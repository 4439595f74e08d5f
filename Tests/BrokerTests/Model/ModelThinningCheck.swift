import CityModel
import Series
@testable import Store

/// What is left of a series that is thinned, held against everything that was ever recorded of it. Each number is a record or in one summary; nothing is gone
/// before its time, nor what was last before that; and what went altogether was old enough.
struct ModelThinningCheck {
    typealias Record = ModelCity.Record
    typealias Line = ModelCheck.Line

    let retention: ModelRetention
    /// By the last walk that was begun; nil when nothing may be gone.
    let borders: ModelRetention.Borders?
    /// What is there by the model, and what was and is not.
    let recorded: [Record], erased: [Record]
    /// What there is: records, and of these the moments of those that are not packed.
    let whole: [Line], rowMoments: Set<Int64>
    let summaries: [KeptSummary]

    /// Numbers of one period.
    private struct Total: Equatable {
        var count = 0, sum = 0.0, squares = 0.0, least = Double.infinity, greatest = -Double.infinity
        var first: PeriodSummary.Point?, last: PeriodSummary.Point?

        mutating func add(_ other: Total) {
            (count, sum, squares) = (count + other.count, sum + other.sum, squares + other.squares)
            (least, greatest) = (min(least, other.least), max(greatest, other.greatest))
            first = [first, other.first].compactMap(\.self).min { $0.time < $1.time }
            last = [last, other.last].compactMap(\.self).max { $0.time < $1.time }
        }

        init() {}

        init(_ number: Double, at moment: Int64) {
            (count, sum, squares, least, greatest) = (1, number, number * number, number, number)
            first = PeriodSummary.Point(time: moment, value: number)
            last = first
        }

        init(_ summary: PeriodSummary) {
            let measures = summary.measures
            (count, sum, squares) = (measures.count, measures.sum.value, measures.squares.value)
            (least, greatest, first, last) = (measures.min, measures.max, summary.first, summary.last)
        }

        /// Of several numbers of one moment the last counts.
        init(_ records: [Record]) {
            for (moment, records) in Dictionary(grouping: records, by: \.at) {
                if let last = records.max(by: { $0.late < $1.late }), let number = last.value?.doubleValue { add(Total(number, at: moment)) }
            }
        }
    }

    var difference: String? {
        let there = Set(whole)
        if let stray = there.subtracting(recorded.map(Line.init)).first { return "\(stray) was never recorded, of \(recorded.map(Line.init))" }
        let gone = recorded.filter { !there.contains(Line($0)) }
        if let early = gone.first(where: { !$0.isUnsure && !mayBeGone($0) }) { return "\(Line(early)) is gone before its time" }
        let numbers = Dictionary(grouping: gone.filter { $0.isNumber && $0.expiresAt == nil }) { period(of: $0.at) }
        let found = Dictionary(grouping: summaries) { period(of: $0.first.microseconds) }
        for period in Set(numbers.keys).union(found.keys) {
            if let difference = difference(in: period, numbers[period] ?? [], found[period] ?? []) { return difference }
        }
        return nil
    }

    private func mayBeGone(_ record: Record) -> Bool {
        guard let borders, record.at < borders.raw, record.recordedAt < borders.settled, record.at != held else { return false }
        return record.value != nil && record.expiresAt == nil || record.at < borders.daily
    }

    /// The moment of the last that ever was before the border: then it was the last whenever somebody looked, and stays. Nil where it is not sure that it was there.
    private var held: Int64? {
        let old = (recorded + erased).filter { $0.at < borders?.raw ?? .min }
        let last = old.map(\.at).max()
        return old.contains { $0.at == last && $0.isUnsure } ? nil : last
    }

    /// The finest period of which summaries are sure to be whole.
    private func period(of moment: Int64) -> Int64 { moment < borders?.hourly ?? .min ? retention.day(of: moment) : retention.hour(of: moment) }

    private func difference(in period: Int64, _ gone: [Record], _ summaries: [KeptSummary]) -> String? {
        if summaries.contains(where: { self.period(of: $0.last.microseconds) != period }) { return "a summary goes beyond its period \(summaries)" }
        let found = summaries.reduce(into: Total()) { $0.add(Total($1.summary)) }
        let sure = gone.filter { !$0.isUnsure }
        // Each of what may have come too late is there or not.
        let wanted = gone.filter(\.isUnsure).reduce([sure]) { sets, one in sets + sets.map { $0 + [one] } }.map { Total($0) }
        let isDropped = period < borders?.daily ?? .min
        if wanted.contains(where: { $0 == found || isDropped && found.count <= $0.count }) { return nil }
        return "of \(Instant(microseconds: period)) there is \(found), where it is \(wanted)"
    }

    /// What is still there though nobody hindered a walk to the end.
    var leftover: String? {
        guard let borders else { return nil }
        func last(before border: Int64) -> Int64? { whole.map(\.at).filter { $0 < border }.max() }
        let (held, heldBeforeDropping) = (last(before: borders.raw), last(before: borders.daily))
        for (moment, lines) in Dictionary(grouping: whole.filter { $0.at < borders.raw }, by: \.at) where moment != held && moment != heldBeforeDropping {
            let isSettled = lines.allSatisfy { $0.recordedAt < borders.settled }, staysWhole = lines.contains { $0.value == nil || $0.expiresAt != nil }
            // A chunk is not cut for less than a day.
            let isPacked = !rowMoments.contains(moment) && moment > borders.raw - ModelRetention.day
            if isSettled, !isPacked, !staysWhole || moment < borders.daily { return "\(lines) were to be thinned" }
        }
        let late = summaries.first { $0.first.microseconds < borders.daily || $0.level == .hourly && $0.first.microseconds < borders.hourly }
        return late.map { "\($0) was to be thinned" }
    }
}

extension ModelCheck {
    /// Holds the history of an entity that is thinned against the model.
    func thinned(_ snapshot: ReadSnapshot, _ id: IRI, _ city: ModelCity, _ remains: ModelRun.Remains, _ swept: Instant) throws -> Difference? {
        let records = try snapshot.allRecords(of: id, at: swept), known = city.history[id] ?? [:], living = known.living(at: swept)
        let summaries = try snapshot.allSummaries(of: id)
        for series in Set(records.keys).union(summaries.keys).union(known.keys) {
            let check = ModelThinningCheck(
                retention: city.retention, borders: city.ruled.contains(id) ? remains.thinnedAt.map(city.retention.borders) : nil, recorded: living[series] ?? [],
                erased: (city.erased[id]?[series] ?? []) + (known[series] ?? []), whole: (records[series] ?? []).map(Line.init),
                rowMoments: try snapshot.rowMoments(of: id, series), summaries: summaries[series] ?? [])
            if let difference = check.difference ?? (remains.isThinned ? check.leftover : nil) {
                return "history of \(id) \(series), thinned at \(String(describing: remains.thinnedAt)): \(difference)"
            }
        }
        return nil
    }
}

extension ReadSnapshot {
    private func each<Value>(_ id: IRI, _ value: (Int64, Series) throws -> Value) throws -> [SeriesName: Value] {
        guard let entity = try historicEntity(id, .special) else { return [:] }
        return try Dictionary(
            uniqueKeysWithValues: series(of: entity.number, .special).map { series in
                (SeriesName(attribute: series.attribute, datasetID: series.datasetID), try value(entity.number, series))
            })
    }

    fileprivate func allSummaries(of id: IRI) throws -> [SeriesName: [KeptSummary]] {
        try each(id) { try keptSummaries(of: $0, $1, in: nil, HistoryWindow(nil, now: noon, .special)) }
    }

    /// Of what lies in rows of its own.
    fileprivate func rowMoments(of id: IRI, _ name: SeriesName) throws -> Set<Int64> {
        let all = try each(id) { number, series in
            var moments: Set<Int64> = []
            try visitRows(of: number, series, HistoryWindow(nil, now: Instant(microseconds: .min), .special), limit: .max / 2) { time, _ in
                moments.insert(time)
                return true
            }
            return moments
        }
        return all[name] ?? []
    }
}
