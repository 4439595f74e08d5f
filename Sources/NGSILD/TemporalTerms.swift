internal import Broker
internal import CityModel
internal import Door
internal import OrderedCollections
internal import Query

/// The texts of a request that say which part of a history it wants, and how aggregated (clauses 4.11, 4.5.19).
struct TemporalTerms {
    private var timerel: String?, timeAt: String?, endTimeAt: String?, timeproperty: String?
    private(set) var lastN: Int?
    private var aggrMethods: String?, aggrPeriodDuration: String?

    init(_ query: QueryParameters) throws(CityError) {
        (timerel, timeAt, endTimeAt, timeproperty) = (query["timerel"], query["timeAt"], query["endTimeAt"], query["timeproperty"])
        lastN = try query.integer("lastN", in: 1...Self.lastNMax)
        (aggrMethods, aggrPeriodDuration) = (query["aggrMethods"], query["aggrPeriodDuration"])
    }

    /// From the body of a query: `temporalQ` and `aggrParams` (clauses 5.2.21 and 5.2.44).
    init(_ members: JSONObject) throws(CityError) {
        guard let temporalQ = members["temporalQ"]?.objectValue else { throw .badRequestData("temporalQ: an object is needed here") }
        for name in temporalQ.keys where !Self.known.contains(name) { throw .badRequestData("temporalQ.\(name): a TemporalQuery has no such member") }
        timerel = try QueryBody.text(temporalQ, "timerel")
        timeAt = try QueryBody.text(temporalQ, "timeAt")
        endTimeAt = try QueryBody.text(temporalQ, "endTimeAt")
        timeproperty = try QueryBody.text(temporalQ, "timeproperty")
        if let number = temporalQ["lastN"] {
            guard let count = number.integerValue, (1...Int64(Self.lastNMax)).contains(count) else {
                throw .badRequestData("lastN: \(number) is not a whole number above 0")
            }
            lastN = Int(count)
        }
        var parameters = temporalQ
        if let json = members["aggrParams"] {
            guard let aggrParams = json.objectValue else { throw .badRequestData("aggrParams: an object, not a \(json.kindName)") }
            parameters.merge(aggrParams) { _, own in own }
        }
        aggrMethods = try QueryBody.list(parameters, "aggrMethods")
        aggrPeriodDuration = try QueryBody.text(parameters, "aggrPeriodDuration")
    }

    private static let known: Set<String> = [
        "type", "timerel", "timeAt", "endTimeAt", "timeproperty", "lastN", "aggrMethods", "aggrPeriodDuration",
    ]
    private static let lastNMax = Int(Int32.max)

    var namesMethods: Bool { aggrMethods != nil }

    func query() throws(CityError) -> TemporalQuery? {
        try TemporalQuery.parsing(timerel: timerel, timeAt: timeAt, endTimeAt: endTimeAt, timeproperty: timeproperty)
    }

    /// Nil when no methods are named; what is there is checked in any case.
    func aggregation() throws(CityError) -> AggregationRequest? {
        var period = PeriodDuration.wholeRange
        if let aggrPeriodDuration {
            guard let duration = PeriodDuration(aggrPeriodDuration) else {
                throw .badRequestData("aggrPeriodDuration: \(aggrPeriodDuration) is not a duration such as PT1H or P1M (ISO 8601)")
            }
            period = duration
        }
        guard let aggrMethods else { return nil }
        var methods: OrderedSet<AggregationMethod> = []
        for part in aggrMethods.split(separator: ",", omittingEmptySubsequences: false) {
            guard let method = AggregationMethod(rawValue: String(part).trimmingSpaces) else {
                throw .badRequestData("aggrMethods: \(part) is not one of \(AggregationMethod.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            methods.append(method)
        }
        return AggregationRequest(methods: Array(methods), period: period)
    }
}
