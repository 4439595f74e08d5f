internal import Broker
internal import CityModel
internal import OrderedCollections
internal import Door
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
        let result = try await broker.append(
            fragment, to: id, selecting: selection(request, body.context), overwriting: overwriting, access, at: request.now)
        return Self.response(to: result)
    }

    private func updateAttributes(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["local", "type"])
        let access = try await writing(request)
        let id = try request.identifier("entityId")
        let body = try await body(request, mergePatch: true)
        let fragment = try fragment(body.json, body.context, .update)
        let result = try await broker.update(
            fragment, of: id, selecting: selection(request, body.context), access, at: request.now)
        return Self.response(to: result)
    }

    private func updateAttribute(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["local", "type"])
        let access = try await writing(request)
        let id = try request.identifier("entityId")
        let body = try await body(request, mergePatch: true, bare: true)
        let name = try attributeName(request, body.context)
        let reader = EntityReader(context: body.context, purpose: .update)
        let fragment = try reader.attributeFragment(Self.withoutContext(body.json), path: request.pathParameter("attrId"))
        try await broker.updateAttribute(
            name, of: id, selecting: selection(request, body.context), fragment, access, at: request.now)
        return Response(status: .noContent)
    }

    private func replaceAttribute(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["local", "type"])
        let access = try await writing(request)
        let id = try request.identifier("entityId")
        let body = try await body(request, bare: true)
        let name = try attributeName(request, body.context)
        let reader = EntityReader(context: body.context, purpose: .content)
        let instances = try reader.instances(Self.withoutContext(body.json), path: request.pathParameter("attrId"))
        try await broker.replaceAttribute(
            name, of: id, selecting: selection(request, body.context), with: instances, access, at: request.now)
        return Response(status: .noContent)
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
        try await broker.deleteAttribute(
            name, of: id, selecting: types, datasetID: datasetID(request), all: request.query.bool("deleteAll") ?? false, access,
            at: request.now)
        return Response(status: .noContent)
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
