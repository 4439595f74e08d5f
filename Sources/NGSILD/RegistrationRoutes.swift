internal import Broker
internal import CityModel
internal import Door
internal import Federation
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import OrderedCollections
internal import Query
internal import Trust

/// `/csourceRegistrations` and `/csourceRegistrations/{registrationId}` (clauses 6.8, 6.9).
extension NGSILDDoor {
    static let registrationsTag = "NGSI-LD context sources"

    var registrationRoutes: [Route] {
        let registrations = Self.base + "/csourceRegistrations"
        let one = registrations + "/{registrationId}"
        let id = Route.Parameter("registrationId", in: .path, "The registration's identifier")
        let schema: JSON = ["$ref": "#/components/schemas/CSourceRegistration"]
        let options = Self.optionsParameter("sysAttrs: with createdAt and modifiedAt")
        return [
            Route(
                .post, registrations, "Register a context source", tag: Self.registrationsTag, parameters: Self.common,
                body: .init(Self.jsonTypes, schema: schema), responses: [Self.created, Self.conflict], handler: createRegistration),
            Route(
                .get, registrations, "Find sources that may have what is asked for", tag: Self.registrationsTag,
                parameters: Self.common + Self.filterParameters + Self.registrationTimeParameters + [
                    .init("attrs", in: .query, "Attributes, of which a source may have at least one"),
                    .init("datasetId", in: .query, "Instances that a source may have"),
                    .init("limit", in: .query, "Registrations of a page", schema: ["type": "integer", "minimum": 0]),
                    .init("offset", in: .query, "Registrations to skip", schema: ["type": "integer", "minimum": 0]),
                    .init("count", in: .query, "Whether to count all, in NGSILD-Results-Count", schema: ["type": "boolean"]), options,
                ], responses: [.init(200, "The registrations", mediaTypes: Self.jsonTypes, schema: ["type": "array", "items": schema])],
                handler: queryRegistrations),
            Route(
                .get, one, "Retrieve a registration", tag: Self.registrationsTag, parameters: [id] + Self.common + [options],
                responses: [.init(200, "The registration", mediaTypes: Self.jsonTypes, schema: schema)], handler: retrieveRegistration),
            Route(
                .patch, one, "Update a registration", tag: Self.registrationsTag, parameters: [id] + Self.common, body: Self.fragmentBody,
                responses: [Self.noContent, Self.conflict], handler: updateRegistration),
            Route(
                .delete, one, "Delete a registration", tag: Self.registrationsTag, parameters: [id] + Self.common,
                responses: [Self.noContent], handler: deleteRegistration),
        ]
    }

    private static let registrationTimeParameters = temporalParameters.filter { ["timerel", "timeAt", "endTimeAt", "timeproperty"].contains($0.name) }

    private func administering(_ request: DoorRequest) async throws -> AdministerAccess {
        try await gatekeeper.administering(request.tenant(), request.credential)
    }

