internal import CityModel
package import Door
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Ledger
internal import Logging
internal import NIOCore
internal import Store
package import Trust

/// The ledger over HTTP. Everybody may fetch its checkpoint, its tiles (C2SP tlog-tiles) and proofs: they say that something was recorded and
/// nothing of what. Entries are for those who may administer.
///
/// The municipality stands in the path, so that a client of any log can be pointed at `/ledger/NAME`; or it is named as for other requests.
package struct TransparencyDoor: Sendable {
    let accountability: Accountability
    let gatekeeper: Gatekeeper

    package init(accountability: Accountability, gatekeeper: Gatekeeper) {
        (self.accountability, self.gatekeeper) = (accountability, gatekeeper)
    }

    static let tag = "Ledger"
    static let text = "text/plain; charset=utf-8"
    static let name = Route.Parameter("municipality", in: .path, "The municipality's name, or _installation")
    private static let tenant = Route.Parameter("NGSILD-Tenant", in: .header, "The municipality; the standard one where absent")
    private static let octets = "application/octet-stream"

    package var routes: [Route] {
        prefixed("/ledger", [Self.tenant]) + prefixed("/ledger/{municipality}", [Self.name]) + [
            Route(
                .get, "/ledger/{municipality}/keys", "The keys that checkpoints and co-signatures are verified with", tag: Self.tag,
                parameters: [Self.name], responses: [.init(200, "Verifiers' keys (C2SP signed-note)", mediaTypes: ["application/json"], schema: ["type": "object"])],
                handler: keys),
            Route(
                .get, "/ledger/{municipality}/proof/{position}", "A file that proves that an act is in the ledger", tag: Self.tag,
                parameters: [Self.name, Self.position],
                responses: [.init(200, "C2SP tlog-proof; for administrators with the entry", mediaTypes: ["text/plain"]), .init(404, "It is not there yet")],
                handler: proof),
            Route(
                .get, "/ledger/{municipality}/entries", "What was recorded", tag: Self.tag,
                parameters: [
                    Self.name,
                    .init("after", in: .query, "Only acts after this position", schema: ["type": "integer", "minimum": -1]),
                    .init("limit", in: .query, "How many at most", schema: ["type": "integer", "minimum": 1, "maximum": 1000]),
                ], responses: [.init(200, "Entries in their order", mediaTypes: ["application/json"], schema: ["type": "array"])], handler: entries),
            Route(
                .delete, "/ledger/{municipality}/entries/{position}", "Erase what an act was about; its leaf stays", tag: Self.tag,
                parameters: [Self.name, Self.position], responses: [.init(204, "Erased")], handler: erase),
            Route(
                .post, "/ledger/{municipality}/renewal", "Go on under another key, after what was signed was lost", tag: Self.tag,
                parameters: [Self.name], responses: [.init(204, "Renewed")], handler: renew),
        ] + witnessRoutes
    }

    private static let position = Route.Parameter("position", in: .path, "The act's position", schema: ["type": "integer", "minimum": 0])

    /// What clients of C2SP tlog-tiles fetch below a log's prefix. A tile's number has a path element for each three digits.
    private func prefixed(_ prefix: String, _ parameters: [Route.Parameter]) -> [Route] {
        let level = Route.Parameter("level", in: .path, "0 to 7, or entries")
        let numbers = (1...4).map { Route.Parameter("n\($0)", in: .path, "Part of the tile's number, or of a partial tile's width") }
        let tiles = (1...4).map { count in
            Route(
                .get, prefix + "/tile/{level}" + numbers[..<count].map { "/{\($0.name)}" }.joined(), "A tile of hashes or of leaves", tag: Self.tag,
                parameters: parameters + [level] + numbers[..<count],
                responses: [.init(200, "C2SP tlog-tiles", mediaTypes: [Self.octets], schema: ["type": "string", "format": "binary"]), .init(404, "The tree has no such tile")],
                handler: tile)
        }
        return [
            Route(
                .get, prefix + "/checkpoint", "The newest signed checkpoint", tag: Self.tag, parameters: parameters,
                responses: [.init(200, "C2SP tlog-checkpoint", mediaTypes: ["text/plain"])], handler: checkpoint)
        ] + tiles
    }
}

// MARK: - Requests

extension TransparencyDoor {
    func municipality(_ request: DoorRequest) throws(CityError) -> MunicipalityName {
        guard let text = request.pathParameters["municipality"] else { return try request.tenant() }
        if text == MunicipalityName.installation.text { return .installation }
        guard let name = MunicipalityName(text) else { throw .badRequestData("municipality: \(text) is not a name: 1 to 64 letters, digits, - and _") }
        return name
    }

