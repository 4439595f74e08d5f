internal import Broker
internal import Cases
internal import CityModel
internal import Door
internal import OrderedCollections
internal import Query
internal import Services
internal import Store
internal import Trust

/// What is asked of requests.
extension Open311Door {
    func list(_ request: DoorRequest) async throws -> Open311Answer {
        let language = try AnswerLanguage(request.said("lang"))
        let ids = try request.words("service_request_id", countMax: configuration.limits.wordCountMax)
        // Identifiers override all other arguments.
        let search = ids.isEmpty ? try RequestSearch(request, configuration.limits) : nil
        let access = try await reading(request)
        let found = if let search { try await entities(search, access, at: request.now) } else { try await entities(called: ids, access, at: request.now) }
        return try await answer(found, request, language, access)
    }

    func single(_ id: String, _ request: DoorRequest) async throws -> Open311Answer {
        let language = try AnswerLanguage(request.said("lang"))
        let access = try await reading(request)
        guard let entity = try await entities(called: [id], access, at: request.now).first else {
            throw Open311Fault(404, "service_request_id: there is no \(id.prefix(100)), or it is not public")
        }
        return try await answer([entity], request, language, access)
    }

    /// Requests have their identifier at once, so no token is ever given: what is asked for is an identifier, or not there.
    func token(_ token: String, _ request: DoorRequest) async throws -> Open311Answer {
        let access = try await reading(request)
        guard let id = try await entities(called: [token], access, at: request.now).first?.said(CaseTerm.reference) else {
            throw Open311Fault(404, "token: there is no \(token.prefix(100))")
        }
        return Open311Answer(root: "service_requests", value: [["service_request_id": .string(id), "token": .string(token)]])
    }

    // MARK: Entities

    /// A page of a list.
    func entities(_ search: RequestSearch, _ access: ReadAccess, at now: Instant) async throws -> [Entity] {
        var walk = SpanWalk(search.span)
        var (found, passed) = ([Entity](), 0)
        while found.count < search.limit, let slice = walk.slice {
            let wanted = search.part(slice, offset: max(0, search.offset - passed), limit: search.limit - found.count)
            if wanted.offset > 0 {
                // Parts before the page are counted, which is less than to put them in order.
                let count = try await desk.count(wanted, access, at: now)
                if count <= wanted.offset {
                    passed += count
                    walk.passed(count: count)
                    continue
                }
            }
            do {
                let page = try await desk.cases(wanted, access, at: now)
                found += page.cases
                passed += page.count
                walk.passed(count: page.count)
            } catch CityError.tooManyResults(let detail) {
                guard walk.narrow() else { throw CityError.tooManyResults(detail) }
            }
        }
        return found
    }

    /// Requests by their identifiers, in the order of these; whoever asks may write references of cases as people do.
    func entities(called ids: [String], _ access: ReadAccess, at now: Instant) async throws -> [Entity] {
        let wanted = ids.map(Self.spellings)
        let values = OrderedSet(wanted.flatMap { $0 }).flatMap { text -> [QueryValue] in
            // Sources may have read digits as a number.
            if let number = Int64(text) { [.text(text), .integer(number)] } else { [.text(text)] }
        }
        let path = AttributePath(root: .init(term: "service_request_id", iri: CaseTerm.reference))
        let filter = EntityFilter(types: .type(CaseType.request.iri), query: .term(QueryTerm(path: path, condition: .equal(values))))
        let page = try await broker.query(EntityQuery(filter: filter, limit: configuration.limits.pageSizeMax), access, at: now)
        let found = try page.entities.map { try broker.entity($0, access) }.sorted { $0.id < $1.id }
        let byID = Dictionary(grouping: found) { $0.said(CaseTerm.reference) ?? "" }
        var shown: Set<IRI> = []
        return wanted.flatMap { $0.flatMap { byID[$0] ?? [] } }.filter { shown.insert($0.id).inserted }
    }

    private static func spellings(_ id: String) -> [String] {
        guard let reference = CaseReference(id), reference.text != id else { return [id] }
        return [id, reference.text]
    }

    // MARK: Answers

    private func answer(_ entities: [Entity], _ request: DoorRequest, _ language: AnswerLanguage, _ access: ReadAccess) async throws -> Open311Answer {
        let isExtended = request.isExtended
        let photos = try await photos(of: entities, request, access)
        var known: [String: ServiceDefinition?] = [:]
        var answers: [JSON] = []
        for entity in entities {
            var answer = RequestAnswer(entity: entity, zone: configuration.zone, language: language, photos: photos[entity.said(CaseTerm.reference) ?? ""] ?? [], isExtended: isExtended)
            if isExtended || language.code != nil { answer.definition = await definition(of: entity, access, &known) }
            answers.append(answer.json)
        }
        return Open311Answer(root: "service_requests", value: .array(answers))
    }

    /// The service that a case began with; nil for requests of elsewhere.
    private func definition(of entity: Entity, _ access: ReadAccess, _ known: inout [String: ServiceDefinition?]) async -> ServiceDefinition? {
        guard let code = entity.said(CaseTerm.serviceCode) else { return nil }
        let version = entity.number(CaseTerm.serviceVersion)
        let key = "\(code)@\(version ?? 0)"
        if let definition = known[key] { return definition }
        let definition = try? await desk.catalogue.service(code, version: version, access).definition
        known[key] = .some(definition)
        return definition
    }

    /// Addresses of the public photos, by the case's reference.
    private func photos(of entities: [Entity], _ request: DoorRequest, _ access: ReadAccess) async throws -> [String: [String]] {
        let references = entities.compactMap { CaseType.request.key(of: $0.id).flatMap(CaseReference.init)?.text }
        let base = address(request)
        return try await broker.publicAttachments(of: references, access).mapValues { attachments in
            attachments.filter { $0.mediaType.hasPrefix("image/") }.map { "\(base)/attachments/\($0.id)?municipality=\(access.municipality.text)" }
        }
    }
}
