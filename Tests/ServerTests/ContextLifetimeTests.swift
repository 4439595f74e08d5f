import NIOHTTP1
@testable import Server
import Testing

@Suite struct ContextLifetimeTests {
    /// Clause 6.3.16.
    @Test(arguments: [
        ([:], nil), (["Cache-Control": "max-age=300"], 300), (["Cache-Control": "public, max-age=300, s-maxage=60"], 60),
        (["Cache-Control": "no-store"], 0), (["Cache-Control": "max-age=soon"], 0), (["Cache-Control": "max-age=300", "Age": "100"], 200),
        (["Expires": "0"], 0), (["Expires": "Sun, 06 Nov 1994 08:50:37 GMT", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"], 60),
        (["Expires": "Sun, 06 Nov 1994 08:48:37 GMT", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"], 0),
        (["Cache-Control": "max-age=10", "Expires": "Sun, 06 Nov 2094 08:49:37 GMT"], 10),
    ] as [([String: String], Double?)])
    func `a document lives as long as its origin says`(headers: [String: String], seconds: Double?) {
        #expect(ContextLifetime.seconds(HTTPHeaders(headers.map { ($0.key, $0.value) })) == seconds)
    }
}
