internal import Broker
internal import CityModel
internal import OrderedCollections
internal import Door
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import NIOCore
internal import Policy
internal import Store
internal import Trust

/// Administration of municipalities: what the command line does, and what an administrator's token allows from afar.
struct AdministrationDoor: Sendable {
    let broker: Broker
    let gatekeeper: Gatekeeper
    let contexts: ContextLibrary
    /// A folder on the data's file system for copies in transit.
    let transitDirectory: String

    private static let tag = "Administration"
    private static let name = Route.Parameter("municipality", in: .path, "The municipality's name")
    private static let json = ["application/json"]

    var routes: [Route] {
        let one = "/municipalities/{municipality}"
        let object: JSON = ["type": "object"]
        let file: JSON = [
            "type": "object", "required": ["name", "text"], "properties": ["name": ["type": "string"], "text": ["type": "string"]],
        ]
        let policies: JSON = ["type": "array", "items": file]
        return [
            route(.get, "/municipalities", "List municipalities", [], [.init(200, "Their names", mediaTypes: Self.json)], list),
            route(
                .put, one, "Create a municipality", [Self.name], [.init(201, "Created"), .init(409, "It exists already")], create),
            route(.get, one, "Describe a municipality", [Self.name], [.init(200, "What it holds", mediaTypes: Self.json, schema: object)], show),
            route(.delete, one, "Remove a municipality with all it holds", [Self.name], [.init(204, "Removed")], remove),
            route(
                .get, one + "/entities.ndjson", "All entities, one JSON object a line", [Self.name],
                [.init(200, "NGSI-LD entities with full names", mediaTypes: ["application/x-ndjson"])], export),
            route(
                .get, one + "/backup", "A copy of the municipality's file", [Self.name],
                [.init(200, "A SQLite file", mediaTypes: ["application/vnd.sqlite3"])], backup),
            Route(
                .put, one + "/backup", "Put a backup in place as a new municipality", tag: Self.tag, parameters: [Self.name],
                body: .init(["application/vnd.sqlite3"], schema: ["type": "string", "format": "binary"], isStreamed: true),
                responses: [.init(201, "Restored"), .init(409, "The municipality exists already")], handler: restore),
            route(
                .post, one + "/verification", "Check that the file is whole and agrees with itself", [Self.name],
                [.init(200, "What was found", mediaTypes: Self.json, schema: object)], verify),
            route(
                .get, one + "/policies", "The rules of access", [Self.name], [.init(200, "Files of rules", mediaTypes: Self.json, schema: policies)],
                listPolicies),
            Route(
                .put, one + "/policies", "Put files in the place of all rules of access; none puts back those that are shipped", tag: Self.tag,
                parameters: [Self.name], body: .init(Self.json, schema: policies), responses: [.init(204, "They hold from now on")],
                handler: putPolicies),
            Route(
                .put, one + "/contexts", "Keep a JSON-LD document to use for a URL", tag: Self.tag,
                parameters: [Self.name, .init("url", in: .query, "The context's address", isRequired: true)],
                body: .init(["application/ld+json", "application/json"], schema: object), responses: [.init(204, "Kept")],
                handler: putContext),
        ]
    }

    private func route(
        _ method: HTTPRequest.Method, _ path: String, _ summary: String, _ parameters: [Route.Parameter], _ responses: [Route.Answer],
        _ handler: @escaping Route.Handler
    ) -> Route {
        Route(method, path, summary, tag: Self.tag, parameters: parameters, responses: responses, handler: handler)
    }

    private func municipality(_ request: DoorRequest) throws(CityError) -> MunicipalityName {
        let text = try request.pathParameter("municipality")
        guard let name = MunicipalityName(text) else {
            throw .badRequestData("municipality: \(text) is not a name: 1 to 64 letters, digits, - and _")
        }
        return name
    }

    /// The municipality, or the installation, whose own file is checked and backed up as the others are.
    private func file(_ request: DoorRequest) throws(CityError) -> MunicipalityName {
        try request.pathParameter("municipality") == MunicipalityName.installation.text ? .installation : municipality(request)
    }

    private func administering(_ request: DoorRequest) async throws -> AdministerAccess {
        try await gatekeeper.administering(municipality(request), request.credential)
    }

    private func list(_ request: DoorRequest) throws -> Response {
        _ = try gatekeeper.installation(request.credential)
        return SystemDoor.json(.array(try broker.municipalities().map { .string($0.text) }))
    }

    private func create(_ request: DoorRequest) async throws -> Response {
        try await broker.createMunicipality(municipality(request), gatekeeper.installation(request.credential), at: request.now)
        return Response(status: .created)
    }

    private func show(_ request: DoorRequest) async throws -> Response {
        let access = try await administering(request)
        let summary = try await broker.summary(access.writing.reading)
        return SystemDoor.json([
            "name": .string(summary.name.text), "entities": .integer(Int64(summary.entityCount)),
            "types": .integer(Int64(summary.typeCount)), "changes": .integer(summary.changeCount),
        ])
    }

    private func remove(_ request: DoorRequest) async throws -> Response {
        let name = try municipality(request)
        try await broker.removeMunicipality(name, gatekeeper.installation(request.credential), at: request.now)
        await contexts.forget(name)
        return Response(status: .noContent)
    }

