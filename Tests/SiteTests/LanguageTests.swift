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
        ("*", "en"), ("fr;q=0", "en"), ("", "en"), ("fr;q=x", "fr"),
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
        ("fr", 4.25, "4,25"), ("en", 0.07, "0.07"),
    ])
    func `numbers have the decimals that their size deserves`(code: String, number: Double, text: String) throws {
        #expect(try #require(Languages.standard[code]).number(number) == text)
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
