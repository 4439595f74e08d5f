internal import CityModel
internal import OrderedCollections
internal import Query
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
    private var current: (start: Instant, end: Instant, values: Aggregation)?
    private var count = 0

    /// - Parameter range: periods begin where it does.
    init(_ request: AggregationRequest, _ range: ClosedRange<Instant>, _ limits: EvolutionLimits) {
        (self.request, self.range, countMax) = (request, range, limits.periodCountMax)
    }

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
    mutating func finished() -> (AttributeKind, OrderedDictionary<String, AggregatedPeriods>)? {
        close()
        return kind.map { ($0, methods) }
    }

    private mutating func open(_ moment: Instant) throws {
        if let current, request.period.isWholeRange || (current.start <= moment && moment < current.end) { return }
        close()
        count += 1
        guard count <= countMax else {
            throw CityError.tooComplexQuery("aggrPeriodDuration: more than \(countMax) periods have values; ask for longer ones")
        }
        let (start, end) = bounds(of: moment)
        current = (start, end, Aggregation(countsDistinct: request.methods.contains(.distinctCount)))
    }

    private mutating func close() {
        guard let (start, end, values) = current else { return }
        for method in request.methods {
            if let value = values.result(method) { methods[method.rawValue, default: []].append((value, start, end)) }
        }
        current = nil
    }

    private func bounds(of moment: Instant) -> (Instant, Instant) {
        guard !request.period.isWholeRange else { return (range.lowerBound, range.upperBound) }
        let index = request.period.period(of: moment, from: range.lowerBound)
        return (
            request.period.start(ofPeriod: index, from: range.lowerBound), request.period.start(ofPeriod: index + 1, from: range.lowerBound)
        )
    }
}
