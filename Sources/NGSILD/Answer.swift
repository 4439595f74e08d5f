internal import Broker
internal import CityModel
internal import Query
internal import Door
internal import Federation
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import NIOCore
internal import OrderedCollections
internal import Store
internal import Trust

/// Writing entities as answers (clauses 6.3.6, 4.5.16).
extension NGSILDDoor {
    /// One entity.
    /// - Throws: `resourceNotFound` when nothing of it is left to show.
    func answer(_ found: FoundEntity, _ representation: Representation, _ request: DoorRequest, _ access: ReadAccess) async throws -> Response {
        if representation.isAsStored, found.entity == nil, let body = try body(stored: [found], isArray: false, representation, access) {
            return response(body, representation, isAmended: false)
        }
        guard let entity = representation.view.selected(try broker.entity(found, access)) else {
            throw CityError.resourceNotFound("entity \(found.stored.id) has none of the members asked for")
        }
        return try await response([entity], isArray: false, representation, access, request.now)
    }

    /// How the same is answered of another entity, where its document can be copied and no source has anything, for another it may have.
    func sibling(
        _ types: TypeSelection?, _ representation: Representation, _ request: DoorRequest, _ access: ReadAccess
    ) async throws -> AnswerReuse.Siblings.Body? {
        guard representation.isAsStored else { return nil }
        if try !isLocalOnly(request), try await federation.hasSources(access) { return nil }
        return { [self] part in
            guard let id = IRI(part), let (found, moment) = broker.glimpse(id, selecting: types, access, at: .now), found.entity == nil,
                let body = (try? body(stored: [found], isArray: false, representation, access)) ?? nil
            else { return nil }
            return AnswerReuse.SiblingBody(bytes: body, isCurrent: { moment.isCurrent })
        }
    }

    /// A page of entities.
    func answer(_ page: EntityPage, _ representation: Representation, _ request: DoorRequest, _ access: ReadAccess) async throws -> Response {
        if representation.isAsStored, page.entities.allSatisfy({ !hasExpired($0, request.now) }),
            let body = try body(stored: page.entities, isArray: true, representation, access)
        {
            return response(body, representation, isAmended: false)
        }
        let entities = try page.entities.compactMap { representation.view.selected(try broker.entity($0, access)) }
        return try await response(entities, isArray: true, representation, access, request.now)
    }

    private func hasExpired(_ found: FoundEntity, _ now: Instant) -> Bool { found.stored.expiresAt.map { $0 <= now } ?? false }

    /// The hot path: documents are copied, and only names are put in.
    /// - Returns: nil where an entity takes more than that.
    private func body(stored: [FoundEntity], isArray: Bool, _ representation: Representation, _ access: ReadAccess) throws -> ByteBuffer? {
        var buffer = RenderBuffer(byteCapacity: 1024 + stored.count * 640)
        let names = try broker.names(representation.context, access)
        let member = contextMember(representation)
        if isArray { buffer.append("[") }
        for (index, found) in stored.enumerated() {
            if index > 0 { buffer.append(",") }
            guard representation.format == .simplified else {
                names.write(found.stored, includesSystemMembers: representation.includesSystemMembers, contextMember: member, to: &buffer)
                continue
            }
            let isWritten = names.writeSimplified(
                found.stored, includesSystemMembers: representation.includesSystemMembers, contextMember: member, to: &buffer)
            guard isWritten else { return nil }
        }
        if isArray { buffer.append("]") }
        return buffer.withBytes { ByteBuffer(bytes: $0) }
    }

    private func contextMember(_ representation: Representation) -> [UInt8]? {
        guard representation.mediaType == .linkedData else { return nil }
        var writer = JSONWriter()
        writer.write(representation.context.answered)
        return writer.bytes
    }

    /// Entities that no document is kept of as they are to be shown.
    func response(
        _ entities: [Entity], isArray: Bool, _ representation: Representation, _ access: ReadAccess, _ now: Instant
    ) async throws -> Response {
        let names = ContextNames(context: representation.context, includesSystemMembers: representation.includesSystemMembers)
        let entityWriter = EntityWriter(names: names, format: representation.format)
        let asksForLess = representation.version?.asksForLess ?? false
        let view = representation.view
        let amended = asksForLess ? entities.map(view.amended) : entities
        let isAmended = asksForLess && amended != entities
        var writer = JSONWriter(byteCapacity: 1024 + entities.count * 640)
        if representation.mediaType == .geoJSON {
            let features = FeatureWriter(
                entityWriter: entityWriter, geometryProperty: representation.geometryProperty, members: representation.projection.members)
            let context = representation.isGeoJSONWithoutContext ? nil : representation.context.answered
            if isArray {
                features.write(collection: amended, context: context, to: &writer)
            } else if let entity = amended.first {
                features.write(entity, context: context, to: &writer)
            }
            return response(ByteBuffer(bytes: writer.bytes), representation, isAmended: isAmended)
        }
        var linked: [LinkedEntity] = []
        if let join = representation.join {
            linked = try await broker.linkedEntities(of: amended, join, view, countMax: limits.pageCountMax, access, at: now)
        }
        let context = representation.mediaType == .linkedData ? representation.context.answered : nil
        var inline: LinkedEntities?
        if let join = representation.join, join.kind == .inline {
            inline = LinkedEntities(
                entities: Dictionary(linked.map { ($0.whole.id.text, $0.whole) }, uniquingKeysWith: { first, _ in first }),
                depth: join.level, view: view.linked(representation.projection))
        }
        let beside = representation.join?.kind == .flat ? linked : []
        let asArray = isArray || !beside.isEmpty
        if asArray { writer.raw("[") }
        for (index, entity) in amended.enumerated() {
            if index > 0 { writer.raw(",") }
            entityWriter.write(entity, members: representation.projection.members, context: context, linked: inline, to: &writer)
        }
        for (index, entry) in beside.enumerated() {
            if index > 0 || !amended.isEmpty { writer.raw(",") }
            entityWriter.write(entry.shown, members: entry.projection.members, context: context, to: &writer)
        }
        if asArray { writer.raw("]") }
        return response(ByteBuffer(bytes: writer.bytes), representation, isAmended: isAmended)
    }

    private func response(_ body: ByteBuffer, _ representation: Representation, isAmended: Bool) -> Response {
        var headers: HTTPFields = [.contentType: representation.mediaType.rawValue]
        let linksContext = representation.mediaType == .json || (representation.mediaType == .geoJSON && representation.isGeoJSONWithoutContext)
        if linksContext { headers[.link] = LinkHeader.value(representation.context.linkURL) }
        if let version = representation.version { headers[.preferenceApplied] = version.applied }
        let status: HTTPResponse.Status = isAmended ? .nonAuthoritativeInformation : .ok
        return Response(status: status, headers: headers, body: .init(byteBuffer: body))
    }
}