    private func verify(_ request: DoorRequest) async throws -> Response {
        let report = try await broker.verify(try await gatekeeper.administering(file(request), request.credential))
        return SystemDoor.json([
            "entities": .integer(Int64(report.entityCount)), "changes": .integer(Int64(report.changeCount)),
            "instances": .integer(Int64(report.instanceCount)), "acts": .integer(Int64(report.actCount)),
            "faults": .array(report.faults.map(JSON.string)),
        ])
    }

    private func listPolicies(_ request: DoorRequest) async throws -> Response {
        let files = try await gatekeeper.policies(try await administering(request))
        return SystemDoor.json(.array(files.map { ["name": .string($0.name), "text": .string($0.text)] }))
    }

    private func putPolicies(_ request: DoorRequest) async throws -> Response {
        let access = try await administering(request)
        guard let body = try? JSON(parsing: request.body.readableBytesView) else { throw CityError.invalidRequest("the body is not JSON") }
        guard let elements = body.arrayValue, elements.count <= Self.policyFileCountMax else {
            throw CityError.badRequestData("policies: an array of at most \(Self.policyFileCountMax) files is needed")
        }
        let files = try elements.map { element -> Policies.File in
            guard let name = element["name"]?.stringValue, !name.isEmpty, name.utf8.count <= 200, let text = element["text"]?.stringValue else {
                throw CityError.badRequestData("policies: each file has a name of at most 200 bytes and a text")
            }
            return Policies.File(name: name, text: text)
        }
        try await gatekeeper.setPolicies(access, files, now: request.now)
        return Response(status: .noContent)
    }

    private static let policyFileCountMax = 50

    private func putContext(_ request: DoorRequest) async throws -> Response {
        let access = try await administering(request)
        guard let url = request.query["url"], IRI(url) != nil else { throw CityError.badRequestData("url: the context's address") }
        guard let document = try? JSON(parsing: request.body.readableBytesView) else { throw CityError.invalidRequest("the body is not JSON") }
        try await contexts.put(document, for: url, access, at: request.now)
        return Response(status: .noContent)
    }
}

// MARK: - Files in and out

extension AdministrationDoor {
    private func transitPath() throws -> String {
        try FileManager.default.createDirectory(atPath: transitDirectory, withIntermediateDirectories: true)
        return "\(transitDirectory)/\(UUID().uuidString).sqlite"
    }

    private func export(_ request: DoorRequest) async throws -> Response {
        let administering = try await administering(request)
        let access = administering.writing.reading
        let (broker, now) = (broker, request.now)
        try await broker.record(Act(.entitiesExported), administering, at: request.now)
        let names = try broker.names(.core, access)
        let body = ResponseBody { writer in
            var number: Int64? = 0
            while let after = number {
                let page = try await broker.entities(after: after, limit: 500, access, at: now)
                var lines = RenderBuffer(byteCapacity: page.entities.count * 640)
                for stored in page.entities {
                    names.write(stored, includesSystemMembers: false, to: &lines)
                    lines.append("\n")
                }
                try await writer.write(lines.withBytes { ByteBuffer(bytes: $0) })
                number = page.next
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/x-ndjson"], body: body)
    }

    private func backup(_ request: DoorRequest) async throws -> Response {
        let access = try await gatekeeper.administering(file(request), request.credential)
        let path = try transitPath()
        do { try await broker.backup(access, to: path, at: request.now) } catch {
            try? FileManager.default.removeItem(atPath: path)
            throw error
        }
        guard let file = FileHandle(forReadingAtPath: path) else { throw CityError.internalFault("the copy can't be opened") }
        // The open handle keeps the copy; its name can go at once, so that nothing is left behind however this ends.
        try FileManager.default.removeItem(atPath: path)
        let size = try file.seekToEnd()
        try file.seek(toOffset: 0)
        let body = ResponseBody(contentLength: Int(size)) { writer in
            while let part = try file.read(upToCount: 1 << 18), !part.isEmpty { try await writer.write(ByteBuffer(bytes: part)) }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/vnd.sqlite3"], body: body)
    }

    private func restore(_ request: DoorRequest) async throws -> Response {
        let access = try gatekeeper.installation(request.credential)
        let name = try file(request)
        guard case .stream(let body) = request.content else { throw CityError.invalidRequest("the body is a municipality's file") }
        let path = try transitPath()
        defer { try? FileManager.default.removeItem(atPath: path) }
        guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path) else {
            throw CityError.internalFault("the arriving file can't be written")
        }
        for try await part in body { try file.write(contentsOf: Data(part.readableBytesView)) }
        try file.close()
        let loss: SealedLoss
        do { loss = try await broker.restore(name, from: path, access, at: request.now) } catch StoreError.notAMunicipality {
            throw CityError.badRequestData("the body is not a municipality's file")
        }
        await contexts.forget(name)
        var response = SystemDoor.json(["erased": .integer(Int64(loss.purgedCount)), "keysMissing": .integer(Int64(loss.missingCount))])
        response.status = .created
        return response
    }
}
