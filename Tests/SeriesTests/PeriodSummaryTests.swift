@testable import Series
import Testing

/// Summaries of periods come back as they were, and what was not written by their encoder is refused.
@Suite struct PeriodSummaryTests {
    private static let hour: Int64 = 3_600_000_000

    private func summaries(_ count: Int) -> [PeriodSummary] {
        (0..<count).map { index in
            let start = Int64(index) * 3 * Self.hour - 50 * Self.hour
            var summary = PeriodSummary(Double(index) / 10, at: start + Int64(index), start: start, end: start + Self.hour)
            for minute in 1..<(1 + index % 60) {
                let value = [0.1 * Double(minute), -0.0, 1e300, .pi, Double(minute)][(index + minute) % 5]
                summary.add(PeriodSummary(value, at: start + Int64(minute) * 60_000_000, start: start, end: start + Self.hour))
            }
            return summary
        }
    }

    @Test(arguments: [1, 2, 100, SummaryChunk.countMax]) func `summaries come back to the last bit`(count: Int) throws {
        let all = summaries(count)
        #expect("\(try SummaryChunk.decode(SummaryChunk.encode(all)))" == "\(all)")
    }

    @Test func `what is in no order, too much or nothing is not packed`() {
        let all = summaries(SummaryChunk.countMax + 1)
        for wrong in [[], all, [all[1], all[0]], [all[0], all[0]]] { #expect(throws: SeriesError.notASeries) { try SummaryChunk.encode(wrong) } }
    }

    @Test func `any byte that is another one is noticed`() throws {
        let bytes = try SummaryChunk.encode(summaries(20))
        for position in bytes.indices {
            var damaged = bytes
            damaged[position] ^= 0x41
            #expect(throws: SeriesError.self) { try SummaryChunk.decode(damaged) }
        }
        for count in [0, 7, 15, bytes.count - 1] { #expect(throws: SeriesError.self) { try SummaryChunk.decode(Array(bytes.prefix(count))) } }
    }

    @Test func `the parts of a period are the whole, in whichever order they are added`() {
        let parts = (0..<40).map { (number: Int) -> PeriodSummary in
            let (value, time) = (Double(number * 7 % 11) / 8, Int64(number * 13 % 40))
            return PeriodSummary(value, at: time, start: 0, end: 100)
        }
        func sum(_ parts: [PeriodSummary]) -> PeriodSummary {
            var sum = parts[0]
            for part in parts.dropFirst() { sum.add(part) }
            return sum
        }
        #expect(sum(parts) == sum(parts.reversed()))
        #expect(sum(parts).first.value == 0 && sum(parts).measures.count == 40 && sum(parts).points == nil)
        #expect(sum(Array(parts.prefix(2))).points?.map(\.time) == [0, 13])
    }
}
