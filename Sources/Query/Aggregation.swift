public import CityModel
internal import OrderedCollections
public import Series

/// What can be computed of the values of a period (clause 4.5.19.1).
public enum AggregationMethod: String, CaseIterable, Hashable, Sendable {
    case avg, distinctCount, max, min, stddev, sum, sumsq, totalCount
}

/// The aggregate of some values, filled one by one in constant memory but for `distinctCount`, which keeps each value once.
///
/// What a value counts as (tables 4.5.19.1-1 to -3): a number is itself, true is 1 and false is 0, an array is its size, a
/// text has an order, a time of day has an average. Values of kinds that a method does not apply to are passed over by it.
/// Sums are kept in twice the precision of a double (`Measures`), so that they lose no digits where values are large and close,
/// and do not depend on the order or on whether values come one by one or summed up.
public struct Aggregation: Sendable {
    private var count = 0
    private var distinct: Set<JSON>?
    private var numbers = Measures()
    private var sizes = Measures()
    private var texts: (min: String, max: String)?
    private var times = Measures()

    /// Distinct values that one period keeps.
    public static let distinctCountMax = 100_000

    /// - Parameter countsDistinct: whether `distinctCount` will be asked for.
    public init(countsDistinct: Bool) { distinct = countsDistinct ? [] : nil }

    /// - Throws: `tooComplexQuery` when there are too many distinct values.
    public mutating func add(_ value: JSON, kind: AttributeKind) throws(CityError) {
        count += 1
        if distinct != nil { try addDistinct(value, isRelationship: kind.isRelationship) }
        switch kind {
        case .property, .listProperty: addMeasure(value)
        case .relationship, .listRelationship, .geoProperty, .languageProperty, .vocabProperty, .jsonProperty: break
        }
    }

    /// Adds the numbers of a property that were summed up before. Not to be asked where distinct values are counted.
    public mutating func add(_ measures: Measures) {
        count += measures.count
        numbers.add(measures)
    }

    /// Adds numbers that are gone as what they were summed up to. Of distinct values it knows nothing.
    package mutating func add(_ measures: Measures, kind: AttributeKind) {
        switch kind {
        case .property, .listProperty: add(measures)
        case .relationship, .listRelationship, .geoProperty, .languageProperty, .vocabProperty, .jsonProperty: count += measures.count
        }
    }

    /// Nil when the method does not apply to any of the values.
    public func result(_ method: AggregationMethod) -> JSON? {
        switch method {
        case .totalCount: .integer(Int64(count))
        case .distinctCount: distinct.map { .integer(Int64($0.count)) }
        case .avg: (measures?.mean).map(JSON.number) ?? times.ifAny.map { .string(TimeOfDay.text($0.mean)) }
        case .max: (measures?.max).map(JSON.number) ?? texts.map { .string($0.max) }
        case .min: (measures?.min).map(JSON.number) ?? texts.map { .string($0.min) }
        case .sum: (measures?.sum.value).map(JSON.number)
        case .stddev: numbers.ifAny.map { .number($0.standardDeviation) }
        case .sumsq: numbers.ifAny.map { .number($0.squares.value) }
        }
    }

    /// Numbers where there are any, else sizes of arrays.
    private var measures: Measures? { numbers.ifAny ?? sizes.ifAny }

    private mutating func addMeasure(_ value: JSON) {
        switch value {
        case .integer(let number): numbers.add(Double(number))
        case .number(let number): numbers.add(number)
        case .bool(let flag): numbers.add(flag ? 1 : 0)
        case .array(let elements): sizes.add(Double(elements.count))
        case .string(let text): addText(text)
        case .object(let members): addTyped(members)
        case .null: break
        }
    }

    private mutating func addText(_ text: String) {
        texts = texts.map { (min: Swift.min($0.min, text), max: Swift.max($0.max, text)) } ?? (text, text)
    }

    /// A date, a time or both as a JSON-LD typed value (clause C.6). Other objects have no order.
    private mutating func addTyped(_ members: JSONObject) {
        guard let type = members["@type"]?.stringValue, let text = members["@value"]?.stringValue else { return }
        let name = type.split(whereSeparator: { $0 == "/" || $0 == "#" || $0 == ":" }).last.map { $0.lowercased() } ?? ""
        guard ["datetime", "date", "time"].contains(name) else { return }
        addText(text)
        if name == "time", let seconds = TimeOfDay.seconds(text) { times.add(seconds) }
    }

    private mutating func addDistinct(_ value: JSON, isRelationship: Bool) throws(CityError) {
        if isRelationship, case .array(let targets) = value {
            for target in targets { distinct?.insert(target) }
        } else {
            distinct?.insert(value)
        }
        guard (distinct?.count ?? 0) <= Self.distinctCountMax else {
            throw .tooComplexQuery("aggrMethods: distinctCount of more than \(Self.distinctCountMax) values in one period")
        }
    }
}

/// Clock readings `HH:MM:SS`, with a fraction or without, in UTC.
private enum TimeOfDay {
    static func seconds(_ text: String) -> Double? {
        let clock = text.last == "Z" ? text.dropLast() : text[...]
        let parts = clock.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), let hour = Int(parts[0]), let minute = Int(parts[1]), (0...23).contains(hour),
            (0...59).contains(minute), let second = parts.count == 3 ? Double(parts[2]) : 0, (0..<60).contains(second)
        else { return nil }
        return Double(hour * 3600 + minute * 60) + second
    }

    static func text(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded(.down))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(whole / 3600)):\(two(whole / 60 % 60)):\(two(whole % 60))Z"
    }
}

extension Measures {
    var ifAny: Measures? { count == 0 ? nil : self }
}
