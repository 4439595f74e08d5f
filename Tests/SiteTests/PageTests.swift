internal import CityModel
internal import HTTPTypes
internal import Broker
internal import Hummingbird
internal import OrderedCollections
internal import Testing
@testable internal import Site
internal import Store
internal import Trust

@Suite struct PageTests {
    static let pages = ["/", "/table", "/table?type=AirQualityObserved", "/table?q=nothing-is-called-this", "/explore", "/sources", "/about", "/figures/services", "/measures"]

    private func installation() async throws -> Installation {
        let installation = try Installation()
        try await installation.write([Sample.area("Municipality", "v", name: "Valmère", around: (3.2, 48.6))])
        try await installation.write([
            Sample.station("1", name: "<script>alert(1)</script> & \"Rue\"", 10), Sample.station("2", name: "Émile", 30, at: (3.25, 48.65)),
            Sample.entity("Streetlight", "9", at: (3.22, 48.6), ["powerState": "on"], observedAt: Installation.now),
        ])
        let file = try installation.store.file(try installation.name("valmere"))
        try await file.write { transaction in
            try transaction.put(
                .source, "air",
                [
                    "title": "Air <b>", "classification": "open", "steward": "Environment", "entity": ["type": "AirQualityObserved"],
                    "licence": ["name": "Evil", "url": "javascript:alert(1)"],
                ], at: Installation.now)
            let run = try transaction.beginImportRun(source: "air", version: "1", at: Installation.now)
            try transaction.finishImportRun(
                run, report: ["accepted": 90, "unchanged": 9, "rejected": 1, "rules": [["rule": "range", "count": 1]]], at: Installation.now)
        }
        return installation
    }

