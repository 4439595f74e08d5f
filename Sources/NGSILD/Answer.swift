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
        if representation.isAsStored, found.entity == nil {
            return try response(stored: [found], isArray: false, representation, access)
        }
        guard let entity = representation.selected(try broker.entity(found, access)) else {
            throw CityError.resourceNotFound("entity \(found.stored.id) has none of the members asked for")
        }
        return try await response([entity], isArray: false, representation, access, request.now)
    }

    /// A page of entities.
    func answer(_ page: EntityPage, _ representation: Representation, _ request: DoorRequest, _ access: ReadAccess) async throws -> Response {
        if representation.isAsStored, page.entities.allSatisfy({ !hasExpired($0, request.now) }) {
            return try response(stored: page.entities, isArray: true, representation, access)
        }
        let entities = try page.entities.compactMap { representation.selected(try broker.entity($0, access)) }
        return try await response(entities, isArray: true, representation, access, request.now)
    }

    private func hasExpired(_ found: FoundEntity, _ now: Instant) -> Bool { found.stored.expiresAt.map { $0 <= now } ?? false }

    /// The hot path: documents are copied, and only names are put in.
    private func response(
        stored: [FoundEntity], isArray: Bool, _ representation: Representation, _ access: ReadAccess
    ) throws -> Response {
        var writer = JSONWriter(byteCapacity: 1024 + stored.count * 640)
        let names = try broker.names(representation.context, access)
        let member = contextMember(representation)
        if isArray { writer.raw("[") }
        for (index, found) in stored.enumerated() {
            if index > 0 { writer.raw(",") }
            names.write(found.stored, includesSystemMembers: representation.includesSystemMembers, contextMember: member, to: &writer)
        }
        if isArray { writer.raw("]") }
        return response(writer, representation, isAmended: false)
    }

    private func contextMember(_ representation: Representation) -> [UInt8]? {
        guard representation.mediaType == .linkedData else { return nil }
        var writer = JSONWriter()
        writer.write(representation.context.answered)
        return writer.bytes
    }

    private func response(
        _ entities: [Entity], isArray: Bool, _ representation: Representation, _ access: ReadAccess, _ now: Instant
    ) async throws -> Response {
        let names = ContextNames(context: representation.context, includesSystemMembers: representation.includesSystemMembers)
        let entityWriter = EntityWriter(names: names, format: representation.format)
        let asksForLess = representation.version?.asksForLess ?? false
        let amended = asksForLess ? entities.map(representation.amended) : entities
        let isAmended = asksForLess && amended != entities
        var writer = JSONWriter(byteCapacity: 1024 + entities.count * 640)
        if representation.mediaType == .geoJSON {
            writeFeatures(amended, representation, entityWriter, isCollection: isArray, to: &writer)
            return response(writer, representation, isAmended: isAmended)
        }
        let linked = try await linkedEntities(of: amended, representation, access, now)
        let context = representation.mediaType == .linkedData ? representation.context.answered : nil
        var inline: LinkedEntities?
        if let join = representation.join, join.kind == .inline {
            inline = LinkedEntities(
                entities: Dictionary(linked.map { ($0.whole.id.text, $0.whole) }, uniquingKeysWith: { first, _ in first }),
                depth: join.level, view: representation.view(representation.projection))
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
        return response(writer, representation, isAmended: isAmended)
    }

    private func response(_ writer: JSONWriter, _ representation: Representation, isAmended: Bool) -> Response {
        var headers: HTTPFields = [.contentType: representation.mediaType.rawValue]
        let linksContext = representation.mediaType == .json || (representation.mediaType == .geoJSON && representation.isGeoJSONWithoutContext)
        if linksContext { headers[.link] = LinkHeader.value(representation.context.linkURL) }
        if let version = representation.version { headers[.preferenceApplied] = version.applied }
        let status: HTTPResponse.Status = isAmended ? .nonAuthoritativeInformation : .ok
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: writer.bytes)))
    }
}

// MARK: - Linked entities (clauses 4.5.23 and 4.21)

extension NGSILDDoor {
    /// An entity that a relationship led to.
    private struct LinkedEntity {
        let whole: Entity
        /// What `projection` leaves of it.
        let shown: Entity
        let projection: Projection
    }

