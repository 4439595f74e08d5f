internal import Broker
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import OrderedCollections
internal import Query
internal import Store
internal import Trust

/// `/snapshots`, `/snapshots/{snapshotId}` and `/snapshots/{snapshotId}/clone` (clauses 6.36 to 6.38).
extension NGSILDDoor {
    var snapshotRoutes: [Route] {
        let snapshots = Self.base + "/snapshots"
        let one = snapshots + "/{snapshotId}"
        let id = Route.Parameter("snapshotId", in: .path, "The snapshot's identifier", schema: ["type": "string", "format": "uri"])
        let schema: JSON = ["$ref": "#/components/schemas/Snapshot"]
        let answer = Route.Answer(200, "The snapshot", mediaTypes: Self.jsonTypes, schema: schema)
        return [
            Route(
                .post, snapshots, "Freeze what queries find", tag: Self.snapshotsTag, parameters: Self.common,
                body: .init(Self.jsonTypes, schema: schema), responses: [Self.created, Self.conflict], handler: createSnapshot),
            Route(
                .delete, snapshots, "Purge snapshots: delete those that match", tag: Self.snapshotsTag,
                parameters: Self.common + [.init("q", in: .query, "A query over the members of snapshots (clause 4.9)", isRequired: true)],
                responses: [Self.noContent], handler: purgeSnapshots),
            Route(
                .get, one, "Say how a snapshot is", tag: Self.snapshotsTag, parameters: [id] + Self.common, responses: [answer],
                handler: retrieveSnapshot),
            Route(
                .patch, one, "Change a snapshot's lifetime, priority or endpoint", tag: Self.snapshotsTag, parameters: [id] + Self.common,
                body: Self.fragmentBody, responses: [answer], handler: updateSnapshot),
            Route(
                .delete, one, "Delete a snapshot", tag: Self.snapshotsTag, parameters: [id] + Self.common, responses: [Self.noContent],
                handler: deleteSnapshot),
            Route(
                .post, one + "/clone", "Copy a snapshot", tag: Self.snapshotsTag, parameters: [id] + Self.common,
                body: .init(Self.jsonTypes, schema: schema), responses: [Self.created, Self.conflict], handler: cloneSnapshot),
        ]
    }

    private func createSnapshot(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: [])
        let access = try await managing(request)
        let body = try await body(request)
        let members = body.json.objectValue ?? [:]
        let document = try SnapshotDocument(creating: members, body.context)
        // What can't be understood is refused at once; what fails later is told by the status.
        for query in document.queries { _ = try SnapshotQueries.query(query, body.context) }
        for query in document.evolutionQueries { _ = try SnapshotQueries.evolutionQuery(query, body.context) }
        let record = try record(members, document, access, at: request.now)
        try await broker.createSnapshot(record, access, at: request.now)
        return Self.createdResponse(Self.base + "/snapshots/" + PercentEncoding.encode(record.id))
    }

    private func cloneSnapshot(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: [])
        let access = try await managing(request)
        let id = try request.identifier("snapshotId")
        let body = try await body(request)
        let members = body.json.objectValue ?? [:]
        let copy = try await broker.cloneSnapshot(id, access, at: request.now) { [self] source in
            let document = try SnapshotDocument(creating: members, body.context, cloneOf: source.document)
            var record = try record(members, document, access, at: request.now)
            record.status = .success
            record.untoldCount = try document.endpoint == nil ? 0 : SnapshotService.attemptCountMax
            return record
        }
        return Self.createdResponse(Self.base + "/snapshots/" + PercentEncoding.encode(copy))
    }

    private func record(
        _ members: JSONObject, _ document: SnapshotDocument, _ access: WriteAccess, at now: Instant
    ) throws(CityError) -> SnapshotRecord {
        if let value = members["id"], value.stringValue.flatMap(IRI.init) == nil { throw .badRequestData("id: a snapshot's id is a URI") }
        return SnapshotRecord(
            id: members["id"]?.stringValue ?? "urn:ngsi-ld:Snapshot:" + Broker.randomText(), body: document.json,
            classificationMax: access.reading.classificationMax, priority: document.priority, createdAt: now,
            expiresAt: broker.snapshotExpiry(document.wantedExpiry(from: now), at: now))
    }

    private func retrieveSnapshot(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: [])
        let access = try await managing(request)
        let record = try await broker.snapshot(request.identifier("snapshotId"), access, at: request.now)
        return try described(record.document.answer(record), try await linkContext(request), request)
    }

    private func updateSnapshot(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: [])
        let access = try await managing(request)
        let id = try request.identifier("snapshotId")
        let body = try await body(request, mergePatch: true)
        let fragment = body.json.objectValue ?? [:]
        let now = request.now
        let updated = try await broker.updateSnapshot(id, access, at: now) { [broker] record in
            var document = record.document
            try document.update(with: fragment, id: record.id)
            (record.body, record.priority, record.modifiedAt) = (document.json, document.priority, now)
            if fragment["snapshotLifetime"] != nil { record.expiresAt = broker.snapshotExpiry(document.wantedExpiry(from: now), at: now) }
            if try document.endpoint != nil { record.untoldCount = SnapshotService.attemptCountMax }
        }
        return try described(updated.document.answer(updated), body.context, request)
    }

    private func deleteSnapshot(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: [])
        let access = try await managing(request)
        try await broker.deleteSnapshot(request.identifier("snapshotId"), access, at: request.now)
        return Response(status: .noContent)
    }

    /// - Throws: `badRequestData` for a query about anything but members of a snapshot, `resourceNotFound` when none matches.
    private func purgeSnapshots(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["q"])
        let access = try await managing(request)
        guard let text = request.query["q"] else { throw CityError.badRequestData("q: says which snapshots are purged") }
        let query = try QueryExpression(parsing: text, expand: SnapshotRecord.member)
        for term in query.terms where !term.path.hops.isEmpty || !SnapshotDocument.members.contains(term.path.root.term) {
            throw CityError.badRequestData("q: \(term.path.root.term) is no member of a Snapshot (clause 5.16.7.4)")
        }
        guard try await broker.purgeSnapshots(access, at: request.now, where: { query.matches($0.asEntity()) }) > 0 else {
            throw CityError.resourceNotFound("q: no snapshot matches")
        }
        return Response(status: .noContent)
    }
}
