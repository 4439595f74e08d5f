package import CityModel
package import OrderedCollections
internal import Query

/// Aggregates of values that are at hand, in order of time (clause 4.5.19). What lies in the file alone is aggregated as it is
/// read (`EvolutionAggregating`); this is for what was put together of several sources.
package struct PeriodAggregation {
    package typealias Periods = [(value: JSON, start: Instant, end: Instant)]

    private let request: AggregationRequest
    private let range: ClosedRange<Instant>
    private let periodCountMax: Int
    private var methods: OrderedDictionary<String, Periods> = [:]
    private var current: (index: Int, values: Aggregation)?
    private var periodCount = 0

    /// - Parameter range: periods begin at its start.
    package init(_ request: AggregationRequest, over range: ClosedRange<Instant>, limits: EvolutionLimits) {
        (self.request, self.range, periodCountMax) = (request, range, limits.periodCountMax)
    }

    /// - Throws: `tooComplexQuery` for more periods, or more distinct values, than one answer holds.
    package mutating func add(_ attribute: Attribute, at time: Instant) throws(CityError) {
        let index = request.period.period(of: time, from: range.lowerBound)
        if current?.index != index {
            finishPeriod()
            periodCount += 1
            guard periodCount <= periodCountMax else {
                throw .tooComplexQuery("aggrPeriodDuration: more than \(periodCountMax) periods have values; ask for longer ones")
            }
            current = (index, Aggregation(countsDistinct: request.methods.contains(.distinctCount)))
        }
        try current?.values.add(attribute.value, kind: attribute.kind)
    }

    /// For each method that applies to some of the values, the periods.
    package mutating func finished() -> OrderedDictionary<String, Periods> {
        finishPeriod()
        return methods
    }

    private mutating func finishPeriod() {
        guard let (index, values) = current else { return }
        current = nil
        var (start, end) = (range.lowerBound, range.upperBound)
        if !request.period.isWholeRange {
            (start, end) = (request.period.start(ofPeriod: index, from: range.lowerBound), request.period.start(ofPeriod: index + 1, from: range.lowerBound))
        }
        for method in request.methods {
            if let value = values.result(method) { methods[method.rawValue, default: []].append((value, start, end)) }
        }
    }
}
