internal import Broker
internal import CityModel
internal import Query
internal import Door
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
        var writer = JSONWriter(byteCapacity: 2048)
        if representation.isAsStored, found.entity == nil {
            let names = try broker.names(representation.context, access)
            names.write(
                found.stored, includesSystemMembers: representation.includesSystemMembers,
                contextMember: contextMember(representation), to: &writer)
        } else {
            let notFound = CityError.resourceNotFound("entity \(found.stored.id) has none of the members asked for")
            guard let entity = representation.selected(try broker.entity(found, access)) else { throw notFound }
            try await write([entity], representation, isArray: false, access, request.now, to: &writer)
        }
        return response(writer, representation, request)
    }

    /// A page of entities.
    func answer(_ page: EntityPage, _ representation: Representation, _ request: DoorRequest, _ access: ReadAccess) async throws -> Response {
        var writer = JSONWriter(byteCapacity: 1024 + page.entities.count * 640)
        if representation.isAsStored, page.entities.allSatisfy({ !hasExpired($0, request.now) }) {
            let names = try broker.names(representation.context, access)
            let member = contextMember(representation)
            writer.raw("[")
            for (index, found) in page.entities.enumerated() {
                if index > 0 { writer.raw(",") }
                names.write(
                    found.stored, includesSystemMembers: representation.includesSystemMembers, contextMember: member, to: &writer)
            }
            writer.raw("]")
        } else {
            let entities = try page.entities.compactMap { representation.selected(try broker.entity($0, access)) }
            try await write(entities, representation, isArray: true, access, request.now, to: &writer)
        }
        return response(writer, representation, request)
    }

    private func hasExpired(_ found: FoundEntity, _ now: Instant) -> Bool { found.stored.expiresAt.map { $0 <= now } ?? false }

    private func contextMember(_ representation: Representation) -> [UInt8]? {
        guard representation.mediaType == .linkedData else { return nil }
        var writer = JSONWriter()
        writer.write(representation.context.source)
        return writer.bytes
    }

    private func write(
        _ entities: [Entity], _ representation: Representation, isArray: Bool, _ access: ReadAccess, _ now: Instant,
        to writer: inout JSONWriter
    ) async throws {
        let names = ContextNames(context: representation.context, includesSystemMembers: representation.includesSystemMembers)
        let entityWriter = EntityWriter(names: names, format: representation.format)
        if representation.mediaType == .geoJSON {
            return writeFeatures(entities, representation, entityWriter, isCollection: isArray, to: &writer)
        }
        let linked = try await linkedEntities(of: entities, representation, access, now)
        let context = representation.mediaType == .linkedData ? representation.context.source : nil
        let isFlat = representation.join?.kind == .flat
        let shown = isFlat ? entities + linked.filter { linked in !entities.contains { $0.id == linked.id } } : entities
        let inline = representation.join?.kind == .inline
            ? LinkedEntities(
                entities: Dictionary(linked.map { ($0.id.text, $0) }, uniquingKeysWith: { first, _ in first }),
                depth: representation.join?.level ?? 0) : nil
        let asArray = isArray || (isFlat && shown.count > 1)
        if asArray { writer.raw("[") }
        for (index, entity) in shown.enumerated() {
            if index > 0 { writer.raw(",") }
            entityWriter.write(entity, members: representation.members, context: context, linked: inline, to: &writer)
        }
        if asArray { writer.raw("]") }
    }

    /// The entities that relationships of these lead to, level by level, each once.
    private func linkedEntities(
        of entities: [Entity], _ representation: Representation, _ access: ReadAccess, _ now: Instant
    ) async throws -> [Entity] {
        guard let join = representation.join else { return [] }
        var known = join.containedBy.union(entities.map(\.id))
        var linked: [Entity] = []
        var level = entities
        for _ in 0..<join.level {
            let targets = Set(level.flatMap { $0.attributes.values.joined().flatMap(\.targets) }.compactMap { IRI($0) })
            let wanted = join.kind == .flat ? targets.subtracting(known) : targets.subtracting(join.containedBy)
            guard !wanted.isEmpty, linked.count < limits.pageCountMax else { break }
            known.formUnion(wanted)
            level = try await broker.retrieve(wanted, access, at: now)
            linked += level
        }
        return linked
    }

    private func response(_ writer: JSONWriter, _ representation: Representation, _ request: DoorRequest) -> Response {
        var headers: HTTPFields = [.contentType: representation.mediaType.rawValue]
        let linksContext = representation.mediaType == .json || (representation.mediaType == .geoJSON && representation.isGeoJSONWithoutContext)
        if linksContext { headers[.link] = LinkHeader.value(representation.context.linkURL) }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: writer.bytes)))
    }
}

extension Context {
    /// What a `Link` header can name: the one URL of the user's context, else that of the core context.
    var linkURL: String {
        switch source {
        case .string(let url): url
        case .array(let elements): elements.first?.stringValue ?? CoreContext.url
        default: CoreContext.url
        }
    }
}

extension Representation {
    var members: EntityWriter<ContextNames>.Members {
        var members: EntityWriter<ContextNames>.Members = []
        if projection.keepsID { members.insert(.id) }
        if projection.keepsTypes { members.insert(.type) }
        if projection.keepsScopes { members.insert(.scope) }
        return members
    }

    /// What is to be shown of an entity; nil when nothing is.
    func selected(_ entity: Entity) -> Entity? {
        var entity = entity
        if let datasets { entity = datasets.apply(to: entity) }
        guard let projected = projection.apply(to: entity) else { return nil }
        return languages?.apply(to: projected) ?? projected
    }
}

// MARK: - GeoJSON (clauses 4.5.16, 4.5.17)

extension NGSILDDoor {
    private func writeFeatures(
        _ entities: [Entity], _ representation: Representation, _ entityWriter: EntityWriter<ContextNames>, isCollection: Bool,
        to writer: inout JSONWriter
    ) {
        let context = representation.isGeoJSONWithoutContext ? nil : representation.context.source
        guard isCollection else {
            if let entity = entities.first { writeFeature(entity, representation, entityWriter, context: context, to: &writer) }
            return
        }
        writer.raw("{\"type\":\"FeatureCollection\",\"features\":[")
        for (index, entity) in entities.enumerated() {
            if index > 0 { writer.raw(",") }
            writeFeature(entity, representation, entityWriter, context: nil, to: &writer)
        }
        writer.raw("]")
        writeContext(context, to: &writer)
        writer.raw("}")
    }

    private func writeFeature(
        _ entity: Entity, _ representation: Representation, _ entityWriter: EntityWriter<ContextNames>, context: JSON?,
        to writer: inout JSONWriter
    ) {
        let geometries = entity.attributes[representation.geometryProperty]?.filter { $0.kind == .geoProperty } ?? []
        let geometry = geometries.first { $0.datasetID == nil } ?? geometries.first
        writer.raw("{\"id\":")
        writer.write(entity.id.text)
        writer.raw(",\"type\":\"Feature\",\"geometry\":")
        writer.write(geometry?.value ?? .null)
        writer.raw(",\"properties\":")
        entityWriter.write(entity, members: representation.members.subtracting(.id), to: &writer)
        writeContext(context, to: &writer)
        writer.raw("}")
    }

    private func writeContext(_ context: JSON?, to writer: inout JSONWriter) {
        guard let context else { return }
        writer.raw(",\"@context\":")
        writer.write(context)
    }
}
