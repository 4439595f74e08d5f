package import Broker
internal import CityModel
package import Door
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import OrderedCollections
internal import Query
internal import Policy
package import Trust

/// `/history`: what attributes were over time, for people, pages and programs that work with figures.
package struct HistoryDoor: Sendable {
    let broker: Broker
    let gatekeeper: Gatekeeper
    let contexts: ContextLibrary
    /// The zone of calendar days where a question names none.
    let zone: String

    package init(broker: Broker, gatekeeper: Gatekeeper, contexts: ContextLibrary, zone: String) {
        (self.broker, self.gatekeeper, self.contexts, self.zone) = (broker, gatekeeper, contexts, zone)
    }

    private static let parameters: [Route.Parameter] = [
        .init("municipality", in: .query, "The municipality; else that of NGSILD-Tenant, else the standard one"),
        .init("NGSILD-Tenant", in: .header, "The municipality"), .init("Link", in: .header, "The JSON-LD context of names"),
        .init("type", in: .query, "Types of entities, between commas"), .init("id", in: .query, "Entities, between commas"),
        .init("attr", in: .query, "Attributes, between commas", isRequired: true),
        .init("area", in: .query, "Where entities are: one that has an area, such as a district; west,south,east,north in degrees; or a GeoJSON geometry"),
        .init("q", in: .query, "What entities are like now, as in NGSI-LD queries"),
        .init("from", in: .query, "The beginning: a moment, a day of the zone, or a duration before the end such as -P7D; a day before the end where absent"),
        .init("to", in: .query, "The end, not included: a moment, or a day of the zone, which is included whole; now where absent"),
        .init("every", in: .query, "The length of a period such as PT1H, P1D, P1M; the whole interval where absent"),
        .init("fn", in: .query, "What is computed of a period, between commas: \(SeriesFunction.known); avg where absent"),
        .init("group", in: .query, "Series that are taken together: entity (each for itself), type, all, within:TYPE (by the area that they lie in), or an attribute"),
        .init("fill", in: .query, "What stands where a period has no observation", schema: ["type": "string", "enum": .array(GapFilling.allCases.map { .string($0.rawValue) })]),
        .init("zone", in: .query, "IANA name of the zone of calendar days"),
        .init("order", in: .query, "A function, - before it for the greatest first; for questions without periods"),
        .init("having", in: .query, "Which series or groups: a function, one of > >= < <= and a number, such as max>60; for questions without periods"),
        .init("limit", in: .query, "Series or groups that are answered", schema: ["type": "integer", "minimum": 1, "maximum": .integer(Int64(HistoryQuery.limitMax))]),
        .init("format", in: .query, "The same as Accept, for links", schema: ["type": "string", "enum": .array(HistoryFormat.allCases.map { .string($0.rawValue) })]),
    ]

    package var routes: [Route] {
        [
            Route(
                .get, "/history", "What attributes were over time", tag: "History", parameters: Self.parameters,
                responses: [
                    .init(200, "Values by period, for each series or group", mediaTypes: HistoryFormat.allCases.map(\.mediaType), schema: HistoryAnswer.schema),
                    .init(406, "None of the media types is accepted"),
                ], handler: answer)
        ]
    }

    private func answer(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: Set(Self.parameters.filter { $0.place == .query }.map(\.name)))
        let format = try HistoryFormat(request)
        let access = try await gatekeeper.reading(municipality(request), request.credential, request.terms, to: .aggregate)
        let names = try await HistoryNames(request, contexts, broker, access)
        let query = try await HistoryQuery(request, names, zone: zone, area: { try await area($0, access, request.now) })
        let answer = try await broker.answer(query.question, access, at: request.now)
        return try HistoryAnswer(query: query, names: names, answer: answer).response(format)
    }

    private func municipality(_ request: DoorRequest) throws(CityError) -> MunicipalityName {
        guard let text = request.query["municipality"], !text.isEmpty else { return try request.tenant() }
        guard let name = MunicipalityName(text) else { throw .badRequestData("municipality: \(text.prefix(100)) is not a municipality's name") }
        return name
    }

    /// The geometry of an entity that has an area.
    private func area(_ id: IRI, _ access: ReadAccess, _ now: Instant) async throws -> Geometry {
        guard let entity = try await broker.retrieve([id], access, at: now).first else { throw CityError.resourceNotFound("area: there is no \(id)") }
        guard let value = entity.attributes[.location]?.first?.value, let geometry = try? Geometry(value) else {
            throw CityError.badRequestData("area: \(id) has no location")
        }
        return geometry
    }
}

/// How an answer is written.
enum HistoryFormat: String, CaseIterable, Sendable {
    case json, csv, arrow

    var mediaType: String {
        switch self {
        case .json: "application/json"
        case .csv: "text/csv"
        case .arrow: "application/vnd.apache.arrow.stream"
        }
    }

    /// - Throws: `badRequestData`, a problem with status 406.
    init(_ request: DoorRequest) throws {
        if let text = request.query["format"] {
            guard let format = HistoryFormat(rawValue: text) else { throw CityError.badRequestData("format: \(text.prefix(100)) is not json, csv or arrow") }
            self = format
            return
        }
        let offers = Self.allCases.map(\.mediaType)
        guard let chosen = Acceptance.choose(request.headers[.accept], offers: offers), let format = Self.allCases.first(where: { $0.mediaType == chosen })
        else { throw Problem.own("not-acceptable", "Not acceptable", status: 406, "Accept: one of \(offers.joined(separator: ", "))") }
        self = format
    }
}