    /// For what everybody may have: a credential makes no difference, not even one that is not valid here.
    func open(_ request: DoorRequest) async throws -> ReadAccess { try await gatekeeper.reading(municipality(request), .none) }

    func administering(_ request: DoorRequest) async throws -> AdministerAccess {
        try await gatekeeper.administering(municipality(request), request.credential)
    }

    private func position(_ request: DoorRequest) throws(CityError) -> Int64 {
        let text = try request.pathParameter("position")
        guard let position = Int64(text), position >= 0 else { throw .badRequestData("position: \(text) is not a whole number from 0") }
        return position
    }

    /// What is wrong with keys or with what was signed is told to whoever asks, without the places where it is.
    func signing<Value>(_ request: DoorRequest, _ body: () async throws -> Value) async throws -> Value {
        func unsigned(_ error: any Error, _ detail: String) -> Problem {
            request.logger.critical("a ledger can't be signed", metadata: ["error": "\(error)"])
            return .own("ledger-unsigned", "Ledger not signed", status: 503, detail)
        }
        do { return try await body() } catch let fault as LedgerFault {
            throw unsigned(fault, fault.description)
        } catch let error as KeyRingError {
            throw unsigned(error, "the ledger's key can't be had; the log says why")
        } catch let error as LedgerError {
            throw unsigned(error, "what was signed before is not by this ledger's key; the log says more")
        }
    }
}

// MARK: - Answers

extension TransparencyDoor {
    private func checkpoint(_ request: DoorRequest) async throws -> Response {
        let access = try await open(request)
        let checkpoint = try await signing(request) { try await accountability.checkpoint(access, at: request.now) }
        return Self.text(checkpoint.note, [.cacheControl: "no-cache"])
    }

    private func tile(_ request: DoorRequest) async throws -> Response {
        let path = ["level", "n1", "n2", "n3", "n4"].compactMap { request.pathParameters[$0] }.joined(separator: "/")
        guard let tile = Tile(path: path), let bytes = try await accountability.tile(tile, open(request)) else {
            throw CityError.resourceNotFound("the ledger has no tile \(path.prefix(100))")
        }
        return Response(
            status: .ok, headers: [.contentType: Self.octets, .cacheControl: "public, max-age=31536000, immutable"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private func keys(_ request: DoorRequest) async throws -> Response {
        let access = try await open(request)
        let keys = try await signing(request) { try await accountability.verifiers(access) }
        return Self.json(["ledger": .string(keys.ledger.description), "witness": .string(keys.witness.description)])
    }

    private func proof(_ request: DoorRequest) async throws -> Response {
        let (access, position) = (try await open(request), try position(request))
        // Who may not see the entry is given the proof without it.
        let entry = try? await administering(request)
        guard let proof = try await signing(request, { try await accountability.proof(of: position, access, entry: entry, at: request.now) }) else {
            throw CityError.resourceNotFound("position: the newest checkpoint does not cover \(position)")
        }
        return Self.text(
            proof.description,
            [.cacheControl: "no-store", .contentDisposition: "attachment; filename=\"\(access.municipality)-\(position).tlog-proof\""])
    }

    private func entries(_ request: DoorRequest) async throws -> Response {
        let access = try await administering(request)
        let after = Int64(try request.query.integer("after", in: -1...(Int.max - 1)) ?? -1)
        let rows = try await accountability.entries(from: after + 1, limit: try request.query.integer("limit", in: 1...1000) ?? 100, access)
        return Self.json(.array(rows.map(Self.json)))
    }

    private static func json(_ row: LedgerRow) -> JSON {
        let time = Instant(milliseconds: row.leaf.time).description
        guard let text = row.text else { return ["position": .integer(row.position), "recordedAt": .string(time), "erased": true] }
        return [
            "position": .integer(row.position), "recordedAt": .string(time), "salt": .string(Data(text.salt).base64EncodedString()),
            "entry": (try? JSON(parsing: text.entry)) ?? .string(String(decoding: text.entry, as: UTF8.self)),
        ]
    }

    private func erase(_ request: DoorRequest) async throws -> Response {
        let position = try position(request)
        guard try await accountability.erase(position, administering(request), at: request.now) else {
            throw CityError.resourceNotFound("position: there is nothing to erase at \(position)")
        }
        return Response(status: .noContent)
    }

    private func renew(_ request: DoorRequest) async throws -> Response {
        // Whoever could make a ledger forget what it signed from afar could rewrite it: this takes the machine itself.
        _ = try gatekeeper.installation(request.credential)
        try await accountability.renew(administering(request), at: request.now)
        return Response(status: .noContent)
    }

    static func text(_ text: String, _ headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = Self.text
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    static func json(_ value: JSON) -> Response {
        Response(status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: ByteBuffer(string: value.description)))
    }
}
