internal import CityModel
internal import Door
internal import Hummingbird
internal import OrderedCollections

/// `/explore`: what was measured over time, compared.
extension SiteDoor {
    /// As many as can be told apart.
    static let seriesCountMax = 8

    private static let show = Route.Parameter(
        "show", in: .query, "time, or week for what is usual at each hour of the week", schema: ["type": "string", "enum": ["time", "week"]])

    private static let exploreParameters: [Route.Parameter] = [
        .init("series", in: .query, "Municipality, attribute and identifier with spaces between; up to \(seriesCountMax) of them, each a parameter of its own"),
        .init("from", in: .query, "Where the span begins", schema: ["type": "string", "format": "date-time"]),
        .init("to", in: .query, "Where it ends", schema: ["type": "string", "format": "date-time"]),
    ]

    var exploreRoutes: [Route] {
        [
            Route(
                .get, "/explore", "What was measured over time, compared", tag: Self.pagesTag,
                parameters: Self.exploreParameters + [
                    .init("last", in: .query, "Instead of from and to: so long before now, such as P7D"),
                    Self.show,
                    .init("kind", in: .query, "The type to choose from"), .init("measure", in: .query, "The attribute to choose"),
                    .init("municipality", in: .query, "The municipality to choose from"),
                ], responses: [.init(200, "The page", mediaTypes: ["text/html"])], handler: explorePage),
            Route(
                .get, "/explore.csv", "What /explore shows as CSV", tag: Self.pagesTag,
                parameters: Self.exploreParameters + [
                    Self.show,
                    .init("points", in: .query, "How many rows of each series at most", schema: ["type": "integer", "minimum": .integer(Int64(Self.pointCounts.lowerBound)), "maximum": .integer(Int64(Self.pointCounts.upperBound))]),
                ], responses: [.init(200, "One row for each point of each series, or for each hour of its usual week", mediaTypes: ["text/csv"])], handler: exploreDownload),
        ]
    }

    private func explorePage(_ request: DoorRequest) async throws -> Response {
        let catalogue = try await city.catalogue(request)
        var page = PageModel(.explore, self, request, catalogue, cursor: cursor(catalogue))
        page.addMunicipalities(catalogue, selected: request.query["municipality"])
        let language = page.language
        let kinds = catalogue.entries.filter { !$0.measures.isEmpty }
        page.members["kinds"] = .array(
            kinds.map { ["key": .string($0.key), "label": .string(language.type($0.shortName)), "selected": .bool($0.key == request.query["kind"])] })
        page.members["hasKinds"] = .bool(!kinds.isEmpty)
        page.members["zone"] = .string(configuration.timeZone)
        page.boot["kinds"] = .array(
            kinds.map { kind in
                [
                    "key": .string(kind.key), "label": .string(language.type(kind.shortName)), "placed": .bool(kind.isPlaced),
                    "measures": .array(
                        kind.measures.map { ["key": .string($0.key), "label": .string(language.attribute($0.key, of: kind.shortName))] }),
                ]
            })
        page.boot["seriesCountMax"] = .integer(Int64(Self.seriesCountMax))
        page.boot["bbox"] = catalogue.box.json
        return try answer(page, request)
    }
}