    @Test(arguments: pages, ["ar", "en", "es", "fr"])
    func `every page is complete, escaped and strict`(target: String, language: String) async throws {
        let (response, body) = try await installation().get(target, [.acceptLanguage: language, .accept: "text/html"])
        let text = String(decoding: body, as: UTF8.self)
        #expect(response.status == .ok)
        #expect(response.headers[.contentType] == "text/html; charset=utf-8")
        let policy = try #require(response.headers[.contentSecurityPolicy])
        #expect(policy.contains("script-src 'self'") && policy.contains("object-src 'none'") && !policy.contains("unsafe"))
        #expect(response.headers[.xContentTypeOptions] == "nosniff")
        #expect(response.headers[.cacheControl] == "no-store")
        #expect(text.contains("<html lang=\"\(language)\" dir=\"\(language == "ar" ? "rtl" : "ltr")\""))
        for name in ["English", "Français", "Español", "العربية"] { #expect(text.contains(">\(name)</button>"), "\(name)") }
        #expect(text.contains("value=\"\(language)\" lang=\"\(language)\" aria-current=\"true\""))
        #expect(text.hasSuffix("</html>\n"))
        #expect(!text.contains("{{") && !text.contains("Optional(") && !text.contains("<script>alert") && !text.contains("href=\"javascript"))
        #expect(text.contains("Valmère &amp; Co"))
        let boot = try #require(text.split(separator: "id=\"boot\">").last?.split(separator: "</script>").first)
        #expect(!boot.contains("<"))
        #expect(try JSON(parsing: String(boot))["layers"]?.arrayValue?.isEmpty == false)
    }

    @Test(arguments: PageModel.Name.allCases)
    func `every key that a template asks for is filled`(page: PageModel.Name) async throws {
        let installation = try await installation()
        let catalogue = try await installation.door.city.catalogue(for: .everybody, at: Installation.now)
        let recorder = TemplateKeys(template: try #require(SiteFiles.text("\(page.rawValue).mustache")))
        let model = PageModel(page, installation.door, try installation.request("/"), catalogue, cursor: .init())
        let known = Set(model.members.keys).union(Self.ownKeys[page] ?? [])
        let missing = recorder.topLevel.filter { key in !known.contains(String(key.split(separator: ".")[0])) }
        #expect(missing.isEmpty)
        for language in Languages.standard.all {
            for key in recorder.all where key.hasPrefix("page.") {
                #expect(language.text(String(key.dropFirst(5))) != String(key.dropFirst(5)), "\(language.code): \(key)")
            }
        }
    }

    private static let caseKeys: Set<String> = [
        "heading", "reference", "address", "status", "step", "due", "description", "answers", "hasAnswers", "photos", "hasPhotos", "events",
    ]

    /// What the pages add to what all have; `every page is complete` renders them.
    private static let ownKeys: [PageModel.Name: Set<String>] = [
        .map: ["modules", "now", "municipalities", "layers"],
        .table: ["types", "municipalities", "query", "sorts", "sizes", "showing", "pageOf", "csvHref", "geojsonHref", "rows", "columns"],
        .sources: ["sources"],
        .signin: ["municipalities", "choice", "municipality", "login", "return", "possible", "provider", "fault"], .code: ["return", "fault"],
        .setup: ["open", "action", "municipality", "person", "login", "fault"],
        .account: [
            "person", "login", "municipality", "roles", "endsAt", "formToken", "hasPassword", "hasFactor", "recoveryText", "fault", "done", "sessions",
        ],
        .factor: ["formToken", "lead", "mustEnrol", "secret", "link", "picture", "size", "hasCodes", "codes", "fault"],
        .tokens: ["formToken", "fault", "done", "text", "hasTokens", "tokens", "name", "rights", "days", "types"],
        .data: [
            "lead", "identifier", "formToken", "fault", "done", "hasHeld", "held", "more", "onlookers", "hasConsents", "consents", "hasUses", "uses", "older",
        ],
        .erase: ["lead", "open", "formToken", "hasPassword", "fault"], .services: ["municipality", "choice", "municipalities", "groups"],
        .report: ["heading", "help", "action", "municipality", "formToken", "fields", "faults", "hasFaults", "contact", "privacy", "staff"],
        .case: caseKeys.union(["base", "isNew", "link", "done", "fault"]), .desk: [
            "formToken", "view", "views", "ownViews", "narrowing", "viewName", "viewNameMax", "services", "departments", "districts", "entries", "rows", "count", "return",
        ],
        .deskcase: caseKeys.union(["reporter", "formToken", "base", "fault", "done", "next", "department", "canTransfer", "others", "publicText", "reviewPhotos", "files", "near"]),
        .figures: [
            "lead", "service", "serviceTitle", "isOne", "allHref", "choice", "municipalities", "municipality", "from", "to", "count", "csvHref", "rows", "hasRows", "hasResidents",
            "outcomes", "hasOutcomes", "outcomesHref", "outcomesCount", "answers", "hasAnswers", "channels", "hasChannels", "measuresHref",
        ],
        .measures: ["municipality", "count", "measures", "hasMeasures", "figuresHref", "previous", "next", "choice", "municipalities"],
        .measure: ["municipality", "allHref", "heading", "text", "day", "services", "said", "where", "examples", "weeks", "reports", "beforeDays", "afterDays", "reportNotes", "indicator"],
        .deskmeasures: ["count", "measures", "hasMeasures", "done", "previous", "next"], .deskmeasure: ["heading", "action", "formToken", "faults", "first", "others", "services"],
    ]

    @Test func `the map page has layers, municipalities and an area`() async throws {
        let text = try await installation().text("/?types=Streetlight&municipality=valmere")
        #expect(text.contains("<option value=\"valmere\" selected>Valmère</option>"))
        #expect(text.contains("name=\"types\" value=\"Streetlight\" checked"))
        #expect(!text.contains("name=\"types\" value=\"AirQualityObserved\" checked"))
        #expect(!text.contains("value=\"Municipality\""))
    }

    @Test func `the table sorts, filters and pages`() async throws {
        let installation = try await installation()
        func names(_ target: String) async throws -> [String] {
            let text = try await installation.text(target)
            return text.split(separator: "data-id=\"").dropFirst().map { String($0.prefix { $0 != "\"" }) }.map { String($0.split(separator: ":").last ?? "") }
        }
        #expect(try await names("/table?type=AirQualityObserved&sort=pm25") == ["1", "2"])
        #expect(try await names("/table?type=AirQualityObserved&sort=-pm25") == ["2", "1"])
        #expect(try await names("/table?q=EMILE") == ["2"])
        #expect(try await names("/table").count == 3)
        #expect(try await names("/table?type=Streetlight&page=99&size=7&sort=nonsense") == ["9"])
    }

    @Test(arguments: ["type=Nope", "municipality=nope", "type=AirQualityObserved&sort=nope"])
    func `a download that asks for what is not there is refused`(query: String) async throws {
        let installation = try Installation()
        try await installation.write([Sample.station("1", name: "S", 1)])
        await #expect(throws: CityError.self) { try await installation.get("/table.csv?" + query) }
        #expect(try await installation.text("/table?" + query).contains("urn:ngsi-ld:AirQualityObserved:1"), "the page for people shows what there is")
    }

    @Test(arguments: [("nothing-is-called-this", "No rows"), ("EMILE", "1 row"), ("", "Rows 1 to 3 of 3")])
    func `the table says how many rows it has`(wanted: String, said: String) async throws {
        let text = try await installation().text("/table?q=\(wanted)", [.acceptLanguage: "en"])
        #expect(text.contains("id=\"showing\">\(said)</p>"))
    }

    @Test func `the table is whole, however little time the map has for reading`() async throws {
        let installation = try Installation(limits: { var limits = SiteLimits(); limits.readingSecondsMax = 0; return limits }())
        try await installation.write((0..<30).map { Sample.station("\($0)", name: "S\($0)", 1) })
        #expect(try await installation.text("/table?type=AirQualityObserved").contains("Rows 1 to 25 of 30"))
        #expect(try await installation.text("/table.csv").split(separator: "\r\n").count == 31)
        let map = try Installation(limits: { var limits = SiteLimits(); limits.readingSecondsMax = 0; return limits }())
        try await map.write([Sample.station("1", name: "S", 1)])
        #expect(try await map.json("/live/map?types=AirQualityObserved")["partial"] == true)
        #expect(try await installation.json("/live/map?types=AirQualityObserved")["partial"] == false)
    }

    @Test func `downloads hold the rows and disarm formulas`() async throws {
        let installation = try await installation()
        try await installation.write([Sample.station("3", name: "=HYPERLINK(1)", -4)])
        let csv = try await installation.text("/table.csv?type=AirQualityObserved&sort=name")
        let lines = csv.split(separator: "\r\n")
        #expect(lines.count == 4)
        #expect(lines[0] == "municipality,id,type,name,longitude,latitude,updated,pm25")
        #expect(csv.contains("'=HYPERLINK(1),3.2,48.6,") && csv.contains(",-4.0\r\n"))
        #expect(csv.contains("\"<script>alert(1)</script> & \"\"Rue\"\"\""))
        let features = try await installation.json("/table.geojson?type=AirQualityObserved")["features"]?.arrayValue ?? []
        #expect(features.count == 3)
        #expect(features.allSatisfy { $0["geometry"]?["type"] == "Point" && $0["properties"]?["pm25"] != nil })
    }

    @Test func `sources are a page for people and JSON for programs`() async throws {
        let installation = try await installation()
        let json = try JSON(parsing: try await installation.get("/sources", [.accept: "*/*"]).body)
        let run = json["sources"]?.arrayValue?.first?["lastRun"]
        #expect(run?["rejected"] == 1)
        #expect(run?["quality"]?["passedPercent"] == 99.0)
        #expect((run?["run"]?.integerValue ?? 0) > 0 && run?["version"]?.stringValue != nil)
        let page = try await installation.text("/sources", [.accept: "text/html,application/xhtml+xml,*/*;q=0.8"])
        #expect(page.contains("id=\"valmere-air\"") && page.contains("99\u{202F}%") && page.contains("Air &lt;b&gt;"))
    }

    @Test func `who asks for a page that is not there gets one, programs do not`() async throws {
        let installation = try await installation()
        let page = try await installation.door.notFound(try installation.request("/nowhere", [.accept: "text/html"]))
        #expect(page?.status == .notFound)
        #expect(try await installation.door.notFound(try installation.request("/nowhere", [.accept: "application/json"])) == nil)
        #expect(try await installation.door.notFound(try installation.request("/nowhere")) == nil)
    }

    @Test func `a tile server is allowed by its origin alone`() async throws {
        let installation = try Installation(tileURL: "https://tiles.example.org/{z}/{x}/{y}.png?key=1")
        let response = try await installation.get("/").response
        #expect(response.headers[.contentSecurityPolicy]?.contains("img-src 'self' data: https://tiles.example.org;") == true)
        #expect(try Installation(tileURL: "https://x;script-src *").door.tileOrigin == nil)
    }
}

/// The keys that a template asks for.
struct TemplateKeys {
    private(set) var all: [String] = []
    /// Those outside of every section: nothing but the model can fill them.
    private(set) var topLevel: [String] = []

    init(template: String) {
        var depth = 0
        for part in template.split(separator: "{{").dropFirst() {
            let tag = part.prefix { $0 != "}" }.drop { $0 == "{" }
            switch tag.first {
            case "#", "^": depth += 1
            case "/": depth -= 1
            case ">", "!", nil: continue
            default:
                all.append(String(tag))
                if depth == 0 { topLevel.append(String(tag)) }
            }
        }
    }
}