    private func createRegistration(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: [])
        let access = try await administering(request)
        let body = try await body(request)
        let id = try await registrations.create(body.json.objectValue ?? [:], body.context, access, at: request.now)
        return Self.createdResponse(Self.base + "/csourceRegistrations/" + PercentEncoding.encode(id.text))
    }

    private func updateRegistration(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: [])
        let access = try await administering(request)
        let id = try request.identifier("registrationId")
        let body = try await body(request, mergePatch: true)
        try await registrations.update(id, with: body.json.objectValue ?? [:], body.context, access, at: request.now)
        return Response(status: .noContent)
    }

    private func deleteRegistration(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: [])
        let access = try await administering(request)
        try await registrations.delete(request.identifier("registrationId"), access, at: request.now)
        return Response(status: .noContent)
    }

    private func retrieveRegistration(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["options"])
        let access = try await overseeing(request)
        let id = try request.identifier("registrationId")
        let answer = try await RegistrationWriter(request, self)
        return answer.response(answer.json(try await registrations.retrieve(id, access, at: request.now)))
    }

    private func queryRegistrations(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: Self.filterNames.union([
            "attrs", "datasetId", "timerel", "timeAt", "endTimeAt", "timeproperty", "limit", "offset", "count", "options", "lang", "pick", "omit",
            "geometryProperty",
        ]))
        let access = try await overseeing(request)
        let answer = try await RegistrationWriter(request, self)
        let specification = try specification(request, answer.context)
        let wantsCount = try request.query.bool("count") ?? false
        let limit = try request.query.integer("limit", in: 0...limits.pageCountMax) ?? limits.pageCountDefault
        let offset = try request.query.integer("offset", in: 0...Int(Int32.max)) ?? 0
        guard limit > 0 || wantsCount else { throw CityError.badRequestData("limit: 0 is possible with count=true only") }
        let (page, count) = try await registrations.query(specification, offset: offset, limit: limit, access, at: request.now)
        var response = answer.response(.array(page.map(answer.json)))
        if wantsCount { response.headers[.ngsildResultsCount] = String(count) }
        for link in PageLinks(request, answer.mediaType, offset: offset, limit: limit, hasMore: offset + page.count < count).values {
            response.headers.append(HTTPField(name: .link, value: link))
        }
        return response
    }

    /// What a request for registrations is about. Attributes within `q` and the property of a geo-query count as those of `attrs`
    /// (clause 5.10.2.4).
    private func specification(_ request: DoorRequest, _ context: Context) throws -> SourceSpecification {
        var query = request.query
        query.removeEmpty(["geoproperty", "timeproperty"])
        let terms = FilterTerms(query)
        let projection = try Projection(attrs: query["attrs"], expand: context.expand)
        let filter = try Self.filter(
            terms, context: context, projection: projection, requiresListed: true, linkDepthMax: 0, isLocal: false)
        var specification = SourceSpecification(filter)
        specification.temporal = try TemporalQuery.parsing(
            timerel: query["timerel"], timeAt: query["timeAt"], endTimeAt: query["endTimeAt"],
            timeproperty: query["timerel"] == nil ? nil : query["timeproperty"])
        specification.sourceFilter = try terms.csf.map { text throws(CityError) in
            try QueryExpression(parsing: text, expand: context.expand, parameter: "csf")
        }
        specification.datasets = try query["datasetId"].map { text throws(CityError) in try DatasetSelection(parsing: text).datasets }
        return specification
    }
}

/// How one request wants registrations to be written. What is conveyed to sources is shown to those who may change it.
struct RegistrationWriter {
    let mediaType: String
    let context: Context
    private let includesSystemMembers: Bool
    private let includesSourceInfo: Bool

    init(_ request: DoorRequest, _ door: NGSILDDoor) async throws {
        mediaType = try door.accepted(request, offers: NGSILDDoor.jsonTypes)
        context = try await door.linkContext(request)
        let options = request.query.list("options")
        for option in options where option != "sysAttrs" {
            throw CityError.invalidRequest("options: \(option) is not an option of this operation")
        }
        includesSystemMembers = options.contains("sysAttrs")
        includesSourceInfo = (try? await door.gatekeeper.administering(request.tenant(), request.credential)) != nil
    }

    func json(_ found: FoundRegistration) -> JSON {
        let json = found.document.answer(
            id: found.id, context, information: found.information, forwarding: found.forwarding, includesSourceInfo: includesSourceInfo,
            includesSystemMembers: includesSystemMembers)
        guard mediaType == "application/ld+json", case .object(var members) = json else { return json }
        members["@context"] = context.answered
        return .object(members)
    }

    func response(_ json: JSON) -> Response {
        var response = NGSILDDoor.json(json)
        response.headers[.contentType] = mediaType
        if mediaType != "application/ld+json" { response.headers[.link] = LinkHeader.value(context.linkURL) }
        return response
    }
}

extension SourceSpecification {
    /// The part of a filter that says which sources may have something.
    init(_ filter: EntityFilter) {
        self.init()
        let parts = filter.alternatives ?? [filter]
        let selectors = parts.map { Selector(types: $0.types, ids: $0.ids, idPattern: $0.idPattern) }
        let selectsAll = selectors.contains { $0.types == nil && $0.ids == nil && $0.idPattern == nil }
        self.selectors = selectsAll ? [] : selectors
        var attributes = Set(parts.flatMap { $0.attributes ?? [] })
        for part in parts {
            for term in part.query?.terms ?? [] where term.path.entityMember == nil { attributes.insert(term.path.hops.first?.relationship.iri ?? term.path.root.iri) }
            if let geo = part.geo, geo.property != .location, geo.property != .observationSpace, geo.property != .operationSpace {
                attributes.insert(geo.property)
            }
        }
        self.attributes = attributes.isEmpty ? nil : attributes
        geo = parts.first?.geo
        scopes = parts.first?.scopes
    }
}
