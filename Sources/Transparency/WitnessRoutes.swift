internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import Ledger
internal import NIOCore
internal import Store
internal import Trust

/// The municipality as a witness of other logs (C2SP tlog-witness), and whom it has for a witness itself.
extension TransparencyDoor {
    private static let request: JSON = ["type": "string"]

    var witnessRoutes: [Route] {
        let (witness, one) = ("/ledger/{municipality}/witness", "/ledger/{municipality}")
        let object: JSON = ["type": "object"]
        return [
            Route(
                .post, witness + "/add-checkpoint", "Co-sign a checkpoint of another log", tag: Self.tag, parameters: [Self.name],
                body: .init(["text/plain"], schema: Self.request),
                responses: [
                    .init(200, "Signature lines (C2SP tlog-cosignature)", mediaTypes: ["text/plain"]), .init(400, "Not a request of C2SP tlog-witness"),
                    .init(403, "The log did not sign it"), .init(404, "The log is not co-signed here"),
                    .init(409, "The size that was co-signed last", mediaTypes: ["text/x.tlog.size"]),
                    .init(422, "The tree is not shown to hold the one before"),
                ], handler: addCheckpoint),
            Route(
                .get, witness + "/{originDigest}/checkpoint", "The last checkpoint of a log that was co-signed", tag: Self.tag,
                parameters: [Self.name, .init("originDigest", in: .path, "The SHA-256 of the log's origin, in hexadecimal")],
                responses: [.init(200, "C2SP tlog-checkpoint", mediaTypes: ["text/plain"]), .init(404, "None was co-signed")], handler: cosigned),
            Route(
                .get, one + "/witnesses", "Whom this ledger has for witnesses, and which logs are co-signed", tag: Self.tag, parameters: [Self.name],
                responses: [.init(200, "Both, and how far they are", mediaTypes: ["application/json"], schema: object)], handler: witnesses),
            Route(
                .post, one + "/witnesses", "Have checkpoints co-signed by a witness", tag: Self.tag, parameters: [Self.name],
                body: .init(
                    ["application/json"],
                    schema: ["type": "object", "required": ["key", "address"], "properties": ["key": Self.request, "address": Self.request]]),
                responses: [.init(204, "It is asked from now on")], handler: addWitness),
            Route(
                .delete, one + "/witnesses", "Ask a witness no more", tag: Self.tag,
                parameters: [Self.name, .init("name", in: .query, "The name of its key", isRequired: true)],
                responses: [.init(204, "Removed")], handler: removeWitness),
            Route(
                .post, one + "/accepted-logs", "Co-sign the checkpoints of another log", tag: Self.tag, parameters: [Self.name],
                body: .init(["application/json"], schema: ["type": "object", "required": ["key"], "properties": ["key": Self.request]]),
                responses: [.init(204, "They are co-signed from now on"), .init(409, "It is known by another key")], handler: acceptLog),
            Route(
                .delete, one + "/accepted-logs", "Co-sign a log no more", tag: Self.tag,
                parameters: [Self.name, .init("name", in: .query, "The log's origin", isRequired: true)],
                responses: [.init(204, "Removed")], handler: dismissLog),
        ]
    }

    private func addCheckpoint(_ request: DoorRequest) async throws -> Response {
        let name = try await open(request).municipality
        let answer: WitnessAnswered
        do {
            let asked = try AddCheckpoint(parsing: Array(request.body.readableBytesView))
            answer = try await signing(request) { try await accountability.cosign(asked, as: name, at: request.now) }
        } catch let error as LedgerError {
            answer = .malformed(error.description)
        }
        switch answer {
        case .cosigned(let lines): return Self.text(lines, [.cacheControl: "no-store"])
        case .otherSize(let size):
            return Response(
                status: .conflict, headers: [.contentType: "text/x.tlog.size", .cacheControl: "no-store"],
                body: .init(byteBuffer: ByteBuffer(string: "\(size)\n")))
        case .malformed(let detail): throw CityError.invalidRequest(detail)
        case .notSigned(let detail): throw CityError.forbidden(detail)
        case .unknownLog(let detail): throw CityError.resourceNotFound(detail)
        case .inconsistent(let detail): throw Problem.own("inconsistent-log", "Inconsistent log", status: 422, detail)
        }
    }

    private func cosigned(_ request: DoorRequest) async throws -> Response {
        guard let note = try await accountability.cosigned(originDigest: request.pathParameter("originDigest"), open(request)) else {
            throw CityError.resourceNotFound("originDigest: no checkpoint of this log was co-signed")
        }
        return Self.text(note, [.cacheControl: "no-cache"])
    }

    private func witnesses(_ request: DoorRequest) async throws -> Response {
        let (witnesses, accepted) = try await accountability.witnesses(administering(request))
        return Self.json([
            "witnesses": .array(
                witnesses.map { witness in
                    [
                        "name": .string(witness.key.name), "key": .string(witness.key.description), "address": .string(witness.address),
                        "size": .integer(witness.size), "cosignedAt": witness.seenAt.map { .string($0.description) } ?? .null,
                        "fault": witness.fault.map(JSON.string) ?? .null,
                    ]
                }),
            "acceptedLogs": .array(
                accepted.map { log in
                    ["name": .string(log.key.name), "key": .string(log.key.description), "size": .integer(log.head.size)]
                }),
        ])
    }

    private func member(_ name: String, _ request: DoorRequest) throws(CityError) -> String {
        guard let body = try? JSON(parsing: request.body.readableBytesView) else { throw .invalidRequest("the body is not JSON") }
        guard let text = body[name]?.stringValue, (1...1000).contains(text.utf8.count) else { throw .badRequestData("\(name): a text is missing") }
        return text
    }

    private func addWitness(_ request: DoorRequest) async throws -> Response {
        try await accountability.addWitness(member("key", request), at: member("address", request), administering(request), at: request.now)
        return Response(status: .noContent)
    }

    private func removeWitness(_ request: DoorRequest) async throws -> Response {
        let name = request.query["name"] ?? ""
        guard try await accountability.removeWitness(name, administering(request), at: request.now) else {
            throw CityError.resourceNotFound("name: there is no witness \(name.prefix(200))")
        }
        return Response(status: .noContent)
    }

    private func acceptLog(_ request: DoorRequest) async throws -> Response {
        try await accountability.acceptLog(member("key", request), administering(request), at: request.now)
        return Response(status: .noContent)
    }

    private func dismissLog(_ request: DoorRequest) async throws -> Response {
        let name = request.query["name"] ?? ""
        guard try await accountability.dismissLog(name, administering(request), at: request.now) else {
            throw CityError.resourceNotFound("name: the log \(name.prefix(200)) is not co-signed here")
        }
        return Response(status: .noContent)
    }
}
