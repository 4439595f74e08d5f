internal import CityModel
internal import Door
internal import Hummingbird

/// The endpoints of the pages (`docs/pages.md`, "Endpoints of the pages").
extension SiteDoor {
    static let liveTag = "Answers for pages"
    static let pagesTag = "Pages"

    private static let lang = Route.Parameter("lang", in: .query, "The language of labels")
    private static let municipality = Route.Parameter("municipality", in: .query, "One municipality; all where absent")
    private static let types = Route.Parameter("types", in: .query, "Keys of layers, between commas; all where absent")
    private static let box = Route.Parameter("bbox", in: .query, "west,south,east,north in degrees (WGS 84)")
    private static let moment = Route.Parameter(
        "at", in: .query, "A moment of the last 24 hours; now where absent", schema: ["type": "string", "format": "date-time"])
    private static let id = Route.Parameter("id", in: .query, "An entity's identifier", schema: ["type": "string", "format": "uri"], isRequired: true)
    private static let limit = Route.Parameter("limit", in: .query, "How many to answer", schema: ["type": "integer", "minimum": 1, "maximum": 50])
    private static let answer = Route.Answer(200, "What is asked for", mediaTypes: ["application/json"], schema: ["type": "object"])

    private static let seriesParameters: [Route.Parameter] = [
        municipality, id, .init("attribute", in: .query, "The attribute's key", isRequired: true),
        .init("from", in: .query, "Where the span begins", schema: ["type": "string", "format": "date-time"]),
        .init("to", in: .query, "Where it ends", schema: ["type": "string", "format": "date-time"]), lang,
    ]

    var liveRoutes: [Route] {
        [
            live("layers", "The layers of the map, with counts and scales", [Self.municipality, Self.lang], layersAnswer),
            live(
                "map", "What a map shows: entities, or groups of them",
                [Self.types, Self.box, .init("zoom", in: .query, "The map's zoom, which sets the size of groups", schema: ["type": "number"]), Self.municipality, Self.moment, Self.lang],
                mapAnswer),
            live("entity", "One entity in words", [Self.municipality, Self.id, Self.moment, Self.lang], entityAnswer),
            live(
                "history", "The past of one attribute, averaged for a chart",
                Self.seriesParameters + [.init("points", in: .query, "How many points at most", schema: ["type": "integer", "minimum": 2, "maximum": 500])],
                historyAnswer),
            live("series", "One attribute over time, with the least and the greatest of each period", Self.seriesParameters + [
                .init("points", in: .query, "How many points at most", schema: ["type": "integer", "minimum": .integer(Int64(Self.pointCounts.lowerBound)), "maximum": .integer(Int64(Self.pointCounts.upperBound))])
            ], seriesAnswer),
            live("week", "What is usual of one attribute at each hour of the week", Self.seriesParameters, weekAnswer),
            live(
                "search", "Entities by name",
                [.init("q", in: .query, "What the name contains"), Self.types, Self.municipality, Self.box, Self.moment, Self.limit, Self.lang],
                searchAnswer),
            live("outlines", "What the ground of the map is drawn from", [Self.lang], outlinesAnswer),
            Route(
                .get, "/live/events", "Changes as they happen (server-sent events)", tag: Self.liveTag,
                parameters: [
                    Self.types, Self.municipality, .init("after", in: .query, "Where to go on: the id of the last event seen"),
                    .init("Last-Event-ID", in: .header, "The same, sent by browsers that reconnect"), Self.lang,
                ], responses: [.init(200, "The stream", mediaTypes: ["text/event-stream"])], handler: eventsAnswer),
        ]
    }

    private func live(
        _ name: String, _ summary: String, _ parameters: [Route.Parameter], _ handler: @escaping Route.Handler
    ) -> Route {
        Route(.get, "/live/" + name, summary, tag: Self.liveTag, parameters: parameters, responses: [Self.answer], handler: handler)
    }

    /// The language that a request wants its labels in.
    func language(_ request: DoorRequest) -> Language {
        request.query["lang"].flatMap { languages[$0] } ?? Preferences(request, languages).language
    }
}
