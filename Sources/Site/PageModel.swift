internal import Broker
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections

/// One page as it is put together: who reads it, what it is about, and what its template is filled with.
struct PageModel {
    enum Name: String, CaseIterable { case map, table, explore, sources, about, signin, code, setup, account, factor, tokens, data, erase, services, report, `case`, desk, deskcase, figures, measures, measure, deskmeasures, deskmeasure, error }

    let name: Name
    let preferences: Preferences
    let clock: ClockText
    var members: JSONObject
    /// What the scripts find in the page.
    var boot: JSONObject

    var language: Language { preferences.language }

    /// What all pages have in common.
    init(_ name: Name, _ door: SiteDoor, _ request: DoorRequest, _ catalogue: Catalogue, cursor: EventPosition, on: Set<String>? = nil) {
        self.name = name
        preferences = Preferences(request, door.languages)
        let language = preferences.language
        clock = ClockText(zone: door.configuration.timeZone, language: language)
        let layers = door.layers(catalogue, language, on: on)
        boot = [
            "language": .string(language.code), "locale": .string(language.locale), "zone": .string(door.configuration.timeZone),
            "strings": language.script, "values": .object(language.values), "now": .integer(request.now.milliseconds), "cursor": .string(cursor.text), "layers": layers,
        ]
        members = [
            "language": language.about, "page": language.page, "theme": .string(preferences.theme),
            "title": .string(language.text("\(name.rawValue).title")), "site": ["name": .string(door.configuration.name)],
            "assets": .string(door.assets.base), "path": .string(Self.path(request)),
            "at": .object(JSONObject(uniqueKeysWithValues: Name.allCases.dropLast().map { ($0.rawValue, .bool($0 == name)) })),
            "accountLink": door.accountLink(request).map(JSON.string) ?? .null,
            "onDesk": .bool([.desk, .deskcase, .deskmeasures, .deskmeasure].contains(name)), "accountLabel": .string(language.text(request.session == nil ? "account.signIn" : "account.link")),
            "languages": .array(door.languages.all.map { ["code": .string($0.code), "name": .string($0.name), "isChosen": .bool($0.code == language.code)] }),
        ]
    }

    private static func path(_ request: DoorRequest) -> String {
        let query = PageAddress(pairs: request.query.pairs.map { ($0.name, $0.value) }).query
        return query.isEmpty ? request.path : "\(request.path)?\(query)"
    }

    /// The municipalities for a choice.
    mutating func addMunicipalities(_ catalogue: Catalogue, selected: String?) {
        members["municipalities"] = .array(
            catalogue.municipalities.map { ["key": .string($0.key), "name": .string($0.name), "selected": .bool($0.key == selected)] })
    }
}

/// A query string in the making. Empty values are left out.
struct PageAddress {
    var pairs: [(name: String, value: String)]

    var query: String {
        pairs.filter { !$0.value.isEmpty }.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }.joined(separator: "&")
    }

    /// The same with other values; an empty one takes its name away.
    func with(_ changes: [(name: String, value: String)]) -> PageAddress {
        let names = Set(changes.map(\.name))
        return PageAddress(pairs: pairs.filter { !names.contains($0.name) } + changes)
    }
}

extension SiteDoor {
    /// The page as an answer.
    /// - Parameter headers: in the place of those of the same name that all pages have.
    func answer(_ page: PageModel, _ request: DoorRequest, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) throws -> Response {
        var members = page.members
        // A `<` could end the script element that holds this.
        members["boot"] = .string(JSON.object(page.boot).description.replacing("<", with: "\\u003c"))
        let text = try templates.render(page.name.rawValue, members)
        return Answers.body(Array(text.utf8), type: "text/html; charset=utf-8", status: status, request, headers: pageHeaders(headers))
    }

    private func pageHeaders(_ own: HTTPFields) -> HTTPFields {
        var headers: HTTPFields = [
            .contentSecurityPolicy: """
                default-src 'self'; img-src 'self' data:\(tileOrigin.map { " " + $0 } ?? ""); style-src 'self'; script-src 'self'; \
                object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'
                """,
            .xContentTypeOptions: "nosniff", .referrerPolicy: "same-origin", .cacheControl: "no-store",
            .permissionsPolicy: "camera=(), geolocation=(), microphone=()", .crossOriginOpenerPolicy: "same-origin", .vary: "Cookie, Accept-Language",
        ]
        for field in own { headers[field.name] = field.value }
        return headers
    }

    /// Where the head of a page leads those who want to sign in, and those who have.
    fileprivate func accountLink(_ request: DoorRequest) -> String? {
        guard configuration.showsAccounts else { return nil }
        if request.session != nil { return "/account" }
        let isForm = request.path.hasPrefix("/sign-in") || request.path.hasPrefix("/account")
        return isForm ? "/sign-in" : "/sign-in?" + PageAddress(pairs: [("return", request.path)]).query
    }

    /// Scheme and host of the tile server; nil without one, and for an address that is none.
    var tileOrigin: String? {
        guard let url = configuration.tileURL, let scheme = ["https://", "http://"].first(where: { url.hasPrefix($0) }) else { return nil }
        let host = url.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" }.replacing("{s}", with: "*")
        let isHost = !host.isEmpty && host.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".-:*".contains($0)) }
        return isHost ? scheme + host : nil
    }

    /// Where the journals stand, for the scripts to go on from. To be taken before the values that a page shows.
    func cursor(_ catalogue: Catalogue) -> EventPosition {
        var position = EventPosition()
        for municipality in catalogue.municipalities.prefix(EventPosition.countMax) {
            // One that was removed a moment ago has no journal to follow.
            if let newest = try? broker.newestChange(municipality.access) { position[municipality.key] = newest }
        }
        return position
    }
}
