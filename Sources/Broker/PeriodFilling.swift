internal import CityModel
internal import OrderedCollections
internal import Query
internal import Store
internal import Series

/// The results of one method, in order of time.
typealias AggregatedPeriods = [(value: JSON, start: Instant, end: Instant)]

/// Fills the periods of one series in order of time and keeps of each no more than its results.
struct PeriodFilling {
    private let request: AggregationRequest
    private let range: ClosedRange<Instant>
    private let countMax: Int
    private var methods: OrderedDictionary<String, AggregatedPeriods> = [:]
    private var kind: AttributeKind?
    private var current: (index: Int, start: Instant, end: Instant, values: Aggregation, isSummed: Bool)?
    private var count = 0
    /// What is left of numbers that are gone, by the period that all of them lie in, in order.
    private var summed: ArraySlice<(index: Int, kept: KeptSummary)> = []
    /// Periods of which numbers are gone that can't be told from those of others, in order, without those that were passed.
    private var gone: ArraySlice<ClosedRange<Int>> = []
    /// What would have needed more than is kept.
    private(set) var missing: [(times: Range<Instant>, kept: ThinnedSpan.Kept)] = []

    /// - Parameter range: periods begin where it does.
    /// - Parameter kept: what is left of numbers that are gone, and whether all of each are asked for.
    init(
        _ request: AggregationRequest, _ range: ClosedRange<Instant>, _ limits: EvolutionLimits, kept: [(kept: KeptSummary, isWhole: Bool)] = []
    ) {
        (self.request, self.range, countMax) = (request, range, limits.periodCountMax)
        var (found, unclear): ([(index: Int, kept: KeptSummary)], [ClosedRange<Int>]) = ([], [])
        // A period that the temporal query begins in the middle of is the first one.
        let start = index(of: range.lowerBound)
        for (kept, isWhole) in kept {
            let (first, last) = (index(of: kept.first), index(of: kept.last))
            let isExact = isWhole && first == last
            if isExact { found.append((first, kept)) } else { unclear.append(max(first, start)...max(first, last, start)) }
            guard !isExact || request.methods.contains(.distinctCount) else { continue }
            missing.append((Instant(microseconds: kept.summary.start)..<Instant(microseconds: kept.summary.end), kept.level.kept))
        }
        summed = found.sorted { $0.index < $1.index }[...]
        gone = Self.joined(unclear)[...]
    }

    /// Ranges that share nothing, in order.
    private static func joined(_ ranges: [ClosedRange<Int>]) -> [ClosedRange<Int>] {
        var joined: [ClosedRange<Int>] = []
        for next in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = joined.last, next.lowerBound <= last.upperBound {
                joined[joined.count - 1] = last.lowerBound...max(last.upperBound, next.upperBound)
            } else {
                joined.append(next)
            }
        }
        return joined
    }

    private func index(of moment: Instant) -> Int { request.period.isWholeRange ? 0 : request.period.period(of: moment, from: range.lowerBound) }

    mutating func add(_ attribute: Attribute, at moment: Instant) throws {
        try open(moment)
        kind = attribute.kind
        try current?.values.add(attribute.value, kind: attribute.kind)
    }

    /// Numbers of properties, as many as moments, in order. Both have the same indices.
    mutating func add(_ numbers: ArraySlice<Double>, at moments: ArraySlice<Int64>) throws {
        var index = moments.startIndex
        while index < moments.endIndex {
            try open(Instant(microseconds: moments[index]))
            let end = request.period.isWholeRange ? .max : current?.end.microseconds ?? .max
            var measures = Measures()
            repeat {
                measures.add(numbers[index])
                index += 1
            } while index < moments.endIndex && moments[index] < end
            current?.values.add(measures)
        }
        if !moments.isEmpty { kind = .property }
    }

    /// Numbers of properties of one period.
    mutating func add(_ measures: Measures, at moment: Instant) throws {
        try open(moment)
        kind = .property
        current?.values.add(measures)
    }

    /// Whether two moments, the second not before the first, are of one period.
    func holdsTogether(_ first: Instant, _ last: Instant) -> Bool {
        request.period.isWholeRange
            || request.period.period(of: first, from: range.lowerBound) == request.period.period(of: last, from: range.lowerBound)
    }

    /// Nil when there were no values; otherwise what the last of them was and the results.
    mutating func finished() throws -> (AttributeKind, OrderedDictionary<String, AggregatedPeriods>)? {
        close()
        while let next = summed.first {
            try begin(next.index)
            close()
        }
        return kind.map { ($0, methods) }
    }

    private mutating func open(_ moment: Instant) throws {
        if let current, request.period.isWholeRange || (current.start <= moment && moment < current.end) { return }
        let index = index(of: moment)
        while let next = summed.first, next.index < index { try begin(next.index) }
        try begin(index)
    }

    /// Begins a period with what is left of it.
    private mutating func begin(_ index: Int) throws {
        close()
        count += 1
        guard count <= countMax else {
            throw CityError.tooComplexQuery("aggrPeriodDuration: more than \(countMax) periods have values; ask for longer ones")
        }
        let (start, end) = bounds(of: index)
        var (values, isSummed) = (Aggregation(countsDistinct: request.methods.contains(.distinctCount)), false)
        while let next = summed.first, next.index <= index {
            summed.removeFirst()
            values.add(next.kept.summary.measures, kind: next.kept.kind)
            (isSummed, kind) = (true, next.kept.kind)
        }
        current = (index, start, end, values, isSummed)
    }

    private mutating func close() {
        guard let (index, start, end, values, isSummed) = current else { return }
        while let passed = gone.first, passed.upperBound < index { gone.removeFirst() }
        let isGone = gone.first?.contains(index) ?? false
        // Of what is gone nobody knows which values were the same.
        for method in request.methods where !isGone && !(isSummed && method == .distinctCount) {
            if let value = values.result(method) { methods[method.rawValue, default: []].append((value, start, end)) }
        }
        current = nil
    }

    private func bounds(of index: Int) -> (Instant, Instant) {
        guard !request.period.isWholeRange else { return (range.lowerBound, range.upperBound) }
        return (
            request.period.start(ofPeriod: index, from: range.lowerBound), request.period.start(ofPeriod: index + 1, from: range.lowerBound)
        )
    }
}
