internal import Broker
internal import CityModel
internal import OrderedCollections
internal import Door
internal import Federation
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import Trust

/// `/entities/{entityId}/attrs` and `…/attrs/{attrId}` (clauses 6.6, 6.7).
extension NGSILDDoor {
    var attributeRoutes: [Route] {
        let attributes = Self.base + "/entities/{entityId}/attrs"
        let attribute = attributes + "/{attrId}"
        let one = [Self.idParameter, Self.attributeParameter] + Self.common
        return [
            Route(
                .post, attributes, "Append attributes", tag: Self.provision,
                parameters: [Self.idParameter] + Self.common
                    + [Self.optionsParameter("noOverwrite: leave attributes that exist as they are"), Self.typeParameter, Self.localParameter],
                body: Self.fragmentBody, responses: [Self.noContent, Self.partial], handler: appendAttributes),
            Route(
                .patch, attributes, "Update attributes", tag: Self.provision,
                parameters: [Self.idParameter] + Self.common + [Self.typeParameter, Self.localParameter], body: Self.fragmentBody,
                responses: [Self.noContent, Self.partial], handler: updateAttributes),
            Route(
                .patch, attribute, "Update an attribute partially", tag: Self.provision,
                parameters: one + [Self.typeParameter, Self.localParameter], body: Self.fragmentBody, responses: [Self.noContent],
                handler: updateAttribute),
            Route(
                .put, attribute, "Replace an attribute", tag: Self.provision,
                parameters: one + [Self.typeParameter, Self.localParameter], body: Self.fragmentBody, responses: [Self.noContent],
                handler: replaceAttribute),
            Route(
                .delete, attribute, "Delete an attribute", tag: Self.provision,
                parameters: one + Self.datasetParameters + [Self.typeParameter, Self.localParameter], responses: [Self.noContent], handler: deleteAttribute),
        ]
    }

    private func appendAttributes(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["options", "local", "type"])
        for option in request.query.list("options") where option != "noOverwrite" {
            throw CityError.invalidRequest("options: \(option) is not an option of this operation")
        }
        let access = try await writing(request)
        let id = try request.identifier("entityId")
        let body = try await body(request)
        let fragment = try fragment(body.json, body.context, .content)
        let overwriting = !request.query.list("options").contains("noOverwrite")
        let types = try selection(request, body.context)
        let attributes = Set(fragment.attributes.keys)
        guard let write = try await plan(.appendAttrs, id, types: fragment.types, attributes: attributes, request, access, body.context) else {
            return Self.response(
                to: try await broker.append(fragment, to: id, selecting: types, overwriting: overwriting, access, at: request.now))
        }
        return try await write.attributesResponse { part, context in
            part.appending(id, fragment, overwriting: overwriting, context)
        } local: {
            try await broker.append(
                fragment.only(write.plan.remaining), to: id, selecting: types, overwriting: overwriting, access, at: request.now)
        }
    }

    private func updateAttributes(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["local", "type"])
        let access = try await writing(request)
        let id = try request.identifier("entityId")
        let body = try await body(request, mergePatch: true)
        let fragment = try fragment(body.json, body.context, .update)
        let types = try selection(request, body.context)
        let attributes = Set(fragment.attributes.keys)
        guard let write = try await plan(.updateEntity, id, types: fragment.types, attributes: attributes, request, access, body.context) else {
            return Self.response(to: try await broker.update(fragment, of: id, selecting: types, access, at: request.now))
        }
        return try await write.attributesResponse { part, context in
            part.updating(id, fragment, context)
        } local: {
            try await broker.update(fragment.only(write.plan.remaining), of: id, selecting: types, access, at: request.now)
        }
    }

    private func updateAttribute(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["local", "type"])
        let access = try await writing(request)
        let id = try request.identifier("entityId")
        let body = try await body(request, mergePatch: true, bare: true)
        let name = try attributeName(request, body.context)
        let reader = EntityReader(context: body.context, purpose: .update)
        let json = Self.withoutContext(body.json)
        let fragment = try reader.attributeFragment(json, path: request.pathParameter("attrId"))
        let types = try selection(request, body.context)
        let update = { [broker] in try await broker.updateAttribute(name, of: id, selecting: types, fragment, access, at: request.now) }
        guard let write = try await plan(.updateAttrs, id, types: [], attributes: [name], request, access, body.context) else {
            try await update()
            return Response(status: .noContent)
        }
        return try await write.attributeResponse(name) { _, context in
            var forward = Forward(.patch, ProvisionPart.path(id, name, context), body: json)
            forward.keepsNames = true
            return forward
        } local: {
            try await update()
        }
    }

    private func replaceAttribute(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["local", "type"])
        let access = try await writing(request)
        let id = try request.identifier("entityId")
        let body = try await body(request, bare: true)
        let name = try attributeName(request, body.context)
        let reader = EntityReader(context: body.context, purpose: .content)
        let instances = try reader.instances(Self.withoutContext(body.json), path: request.pathParameter("attrId"))
        let types = try selection(request, body.context)
        let replace = { [broker] in
            try await broker.replaceAttribute(name, of: id, selecting: types, with: instances, access, at: request.now)
        }
        guard let write = try await plan(.replaceAttrs, id, types: [], attributes: [name], request, access, body.context) else {
            try await replace()
            return Response(status: .noContent)
        }
        return try await write.attributeResponse(name) { _, context in
            Forward(.put, ProvisionPart.path(id, name, context), body: Attribute.json(instances, context))
        } local: {
            try await replace()
        }
    }

    private func deleteAttribute(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["deleteAll", "datasetId", "local", "type"])
        let access = try await writing(request)
        let id = try request.identifier("entityId")
        let context = try await linkContext(request)
        let types = try selection(request, context)
        if try request.pathParameter("attrId") == "scope" {
            try await broker.deleteScopes(of: id, selecting: types, access, at: request.now)
            return Response(status: .noContent)
        }
        let name = try attributeName(request, context)
        let (datasetID, all) = (try datasetID(request), try request.query.bool("deleteAll") ?? false)
        let delete = { [broker] in
            try await broker.deleteAttribute(name, of: id, selecting: types, datasetID: datasetID, all: all, access, at: request.now)
        }
        guard let write = try await plan(.deleteAttrs, id, types: [], attributes: [name], request, access, context) else {
            try await delete()
            return Response(status: .noContent)
        }
        let query = request.query.pairs.filter { ["datasetId", "deleteAll"].contains($0.name) }
        return try await write.attributeResponse(name) { _, context in
            Forward(.delete, ProvisionPart.path(id, name, context), query: query)
        } local: {
            try await delete()
        }
    }

    func datasetID(_ request: DoorRequest) throws(CityError) -> IRI? {
        guard let text = request.query["datasetId"], text != "@none" else { return nil }
        guard let iri = IRI(text) else { throw .badRequestData("datasetId: \(text) is not a URI") }
        return iri
    }

    func attributeName(_ request: DoorRequest, _ context: Context) throws(CityError) -> IRI {
        let text = try request.pathParameter("attrId")
        guard !["id", "type", "scope", "@context"].contains(text), let name = context.expand(text) else {
            throw .badRequestData("attrId: \(text) is not an attribute's name")
        }
        return name
    }

    static func withoutContext(_ json: JSON) -> JSON {
        guard case .object(var members) = json else { return json }
        members["@context"] = nil
        return .object(members)
    }
}
