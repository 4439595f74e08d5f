internal import Broker
internal import CityModel
internal import Door
internal import Federation
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import OrderedCollections
internal import Trust

/// `/types` and `/attributes` (clauses 6.25 to 6.28).
extension NGSILDDoor {
    var discoveryRoutes: [Route] {
        let details = Route.Parameter("details", in: .query, "Whether to say more than the names", schema: ["type": "boolean"])
        let answer = Route.Answer(200, "What there is", mediaTypes: Self.jsonTypes, schema: ["type": "object"])
        let many = Route.Answer(200, "What there is", mediaTypes: Self.jsonTypes)
        return [
            Route(
                .get, Self.base + "/types", "List entity types", tag: Self.discovery, parameters: Self.common + [details, Self.localParameter, Self.snapshotHeader],
                responses: [many], handler: types),
            Route(
                .get, Self.base + "/types/{type}", "Describe an entity type", tag: Self.discovery,
                parameters: Self.common + [.init("type", in: .path, "A type's name or IRI"), Self.localParameter, Self.snapshotHeader], responses: [answer],
                handler: type),
            Route(
                .get, Self.base + "/attributes", "List attributes", tag: Self.discovery,
                parameters: Self.common + [details, Self.localParameter, Self.snapshotHeader], responses: [many], handler: attributes),
            Route(
                .get, Self.base + "/attributes/{attrId}", "Describe an attribute", tag: Self.discovery,
                parameters: Self.common + [Self.attributeParameter, Self.localParameter, Self.snapshotHeader], responses: [answer], handler: attribute),
        ]
    }

    private func types(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["details", "local"])
        let access = try await reading(request)
        let context = try await linkContext(request)
        if try request.query.bool("details") ?? false {
            let found = try await discovered(.typeDetails, request, access, context)
            let types = Self.united(try await broker.typesWithAttributes(access), found?.types ?? [:])
            return try described(
                .array(
                    types.map { type, attributes in
                        [
                            "id": .string(type.text), "type": "EntityType", "typeName": .string(context.compact(type)),
                            "attributeNames": .array(attributes.map { .string(context.compact($0)) }),
                        ]
                    }), context, request, found)
        }
        let found = try await discovered(.types, request, access, context)
        let types = Self.united(try await broker.types(access), found?.types.keys)
        return try described(
            [
                "id": .string(Self.listID("EntityTypeList")), "type": "EntityTypeList",
                "typeList": .array(types.map { .string(context.compact($0)) }),
            ], context, request, found)
    }

    private func type(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["local"])
        let access = try await reading(request)
        let context = try await linkContext(request)
        let text = try request.pathParameter("type")
        guard let type = context.expand(text) else { throw CityError.badRequestData("type: \(text) is not a type's name") }
        let found = try await discovered(.type(type), request, access, context)
        let info = try await united(type, found) { try await broker.typeInfo(type, access) }
        return try described(
            [
                "id": .string(type.text), "type": "EntityTypeInfo", "typeName": .string(context.compact(type)),
                "entityCount": .integer(Int64(info.entityCount)),
                "attributeDetails": .array(info.attributes.map { attribute($0, context, withTypes: false) }),
            ], context, request, found)
    }

    private func attributes(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["details", "local"])
        let access = try await reading(request)
        let context = try await linkContext(request)
        if try request.query.bool("details") ?? false {
            let found = try await discovered(.attributeDetails, request, access, context)
            let attributes = Self.united(try await broker.attributesWithTypes(access), found?.attributes.mapValues(\.types) ?? [:])
            return try described(
                .array(
                    attributes.map { name, types in
                        [
                            "id": .string(name.text), "type": "Attribute", "attributeName": .string(context.compact(name)),
                            "typeNames": .array(types.map { .string(context.compact($0)) }),
                        ]
                    }), context, request, found)
        }
        let found = try await discovered(.attributes, request, access, context)
        let attributes = Self.united(try await broker.attributes(access), found?.attributes.keys)
        return try described(
            [
                "id": .string(Self.listID("AttributeList")), "type": "AttributeList",
                "attributeList": .array(attributes.map { .string(context.compact($0)) }),
            ], context, request, found)
    }

    private func attribute(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["local"])
        let access = try await reading(request)
        let context = try await linkContext(request)
        let text = try request.pathParameter("attrId")
        // What is no attribute's name, such as `id`, is no attribute that any entity has.
        guard let name = context.expand(text) else { throw CityError.resourceNotFound("no entity has an attribute \(text)") }
        let found = try await discovered(.attribute(name), request, access, context)
        let info = try await united(name, found) { try await broker.attributeInfo(name, access) }
        return try described(attribute(info, context, withTypes: true), context, request, found)
    }

    private func attribute(_ info: AttributeInfo, _ context: Context, withTypes: Bool) -> JSON {
        var members: JSONObject = [
            "id": .string(info.name.text), "type": "Attribute", "attributeName": .string(context.compact(info.name)),
            "attributeTypes": .array(info.kinds.map { .string($0.rawValue) }),
        ]
        if let count = info.entityCount { members["attributeCount"] = .integer(Int64(count)) }
        if withTypes { members["typeNames"] = .array(info.types.map { .string(context.compact($0)) }) }
        return .object(members)
    }

    /// Lists have no identifier of their own; clause 5.2.24 asks for a URI all the same.
    private static func listID(_ kind: String) -> String { "urn:ngsi-ld:\(kind):conurb" }

    /// The same with what sources were warned of.
    private func described(_ json: JSON, _ context: Context, _ request: DoorRequest, _ found: Discovered?) throws -> Response {
        var response = try described(json, context, request)
        Self.warn(found?.warnings ?? [], &response)
        return response
    }

    /// Something that is no entity, with the context that its names are written with.
    func described(_ json: JSON, _ context: Context, _ request: DoorRequest) throws -> Response {
        let mediaType = try accepted(request, offers: Self.jsonTypes)
        guard mediaType == "application/ld+json" else {
            return Self.json(json, headers: [.link: LinkHeader.value(context.linkURL)])
        }
        let withContext: JSON =
            switch json {
            case .array(let elements): .array(elements.map { $0.adding(context) })
            default: json.adding(context)
            }
        var response = Self.json(withContext)
        response.headers[.contentType] = mediaType
        return response
    }
}

extension JSON {
    fileprivate func adding(_ context: Context) -> JSON {
        guard case .object(var members) = self else { return self }
        members["@context"] = context.answered
        return .object(members)
    }
}