    /// The entities that relationships of these lead to, level by level. Flat, each once and none of those that are answered
    /// already; inline, one is followed wherever it is met.
    private func linkedEntities(
        of entities: [Entity], _ representation: Representation, _ access: ReadAccess, _ now: Instant
    ) async throws -> [LinkedEntity] {
        guard let join = representation.join else { return [] }
        var known = join.containedBy
        if join.kind == .flat { known.formUnion(entities.map(\.id)) }
        var linked: [LinkedEntity] = []
        var level = entities.map { ($0, representation.projection) }
        for _ in 0..<join.level {
            let wanted = Self.targets(of: level).filter { !known.contains($0.key) }
            guard !wanted.isEmpty, linked.count < limits.pageCountMax else { break }
            if join.kind == .flat { known.formUnion(wanted.keys) }
            let found = try await broker.retrieve(Set(wanted.keys), access, at: now).sorted { $0.id < $1.id }
            var next: [LinkedEntity] = []
            for entity in found {
                let projections = wanted[entity.id] ?? []
                for projection in join.kind == .flat ? projections.prefix(1) : projections[...] {
                    guard let shown = representation.selected(entity, projection) else { continue }
                    next.append(LinkedEntity(whole: entity, shown: representation.amended(shown), projection: projection))
                }
            }
            linked += next
            level = next.map { ($0.shown, $0.projection) }
        }
        return linked
    }

    /// Where the relationships of entities lead, each with the projections that apply there.
    private static func targets(of level: [(entity: Entity, projection: Projection)]) -> OrderedDictionary<IRI, [Projection]> {
        var targets: OrderedDictionary<IRI, [Projection]> = [:]
        for (entity, projection) in level {
            for (name, instances) in entity.attributes {
                let inner = projection.linked(name)
                for target in instances.flatMap(\.targets).compactMap({ IRI($0) }) where !(targets[target]?.contains(inner) ?? false) {
                    targets[target, default: []].append(inner)
                }
            }
        }
        return targets
    }
}

extension Context {
    /// What an answer says its context is: what the request named, for the core context is part of every context
    /// (clause 4.4); the core context where it named nothing.
    var answered: JSON {
        guard case .array(var elements) = source else { return source }
        if elements.last == .string(CoreContext.url) { elements.removeLast() }
        return elements.count == 1 ? elements[0] : .array(elements)
    }

    /// What a `Link` header can name: the one URL of the user's context, else that of the core context.
    var linkURL: String {
        switch source {
        case .string(let url): url
        case .array(let elements): elements.first?.stringValue ?? CoreContext.url
        default: CoreContext.url
        }
    }
}

extension Projection {
    var members: EntityMembers {
        var members: EntityMembers = []
        if keepsID { members.insert(.id) }
        if keepsTypes { members.insert(.type) }
        if keepsScopes { members.insert(.scope) }
        return members
    }
}

extension Representation {
    /// What is to be shown of an entity; nil when nothing is.
    func selected(_ entity: Entity) -> Entity? { selected(entity, projection) }

    /// The same for an entity for which another projection holds: one that a relationship led to.
    func selected(_ entity: Entity, _ projection: Projection) -> Entity? {
        guard var entity = projection.apply(to: entity) else { return nil }
        if let datasets {
            entity = datasets.apply(to: entity)
            guard !entity.attributes.isEmpty || projection.keepsID || projection.keepsTypes || !entity.scopes.isEmpty else { return nil }
        }
        return languages?.apply(to: entity) ?? entity
    }

    /// The entity as the version of NGSI-LD knows it that the request prefers.
    func amended(_ entity: Entity) -> Entity { version?.amended(entity, context) ?? entity }

    /// What is shown of entities along the relationships that a projection speaks of.
    func view(_ projection: Projection) -> LinkedEntities.View {
        LinkedEntities.View(
            members: projection.members, select: { selected($0, projection).map(amended) }, behind: { view(projection.linked($0)) })
    }
}

// MARK: - GeoJSON (clauses 4.5.16, 4.5.17)

extension NGSILDDoor {
    private func writeFeatures(
        _ entities: [Entity], _ representation: Representation, _ entityWriter: EntityWriter<ContextNames>, isCollection: Bool,
        to writer: inout JSONWriter
    ) {
        let context = representation.isGeoJSONWithoutContext ? nil : representation.context.answered
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
        entityWriter.write(entity, members: representation.projection.members.subtracting(.id), to: &writer)
        writeContext(context, to: &writer)
        writer.raw("}")
    }

    private func writeContext(_ context: JSON?, to writer: inout JSONWriter) {
        guard let context else { return }
        writer.raw(",\"@context\":")
        writer.write(context)
    }
}
