internal import Cases
internal import CityModel
package import Door
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Trust

/// The operations with what they take and answer. A resource whose name is known has a path for each format; where the name is a parameter the format is a part
/// of it.
extension Open311Door {
    private typealias Answering = @Sendable (DoorRequest) async throws -> Open311Answer
    private static let tag = "Open311"

    package var routes: [Route] {
        var routes = pair("/discovery", "Where and how Open311 is spoken here", [Self.jurisdiction], DiscoverySchema.document, discovery)
        routes += pair("/services", "What may be reported", Self.common, ServiceSchema.list, services)
        routes += pair("/requests", "Requests, the newest first", Self.common + Self.listing, RequestSchema.list, list)
        routes += pair("/servicerequestupdates", "What became of requests (FixMyStreet's extension)", Self.common + Self.updating, UpdateSchema.list, updates)
        routes += posting("/requests", "File a request", RequestSchema.body, RequestSchema.filed, file)
        routes += posting("/servicerequestupdates", "Say what became of a request (FixMyStreet's extension)", UpdateSchema.body, UpdateSchema.said, update)
        routes.append(named("/services/{service}", "service", "pothole.json", "What a service asks", Self.common, ServiceSchema.definition, service))
        routes.append(named("/requests/{request}", "request", "K7QM2P4D.json", "A request", Self.common + [Self.extensions], RequestSchema.list, single))
        routes.append(named("/tokens/{token}", "token", "K7QM2P4D.json", "The request of a token", Self.common, RequestSchema.list, token))
        return routes + settingsRoutes
    }

    private func services(_ request: DoorRequest) async throws -> Open311Answer {
        let language = try AnswerLanguage(request.said("lang"))
        let services = try await desk.catalogue.services(try await reading(request))
        return Open311Answer(root: "services", value: .array(services.map { $0.definition.listed(language) }))
    }

    private func service(_ code: String, _ request: DoorRequest) async throws -> Open311Answer {
        let language = try AnswerLanguage(request.said("lang"))
        let service = try await offered(code, try await reading(request))
        return Open311Answer(root: "service_definition", value: service.definition.defined(language))
    }

    // MARK: Routes

    private func pair(_ path: String, _ summary: String, _ parameters: [Route.Parameter], _ schema: JSON, _ answer: @escaping Answering) -> [Route] {
        Open311Format.allCases.map { format in
            Route(
                .get, "\(Self.prefix)\(path).\(format)", "\(summary), as \(format.rawValue.uppercased())", tag: Self.tag, parameters: parameters,
                responses: Self.responses(200, summary, [format], schema)
            ) { request in try await Self.response(format) { try await answer(request) } }
        }
    }

    private func posting(_ path: String, _ summary: String, _ body: JSON, _ schema: JSON, _ answer: @escaping Answering) -> [Route] {
        Open311Format.allCases.map { format in
            Route(
                .post, "\(Self.prefix)\(path).\(format)", "\(summary), answered as \(format.rawValue.uppercased())", tag: Self.tag, parameters: Self.posted,
                body: .init(PostedFields.mediaTypes, schema: body, isStreamed: true), responses: Self.responses(201, summary, [format], schema)
            ) { request in try await Self.response(format) { try await answer(request) } }
        }
    }

    private func named(
        _ path: String, _ name: String, _ example: String, _ summary: String, _ parameters: [Route.Parameter], _ schema: JSON,
        _ answer: @escaping @Sendable (String, DoorRequest) async throws -> Open311Answer
    ) -> Route {
        Route(
            .get, Self.prefix + path, summary, tag: Self.tag, parameters: [.init(name, in: .path, "Its identifier, a dot and json or xml, such as \(example)")] + parameters,
            responses: Self.responses(200, summary, Open311Format.allCases, schema)
        ) { request in
            let text = try request.pathParameter(name)
            // The standard knows one format that everybody has.
            guard let (id, format) = Open311Format.split(text), !id.isEmpty else {
                return Open311Fault(404, "format: .json or .xml is needed at the end of the path, after an identifier").answer.response(.xml)
            }
            return try await Self.response(format) { try await answer(id, request) }
        }
    }

    /// What is refused is answered as the standard has it.
    private static func response(_ format: Open311Format, _ answer: () async throws -> Open311Answer) async throws -> Response {
        do { return try await answer().response(format) } catch {
            guard let fault = Open311Fault(error) else { throw error }
            var response = fault.answer.response(format)
            if fault.status == 503 { response.headers[.retryAfter] = "1" }
            return response
        }
    }

    private static func responses(_ status: Int, _ summary: String, _ formats: [Open311Format], _ schema: JSON) -> [Route.Answer] {
        let types = formats.map(\.mediaType)
        let errors: JSON = [
            "type": "array",
            "items": ["type": "object", "required": ["code", "description"], "properties": ["code": ["type": "integer"], "description": ["type": "string"]]],
        ]
        return [
            .init(status, summary, mediaTypes: types, schema: schema), .init(400, "The request can't be fulfilled: each error names its parameter", mediaTypes: types, schema: errors),
            .init(403, "The key is missing or does not allow it", mediaTypes: types, schema: errors), .init(404, "It is not there", mediaTypes: types, schema: errors),
            .init(503, "Too much waits; come again", mediaTypes: types + ["application/problem+json"], schema: errors),
        ]
    }

    // MARK: Parameters

    private static let jurisdiction = Route.Parameter("jurisdiction_id", in: .query, "The municipality's name; needed where several are served")
    private static let key = Route.Parameter("api_key", in: .query, "A token of the municipality; the same as Authorization")
    private static let language = Route.Parameter("lang", in: .query, "The language of titles, such as fr")
    private static let extensions = Route.Parameter("extensions", in: .query, "Whether more is answered than the standard has", schema: ["type": "boolean"])
    private static let common = [jurisdiction, key, language]
    private static let posted = [jurisdiction, key, language, extensions]
    private static let moment: JSON = ["type": "string", "format": "date-time"]
    private static let start = Route.Parameter("start_date", in: .query, "The earliest moment", schema: moment)
    private static let end = Route.Parameter("end_date", in: .query, "The latest moment", schema: moment)
    private static let ids = Route.Parameter("service_request_id", in: .query, "Identifiers of requests, between commas")

    private static let listing: [Route.Parameter] = [
        .init("service_request_id", in: .query, "Identifiers of requests, between commas; all else does not count then"),
        .init("service_code", in: .query, "Services, between commas"), start, end, .init("status", in: .query, "open, closed, or both between commas"),
        .init("page", in: .query, "From 1", schema: ["type": "integer", "minimum": 1]),
        .init("page_size", in: .query, "Requests of a page", schema: ["type": "integer", "minimum": 1, "maximum": 1000]),
        .init("updated_after", in: .query, "Changed no earlier", schema: moment), .init("updated_before", in: .query, "Changed no later", schema: moment),
        .init("lat", in: .query, "Latitude of a point, WGS 84", schema: ["type": "number"]), .init("long", in: .query, "Longitude of a point, WGS 84", schema: ["type": "number"]),
        .init("radius", in: .query, "Metres around the point; 1000 where absent", schema: ["type": "number"]), extensions,
    ]

    private static let updating = [ids, start, end]
}
