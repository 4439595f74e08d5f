import CityModel
@testable import Open311
import Testing

struct SpanWalkTests {
    @Test(arguments: UInt64(0)..<60)
    func `the parts of a span are all of it, once, and none holds more than can be put in order`(seed: UInt64) throws {
        var generator = Seeded(state: seed)
        let begin = Int64.random(in: -1_000_000_000_000...1_000_000_000_000, using: &generator)
        let length = Int64.random(in: 0...(90 * 86_400_000_000), using: &generator)
        // Crowds, and a few that are alone.
        let crowds = (0..<4).map { _ in Int64.random(in: 0...length, using: &generator) }
        let moments = (0..<60_000).map { number -> Int64 in
            let moment = number % 100 == 0 ? Int64.random(in: 0...length, using: &generator) : crowds[number % 4] + Int64.random(in: -3_600_000_000...3_600_000_000, using: &generator)
            return begin + min(max(moment, 0), length)
        }.sorted()
        let distinct = Set(moments).sorted()
        func count(_ slice: ClosedRange<Instant>) -> Int {
            distinct.partitioned { $0 > slice.upperBound.microseconds } - distinct.partitioned { $0 >= slice.lowerBound.microseconds }
        }
        var walk = SpanWalk(Instant(microseconds: begin)...Instant(microseconds: begin + length))
        var (end, found, steps) = (begin + length, 0, 0)
        while let slice = walk.slice {
            steps += 1
            try #require(steps < 1000)
            #expect(slice.upperBound.microseconds == end)
            #expect(slice.lowerBound.microseconds >= begin)
            let inside = count(slice)
            if inside > 20_000, walk.narrow() { continue }
            #expect(inside <= 20_000)
            found += inside
            end = slice.lowerBound.microseconds - 1
            walk.passed(count: inside)
        }
        #expect(end == begin - 1)
        #expect(found == distinct.count)
    }

    @Test func `an empty span of 90 days takes few steps, and what is too much at one moment is told`() {
        var walk = SpanWalk(Instant(seconds: 0)...Instant(seconds: 90 * 86_400))
        var count = 0
        while walk.slice != nil {
            walk.passed(count: 0)
            count += 1
        }
        #expect(count == 7)
        var narrow = SpanWalk(Instant(seconds: 0)...Instant(seconds: 90 * 86_400))
        while narrow.narrow() { count += 1 }
        #expect(narrow.slice.map { $0.upperBound.microseconds - $0.lowerBound.microseconds } == 999)
    }

    @Test(arguments: [
        ("", "2025-12-01T12:00:00Z", "2026-03-01T12:00:00Z"), ("start_date=2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T12:00:00Z"),
        ("start_date=2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", "2020-03-31T00:00:00Z"), ("end_date=2020-03-31", "2020-01-01T00:00:00Z", "2020-03-31T00:00:00Z"),
        ("start_date=2030-01-01T00:00:00Z", "2030-01-01T00:00:00Z", "2030-01-01T00:00:00Z"), ("start_date=2020-01-01T01:00:00+01:00&end_date=", "2020-01-01T00:00:00Z", "2020-03-31T00:00:00Z"),
    ])
    func `a span with one end has 90 days, one with none ends now`(query: String, begin: String, end: String) throws {
        let search = try RequestSearch(Example.request(query), .init())
        #expect(search.span == Instant(begin)!...Instant(end)!)
    }

    @Test func `pages reach as far as 100 000 requests`() throws {
        #expect(try RequestSearch(Example.request("page=100"), .init()).offset == 99_000)
        #expect(throws: Open311Fault.self) { try RequestSearch(Example.request("page=101"), .init()) }
    }
}

extension [Int64] {
    /// Where the first stands of which something holds that holds of all after it.
    fileprivate func partitioned(_ isAfter: (Int64) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isAfter(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// SplitMix64.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
