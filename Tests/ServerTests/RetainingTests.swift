import CityModel
@testable import Server
import Testing

@Suite struct RetainingTests {
    @Test func `a clock that jumps ahead thins nothing`() {
        let begun = Instant(seconds: 1_795_258_740)
        func isSteady(_ seconds: Double, after elapsed: Duration) -> Bool { Retaining.isSteady(begun.adding(seconds: seconds), since: begun, after: elapsed) }
        #expect(isSteady(0, after: .zero) && isSteady(86_400, after: .zero) && !isSteady(86_401, after: .zero))
        #expect(isSteady(40 * 86_400, after: .seconds(39 * 86_400)) && !isSteady(41 * 86_400, after: .seconds(39 * 86_400)))
        #expect(isSteady(-1e9, after: .zero))
    }
}
