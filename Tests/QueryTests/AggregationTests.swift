import CityModel
import Query
import RandomEntities
import Testing

/// Aggregates against a computation that keeps everything (tables 4.5.19.1-1 to -3).
@Suite struct AggregationTests {
    private func aggregate(_ values: [JSON], kind: AttributeKind = .property) throws -> Aggregation {
        var aggregation = Aggregation(countsDistinct: true)
        for value in values { try aggregation.add(value, kind: kind) }
        return aggregation
    }

    private func results(_ values: [JSON], kind: AttributeKind = .property) throws -> [AggregationMethod: JSON] {
        let aggregation = try aggregate(values, kind: kind)
        var results: [AggregationMethod: JSON] = [:]
        for method in AggregationMethod.allCases { results[method] = aggregation.result(method) }
        return results
    }

    /// Clause 4.5.19.1.
    @Test(arguments: UInt64(0)..<100)
    func `numbers are aggregated as a naive computation does`(seed: UInt64) throws {
        var generator = SplitMix(seed: seed)
        let offset = seed.isMultiple(of: 2) ? 0.0 : 1e6
        let numbers = (0..<Int.random(in: 1...200, using: &generator)).map { _ in
            (Double.random(in: -100...100, using: &generator) * 8).rounded() / 8 + offset
        }
        let results = try results(numbers.map { $0 == $0.rounded() ? .integer(Int64($0)) : .number($0) })
        let mean = numbers.reduce(0, +) / Double(numbers.count)
        let deviation = (numbers.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(numbers.count)).squareRoot()
        func isClose(_ method: AggregationMethod, _ expected: Double) -> Bool {
            guard let value = results[method]?.doubleValue else { return false }
            return abs(value - expected) <= max(1e-9 * abs(expected), 1e-9)
        }
        #expect(isClose(.avg, mean))
        #expect(isClose(.stddev, deviation) || abs((results[.stddev]?.doubleValue ?? -1) - deviation) < 1e-6)
        #expect(isClose(.sum, numbers.reduce(0, +)))
        #expect(isClose(.sumsq, numbers.map { $0 * $0 }.reduce(0, +)))
        #expect(results[.min]?.doubleValue == numbers.min())
        #expect(results[.max]?.doubleValue == numbers.max())
        #expect(results[.totalCount] == .integer(Int64(numbers.count)))
        #expect(results[.distinctCount] == .integer(Int64(Set(numbers).count)))
    }

    @Test func `large values that are close keep their deviation`() throws {
        let deviation = try results([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16].map { .number($0) })[.stddev]?.doubleValue
        #expect(abs((deviation ?? 0) - 22.5.squareRoot()) < 1e-9)
    }

    /// Clause 4.5.19.1.
    @Test func `true counts as one and false as none`() throws {
        let results = try results([true, false, true, true])
        #expect(results[.avg] == 0.75)
        #expect(results[.sum] == 3.0)
        #expect(results[.distinctCount] == 2)
    }

    /// Clause 4.5.19.1.
    @Test func `texts have a first and a last and no average`() throws {
        let results = try results(["pear", "apple", "zebra", "apple"])
        #expect(results[.min] == "apple")
        #expect(results[.max] == "zebra")
        #expect(results[.distinctCount] == 3)
        #expect(results[.totalCount] == 4)
        for method in [AggregationMethod.avg, .sum, .sumsq, .stddev] { #expect(results[method] == nil) }
    }

    /// Clause 4.5.19.1.
    @Test func `arrays count by their size`() throws {
        let results = try results([[1, 2, 3], [], ["a"]])
        #expect(results[.sum] == 4.0)
        #expect(results[.max] == 3.0)
        #expect(results[.min] == 0.0)
        for method in [AggregationMethod.stddev, .sumsq] { #expect(results[method] == nil) }
    }

    /// Clause 4.5.19.1.
    @Test func `times of day have an average`() throws {
        let times: [JSON] = [["@type": "Time", "@value": "08:00:00Z"], ["@type": "Time", "@value": "09:30:00Z"]]
        let results = try results(times)
        #expect(results[.avg] == "08:45:00Z")
        #expect(results[.min] == "08:00:00Z")
        #expect(results[.max] == "09:30:00Z")
        let dates = try self.results([["@type": "Date", "@value": "2026-01-02"], ["@type": "Date", "@value": "2026-01-01"]])
        #expect(dates[.min] == "2026-01-01")
        #expect(dates[.avg] == nil)
    }

    /// Clause 4.5.19.1.
    @Test func `relationships are counted and nothing else`() throws {
        let results = try results(["urn:x:1", ["urn:x:1", "urn:x:2"]], kind: .relationship)
        #expect(results == [.distinctCount: 2, .totalCount: 2])
    }

    /// Clause 4.5.19.1.
    @Test func `objects are counted and nothing else`() throws {
        let results = try results([["a": 1], ["a": 1]])
        #expect(results == [.distinctCount: 1, .totalCount: 2])
    }

    @Test func `distinct values of a period are bounded`() throws {
        var aggregation = Aggregation(countsDistinct: true)
        for number in 0..<Aggregation.distinctCountMax { try aggregation.add(.integer(Int64(number)), kind: .property) }
        #expect(throws: CityError.self) { try aggregation.add(.integer(-1), kind: .property) }
        var other = Aggregation(countsDistinct: false)
        for number in 0...Aggregation.distinctCountMax { try other.add(.integer(Int64(number)), kind: .property) }
        #expect(other.result(.distinctCount) == nil)
    }
}
