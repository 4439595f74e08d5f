internal import Door
internal import Testing

struct AcceptanceTests {
    private static let json = "application/json", linked = "application/ld+json", geo = "application/geo+json"

    /// Clause 6.3.4.
    @Test(arguments: [
        (nil, json), ("", json), ("*/*", json), ("application/*", json), ("application/ld+json", linked),
        ("application/json;q=0.5, application/ld+json", linked), ("application/ld+json;q=0.5, */*;q=0.9", json),
        ("application/json;q=0, */*", linked), ("APPLICATION/GEO+JSON", geo), ("text/html, application/geo+json;q=0.1", geo),
        ("text/html", nil), ("application/json;q=0", nil), ("nonsense", nil), ("*/*;q=0", nil), (";;,,/", nil),
    ] as [(String?, String?)])
    func `the offer that is preferred most is chosen`(header: String?, expected: String?) {
        #expect(Acceptance.choose(header, offers: [Self.json, Self.linked, Self.geo]) == expected)
    }
}
