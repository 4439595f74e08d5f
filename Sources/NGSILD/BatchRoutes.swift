internal import Broker
internal import CityModel
internal import Door
internal import Federation
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import OrderedCollections
internal import Trust

/// `/entityOperations/…` (clauses 6.14 to 6.17, 6.31).
extension NGSILDDoor {
    var batchRoutes: [Route] {
        func route(_ name: String, _ summary: String, options: String? = nil, created: Bool = false, _ handler: @escaping Route.Handler) -> Route {
            Route(
                .post, Self.base + "/entityOperations/" + name, summary, tag: Self.batch,
                parameters: Self.common + (options.map { [Self.optionsParameter($0)] } ?? []) + [Self.localParameter],
                body: name == "delete" ? Self.identifiersBody : Self.entitiesBody,
                responses: [created ? Self.createdMany : Self.noContent, Self.partialBatch], handler: handler)
        }
        return [
            route("create", "Create many entities", created: true, createMany),
            route("upsert", "Create or update many entities", options: "replace (the default) or update", created: true, upsertMany),
            route("update", "Append attributes to many entities", options: "noOverwrite", updateMany),
            route("merge", "Merge into many entities", mergeMany),
            route("delete", "Delete many entities", deleteMany),
        ]
    }

    private func createMany(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["local"])
        let access = try await writing(request)
        let batch = try await entries(request, purpose: .content) { fragment throws(CityError) in try fragment.entity() }
        let distributed = try await distribute(batch.entries.map(EntityFragment.init), .create, "create", request, access) { [broker] fragments in
            try await broker.createBatch(fragments.map { try $0.entity() }, access, at: request.now)
        }
        return Self.response(to: distributed, batch.errors, whenWhole: .created)
    }

    private func upsertMany(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["options", "local"])
        let access = try await writing(request)
        let mode = try upsertMode(request)
        let batch = try await entries(request, purpose: mode == .replace ? .content : .update) { fragment throws(CityError) in
            try fragment.entity()
        }
        let distributed = try await distribute(batch.entries.map(EntityFragment.init), .upsert(replacing: mode == .replace), "upsert", request, access) { [broker] fragments in
            try await broker.upsertBatch(fragments.map { try $0.entity() }, mode: mode, access, at: request.now)
        }
        return Self.response(to: distributed, batch.errors, whenWhole: distributed.result.created.isEmpty ? .noContent : .created)
    }

    private func upsertMode(_ request: DoorRequest) throws(CityError) -> Broker.UpsertMode {
        var mode: Broker.UpsertMode = .replace
        for option in request.query.list("options") {
            switch option {
            case "replace": mode = .replace
            case "update": mode = .update
            default: throw .invalidRequest("options: \(option) is not an option of this operation")
            }
        }
        return mode
    }

    private func updateMany(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["options", "local"])
        for option in request.query.list("options") where !["noOverwrite", "replace", "update"].contains(option) {
            throw CityError.invalidRequest("options: \(option) is not an option of this operation")
        }
        let access = try await writing(request)
        let batch = try await entries(request, purpose: .content) { fragment throws(CityError) in fragment }
        let overwriting = !request.query.list("options").contains("noOverwrite")
        let distributed = try await distribute(batch.entries, .update(overwriting: overwriting), "update", request, access) { [broker] fragments in
            try await broker.updateBatch(fragments, overwriting: overwriting, access, at: request.now)
        }
        return Self.response(to: distributed, batch.errors, whenWhole: .noContent)
    }

    private func mergeMany(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["options", "local"])
        let access = try await writing(request)
        let batch = try await entries(request, purpose: .merge) { fragment throws(CityError) in fragment }
        let distributed = try await distribute(batch.entries, .merge, "merge", request, access) { [broker] fragments in
            try await broker.mergeBatch(fragments, access, at: request.now)
        }
        return Self.response(to: distributed, batch.errors, whenWhole: .noContent)
    }

    private func deleteMany(_ request: DoorRequest) async throws -> Response {
        try request.query.check(known: ["local"])
        let access = try await writing(request)
        guard Self.jsonTypes.contains(where: { request.headers[.contentType]?.hasPrefix($0) ?? false }) else {
            throw Problem.own("unsupported-media-type", "Unsupported media type", status: 415, "Content-Type: application/json")
        }
        var ids: [IRI] = []
        var errors: [(id: IRI?, error: CityError)] = []
        for (index, element) in try elements(of: parse(request.body)).enumerated() {
            guard let text = element.stringValue ?? element["id"]?.stringValue, let id = IRI(text) else {
                errors.append((nil, .badRequestData("[\(index)]: \(element) is not a URI")))
                continue
            }
            ids.append(id)
        }
        let distributed = try await distributeDeletion(ids, request, access) { [broker] ids in
            try await broker.deleteBatch(ids, access, at: request.now)
        }
        return Self.response(to: distributed, errors, whenWhole: .noContent)
    }

    private struct Entries<Entry: Sendable> {
        var entries: [Entry] = []
        var errors: [(id: IRI?, error: CityError)] = []
    }

    /// Reads every entry by itself: one that is faulty is an error of the result and does not disturb the others.
    private func entries<Entry: Sendable>(
        _ request: DoorRequest, purpose: EntityReader.Purpose, _ finish: (EntityFragment) throws(CityError) -> Entry
    ) async throws -> Entries<Entry> {
        let shared = try await sharedContext(request)
        var batch = Entries<Entry>()
        for (index, element) in try elements(of: parse(request.body)).enumerated() {
            do {
                if shared != nil, element["@context"] != nil {
                    throw CityError.badRequestData("@context: in application/json the context stands in the Link header (clause 6.3.5)")
                }
                let context: Context
                if let shared { context = shared } else { context = try await self.context(ofEntry: element, request) }
                batch.entries.append(try finish(fragment(element, context, purpose)))
            } catch let error as CityError {
                let id = element["id"]?.stringValue.flatMap { IRI($0) }
                batch.errors.append((id, error.inEntry(index)))
            }
        }
        return batch
    }

    /// The context of all entries; nil when each brings its own.
    private func sharedContext(_ request: DoorRequest) async throws -> Context? {
        if isLinkedData(request) {
            guard try LinkHeader.contextURL(request.headers) == nil else {
                throw CityError.badRequestData("Link: in application/ld+json the context stands in the body (clause 6.3.5)")
            }
            return nil
        }
        guard request.headers[.contentType]?.hasPrefix("application/json") ?? false else {
            throw Problem.own(
                "unsupported-media-type", "Unsupported media type", status: 415, "Content-Type: application/json or application/ld+json")
        }
        return try await linkContext(request)
    }

    private func elements(of json: JSON) throws(CityError) -> [JSON] {
        guard case .array(let elements) = json else { throw .badRequestData("the body is an array, not a \(json.kindName)") }
        guard !elements.isEmpty else { throw .badRequestData("the body is an empty array") }
        guard !elements.contains(.null) else { throw .badRequestData("the body contains null") }
        return elements
    }

    /// The status of a batch that went well as a whole, else 207 with a BatchOperationResult (clause 5.2.16).
    private static func response(
        to batch: DistributedBatch, _ unread: [(id: IRI?, error: CityError)], whenWhole status: HTTPResponse.Status
    ) -> Response {
        var result = batch.result
        result.errors = unread + result.errors
        let successes = (result.created + result.changed).map { JSON.string($0.text) }
        guard !result.errors.isEmpty || !batch.foreignErrors.isEmpty else {
            return status == .created
                ? json(.array(result.created.map { .string($0.text) }), status: .created) : Response(status: status)
        }
        let errors: [JSON] = result.errors.map { id, error in
            var members: JSONObject = [:]
            if let id { members["entityId"] = .string(id.text) }
            members["error"] = error.problemJSON
            return .object(members)
        }
        return json(["success": .array(successes), "errors": .array(errors + batch.foreignErrors)], status: .init(code: 207, reasonPhrase: "Multi-Status"))
    }
}

extension CityError {
    /// The same error, said of one entry of a batch.
    fileprivate func inEntry(_ index: Int) -> CityError {
        switch self {
        case .badRequestData(let detail): .badRequestData("[\(index)].\(detail)")
        case .invalidRequest(let detail): .invalidRequest("[\(index)].\(detail)")
        default: self
        }
    }
}
