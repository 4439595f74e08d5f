import Door
import HTTPTypes
import Hummingbird
import Testing

@Suite struct BrowserSessionTests {
    private func field(_ headers: HTTPFields, _ authority: String?) -> String? {
        BrowserCookie.session.field("s", for: headers, authority: authority)?.value
    }

    @Test func `over HTTPS the cookie is for this host alone and for no script`() {
        #expect(field([.forwardedProto: "https"], "city.example") == "__Host-conurb=s; Path=/; HttpOnly; Secure; SameSite=Lax")
        #expect(BrowserCookie.session.value([.forwardedProto: "https", .cookie: "a=b; __Host-conurb=s"], authority: "city.example") == "s")
        #expect(BrowserCookie.session.value([.forwardedProto: "https", .cookie: "conurb-session=s"], authority: "city.example") == nil)
    }

    @Test(arguments: ["localhost", "localhost:1026", "127.0.0.1:1026", "127.8.9.1", "[::1]:1026", "LOCALHOST"])
    func `without HTTPS there is a cookie on the machine itself`(authority: String) {
        #expect(field([:], authority) == "conurb-session=s; Path=/; HttpOnly; SameSite=Lax")
        #expect(BrowserCookie.session.value([.cookie: "conurb-session=s"], authority: authority) == "s")
        #expect(BrowserCookie.session.value([.cookie: "__Host-conurb=s"], authority: authority) == nil)
    }

    @Test(arguments: ["city.example", "127.evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "127.0.0.256", "", nil])
    func `and nowhere else`(authority: String?) {
        #expect(field([:], authority) == nil)
        #expect(BrowserCookie.session.value([.cookie: "conurb-session=s; __Host-conurb=s"], authority: authority) == nil)
    }

    private static let verdicts: [(headers: HTTPFields, verdict: RequestOrigin.Verdict)] = [
        ([.secFetchSite: "same-origin"], .own), ([.secFetchSite: "cross-site"], .foreign), ([.secFetchSite: "same-site"], .foreign),
        ([.secFetchSite: "none"], .foreign), ([.origin: "http://city.example:1026"], .own), ([.origin: "HTTP://CITY.example:1026"], .own),
        ([.origin: "https://city.example:1026"], .foreign), ([.origin: "http://city.example"], .foreign), ([.origin: "http://evil.example"], .foreign),
        ([.origin: "null"], .foreign), ([.origin: ""], .foreign), ([.origin: "http://city.example:1026", .secFetchSite: "cross-site"], .foreign), ([:], .unknown),
        ([.origin: "https://city.example:1026", .forwardedProto: "https"], .own), ([.origin: "http://city.example:1026", .forwardedProto: "https"], .foreign),
    ]

    @Test(arguments: verdicts) func `a request is our own when the browser says so`(headers: HTTPFields, verdict: RequestOrigin.Verdict) {
        #expect(RequestOrigin.verdict(headers, authority: "city.example:1026") == verdict)
    }
}
