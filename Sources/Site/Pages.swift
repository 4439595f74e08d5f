internal import CityModel
package import Door
internal import HTTPTypes
package import Hummingbird
internal import OrderedCollections

/// `/`, `/about`, the page that says that there is no such page, and `/preferences`.
extension SiteDoor {
    var pageRoutes: [Route] {
        let page = Route.Answer(200, "The page", mediaTypes: ["text/html"])
        return [
            Route(
                .get, "/", "The city on a map", tag: Self.pagesTag,
                parameters: [
                    .init("municipality", in: .query, "The chosen municipality"), .init("types", in: .query, "Layers that are on"),
                    .init("view", in: .query, "latitude,longitude,zoom"), .init("entity", in: .query, "The open place: municipality and identifier"),
                ], responses: [page], handler: mapPage),
            Route(.get, "/about", "About these pages", tag: Self.pagesTag, responses: [page], handler: aboutPage),
            Route(
                .get, "/sources", "Where the data comes from", tag: Self.pagesTag,
                responses: [.init(200, "The page, or the sources as JSON", mediaTypes: ["text/html", "application/json"])], handler: sourcesPage),
            Route(
                .get, "/preferences", "Keeps a reader's language and colours in cookies", tag: Self.pagesTag,
                parameters: [
                    .init("lang", in: .query, "A language's code"),
                    .init("theme", in: .query, "light or dark", schema: ["type": "string", "enum": ["light", "dark"]]),
                    .init("return", in: .query, "The page to go back to"),
                ], responses: [.init(303, "Back")], handler: preferences),
        ]
    }

    /// Municipalities whose boxes a page carries; the others are shown with all.
    private static let boxCountMax = 200

    private func mapPage(_ request: DoorRequest) async throws -> Response {
        let catalogue = try await city.catalogue(request)
        let on = request.query["types"].map { Set($0.split(separator: ",").prefix(200).map(String.init)) }
        var page = PageModel(.map, self, request, catalogue, cursor: cursor(catalogue), on: on)
        page.addMunicipalities(catalogue, selected: request.query["municipality"])
        let language = page.language
        page.members["modules"] = .array(Assets.modules.map(JSON.string))
        page.members["now"] = [
            "iso": .string(Instant(seconds: request.now.seconds).description), "clock": .string(page.clock.clock(request.now)),
            "day": .string(page.clock.day(request.now)),
        ]
        page.members["layers"] = .array(
            (page.boot["layers"]?.arrayValue ?? []).map { layer in
                var layer = layer.objectValue ?? [:]
                layer["countText"] = .string(language.count(Int(layer["count"]?.integerValue ?? 0)))
                return .object(layer)
            })
        page.boot["bbox"] = catalogue.box.json
        page.boot["boxes"] = .object(
            JSONObject(
                catalogue.municipalities.prefix(Self.boxCountMax).compactMap { municipality in municipality.box.map { (municipality.key, $0.json) } },
                uniquingKeysWith: { first, _ in first }))
        page.boot["tiles"] = tileOrigin == nil ? .null : [
            "url": .string(configuration.tileURL ?? ""), "attribution": .string(configuration.tileAttribution ?? ""), "maxZoom": 19,
        ]
        return try answer(page, request)
    }

    private func aboutPage(_ request: DoorRequest) async throws -> Response {
        let catalogue = try await city.catalogue(request)
        var page = PageModel(.about, self, request, catalogue, cursor: cursor(catalogue))
        page.members["simulated"] = .bool(catalogue.isSimulated)
        if let tileOrigin { page.members["tileHost"] = .string(tileOrigin) }
        return try answer(page, request)
    }

    /// The page for addresses that lead nowhere; nil for a request that does not want a page.
    package func notFound(_ request: DoorRequest) async throws -> Response? {
        guard request.method == .get || request.method == .head,
            Acceptance.choose(request.headers[.accept], offers: ["application/problem+json", "text/html"]) == "text/html"
        else { return nil }
        let catalogue = try await city.catalogue(request)
        return try answer(PageModel(.error, self, request, catalogue, cursor: cursor(catalogue)), request, status: .notFound)
    }
}

extension BoundingBox {
    /// west, south, east, north.
    var json: JSON { .array([west, south, east, north].map { .number($0.fiveDecimals) }) }
}
