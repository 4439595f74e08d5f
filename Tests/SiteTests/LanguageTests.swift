internal import CityModel
internal import HTTPTypes
internal import Broker
internal import Hummingbird
internal import OrderedCollections
internal import Store
internal import Testing
@testable internal import Site

@Suite struct LanguageTests {
    @Test(arguments: [
        (nil, "en"), ("fr", "fr"), ("fr-CA,fr;q=0.9,en;q=0.8", "fr"), ("en;q=0.5, fr;q=0.7", "fr"), ("de, it", "en"), ("de, fr;q=0.1", "fr"),
        ("es-419", "es"), ("ar-MA, fr;q=0.8", "ar"), ("de, ar;q=0.2, es;q=0.1", "ar"), ("*", "en"), ("fr;q=0", "en"), ("", "en"), ("fr;q=x", "fr"),
    ] as [(String?, String)])
    func `the language is the best of those asked for`(header: String?, code: String) { #expect(Languages.standard.best(header).code == code) }

    @Test func `a cookie goes before the header, if it names a language`() throws {
        let installation = try Installation()
        func language(_ cookie: String) throws -> String {
            Preferences(try installation.request("/", [.cookie: cookie, .acceptLanguage: "en"]), .standard).language.code
        }
        #expect(try language("lang=fr; theme=dark") == "fr")
        #expect(try language("theme=dark; lang=fr") == "fr")
        #expect(try language("lang=xx") == "en")
    }

    @Test(arguments: [
        ("en", 4.254, "4.25"), ("en", 21.34, "21.3"), ("en", 1013.4, "1013"), ("en", 12_500, "12,500"), ("en", 0, "0"), ("en", -0.001, "0"), ("en", -3.5, "-3.5"), ("en", 9.999, "10"),
        ("fr", 4.25, "4,25"), ("en", 0.07, "0.07"), ("es", 12_500.4, "12.500"), ("es", 1013, "1013"), ("ar", 4.25, "4.25"), ("ar", 12_500, "12,500"), ("ar", -3.5, "\u{200E}-3.5"),
    ])
    func `numbers have the decimals that their size deserves`(code: String, number: Double, text: String) throws {
        #expect(try #require(Languages.standard[code]).number(number) == text)
    }

    @Test(arguments: [
        ("en", "20 Nov 2026, 22:39", "Friday 20 November"), ("fr", "20 nov. 2026, 22:39", "vendredi 20 novembre"),
        ("es", "20 nov 2026, 22:39", "viernes, 20 de noviembre"), ("ar", "20 نوفمبر، 2026، 22:39", "الجمعة، 20 نوفمبر"),
    ])
    func `moments are written as the language writes them, with digits that all read`(code: String, dateTime: String, day: String) throws {
        let clock = ClockText(zone: "Europe/Paris", language: try #require(Languages.standard[code]))
        #expect(clock.dateTime(Instant(seconds: 1_795_210_740)) == dateTime)
        #expect(clock.day(Instant(seconds: 1_795_210_740)) == day)
    }

    @Test func `what a text is filled with keeps the direction of its own words`() throws {
        let arabic = try #require(Languages.standard["ar"])
        #expect(arabic.direction == .rightToLeft && Languages.standard.all.filter { $0.direction == .rightToLeft }.count == 1)
        #expect(arabic.text("data.from", ["source": "Air (Valmère)"]) == "المصدر: \u{2068}Air (Valmère)\u{2069}.")
        #expect(try #require(Languages.standard["en"]).text("data.from", ["source": "Air"]) == "It came from Air.")
    }

    @Test(arguments: [
        ("availableSpotNumber", "Available spot number"), ("PM10Level", "PM10 level"), ("LAeq", "L aeq"), ("service_code", "Service code"),
        ("name", "Name"), ("HTTPServer", "HTTP server"),
    ])
    func `names of the data model become words`(name: String, words: String) { #expect(Words.split(name) == words) }

    @Test(arguments: [("Hôpital Élie", "hopital elie"), ("ÉCOLE", "ecole"), ("Rue 7", "rue 7")])
    func `case and accents do not tell names apart`(name: String, folded: String) { #expect(Words.folded(name) == folded) }

    @Test(arguments: [
        ("/table?x=1", "/table?x=1"), ("//example.org", "/"), ("/\\example.org", "/"), ("https://example.org", "/"), (nil, "/"), ("", "/"),
        ("/a b\r\nSet-Cookie: x", "/a%20b%0D%0ASet-Cookie:%20x"), ("/é", "/%C3%A9"),
    ] as [(String?, String)])
    func `preferences lead back to our own pages only`(wanted: String?, target: String) { #expect(Preferences.safeReturn(wanted) == target) }

    @Test func `preferences set known values only`() async throws {
        let installation = try Installation()
        let known = try await installation.get("/preferences?lang=fr&theme=dark&return=/about").response
        #expect(known.status == .seeOther)
        #expect(known.headers[.location] == "/about")
        #expect(known.headers[values: .setCookie] == ["lang=fr; Path=/; Max-Age=31536000; SameSite=Lax", "theme=dark; Path=/; Max-Age=31536000; SameSite=Lax"])
        let unknown = try await installation.get("/preferences?lang=xx&theme=pink").response
        #expect(unknown.headers[values: .setCookie].isEmpty)
    }
}
