package import Broker
package import CityModel
internal import LinkedData
internal import OrderedCollections
package import Query

/// An entity put together of what several sources have of it.
package struct DistributedEntity: Sendable {
    /// Nil when nobody has it.
    package let entity: Entity?
    package let warnings: [SourceWarning]
    /// Whether this broker has some of it.
    package let isHere: Bool
    /// The sources that have some of it, with the maps that they used.
    package let remote: [RemoteEntities]
}

extension Federation {
    private static let retrieving: Set<SourceOperation> = [.retrieveEntity, .queryEntity, .queryBatch]

    /// Retrieves an entity here and from all sources that may have some of it (clause 5.7.1.4).
    /// - Parameter attributes: those that are wanted (`attrs`); nil for all.
    /// - Parameter datasetID: the parameter as it was given.
    /// - Parameter map: says which sources have some of it, so that no others are asked.
    /// - Parameter registration: of a source that is not asked, for what it has is known.
    /// - Returns: nil when no source matches: then it is for the broker alone to answer.
    package func retrieve(
        _ id: IRI, selecting types: TypeSelection?, attributes: Set<IRI>?, datasetID: String?, through map: EntityMap? = nil, besides registration: IRI? = nil,
        _ origin: Origin
    ) async throws -> DistributedEntity? {
        var specification = SourceSpecification()
        specification.selectors = [.init(types: types, ids: [id])]
        specification.attributes = attributes
        specification.datasets = try datasetID.map { text throws(CityError) in try DatasetSelection(parsing: text).datasets }
        var matching = try await matching(specification, Self.retrieving, origin)
        if let map { matching.keep(holdersOf: id, in: map) }
        if let registration { matching.sources.removeAll { $0.registration.id == registration } }
        guard !matching.isEmpty else { return nil }
        let local = try await locally(id, selecting: types, origin)
        let replies = await askAll(matching.sources, origin) { source in
            await read(
                ask(source.registration, origin) { context in
                    var forward = source.retrieval(of: id, selecting: types, attributes: attributes, datasetID: datasetID, context)
                    forward.entityMap = map?.linkedMaps[source.registration.id]
                    return forward
                }, of: source, isMany: false, limit: 1, origin)
        }
        var merge = EntityMerge(local, at: origin.asker.now)
        for isAuxiliary in [false, true] {
            for (source, reply) in zip(matching.sources, replies) where (source.registration.mode == .auxiliary) == isAuxiliary {
                for entity in reply.entities where entity.id == id && types?.matches(entity.types) ?? true {
                    if isAuxiliary { merge.supplement(entity) } else { merge.add(entity) }
                }
            }
        }
        if let map { for (source, reply) in zip(matching.sources, replies) { link(map, source, to: reply.entityMap) } }
        let remote = zip(matching.sources, replies).filter { $1.entities.contains { $0.id == id } }.map { source, reply in
            RemoteEntities(registration: source.registration.id, ids: [id], map: reply.entityMap)
        }
        return DistributedEntity(
            entity: merge.entity, warnings: matching.loopWarnings + replies.flatMap(\.warnings), isHere: local != nil, remote: remote)
    }

    private func locally(_ id: IRI, selecting types: TypeSelection?, _ origin: Origin) async throws -> Entity? {
        do {
            let found = try await broker.retrieve(id, selecting: types, origin.access, at: origin.asker.now)
            return try broker.entity(found, origin.access)
        } catch CityError.resourceNotFound { return nil }
    }
}

extension Federation {
    /// Notes the map that a source used for its part (clause 5.7.1.4).
    func link(_ map: EntityMap, _ source: MatchedSource, to used: IRI?) {
        let id = source.registration.id
        if let used, map.linkedMaps[id] != used { broker.linkEntityMap(map.id, id, to: used) }
    }
}

extension Matching {
    /// Leaves those that a map names for an entity: no others are asked (clauses 5.7.1.4 and 5.7.3.4).
    mutating func keep(holdersOf id: IRI, in map: EntityMap) {
        let holders = Set(map.entries.first { $0?.id == id }??.holders ?? [])
        sources.removeAll { !holders.contains(.registration($0.registration.id)) }
        looping.removeAll { !holders.contains(.registration($0.registration.id)) }
    }

    var loopWarnings: [SourceWarning] {
        looping.map { SourceWarning(.noResponse, $0.registration.id, "a registration loop: the request has been there") }
    }
}

extension MatchedSource {
    /// How the source is asked for one entity: by the operation for that where it offers it, else by a query.
    fileprivate func retrieval(
        of id: IRI, selecting types: TypeSelection?, attributes wanted: Set<IRI>?, datasetID: String?, _ context: Context
    ) -> Forward {
        var query: [(name: String, value: String)] = []
        if let attributes = narrowed(wanted) { query.append(("attrs", attributes.map(context.compact).sorted().joined(separator: ","))) }
        if let datasetID { query.append(("datasetId", datasetID)) }
        query.append(("options", "sysAttrs"))
        let operations = registration.operations
        if operations.contains(.retrieveEntity) {
            if let types { query.append(("type", types.text(context.compact))) }
            return Forward(.get, "entities/" + URLText.encode(id.text), query: query)
        }
        let type = typeSelection(types)?.text(context.compact)
        if operations.contains(.queryEntity) {
            if let type { query.insert(("type", type), at: 0) }
            query.insert(("id", id.text), at: 0)
            return Forward(.get, "entities", query: query)
        }
        var selector: JSONObject = ["id": .string(id.text)]
        if let type { selector["type"] = .string(type) }
        var body: JSONObject = ["type": "Query", "entities": [.object(selector)]]
        if let attributes = narrowed(wanted) { body["attrs"] = .array(attributes.map(context.compact).sorted().map(JSON.string)) }
        return Forward(.post, "entityOperations/query", query: [("options", "sysAttrs")], body: .object(body))
    }

    /// The attributes to ask for: those wanted, as far as they are registered; nil for all.
    func narrowed(_ wanted: Set<IRI>?) -> Set<IRI>? {
        guard let wanted, !wanted.isEmpty else { return attributes }
        return attributes.map(wanted.intersection) ?? wanted
    }

    /// The types to ask for: those wanted, as far as they are registered (clause 4.3.6.1); nil for all.
    func typeSelection(_ wanted: TypeSelection?) -> TypeSelection? {
        let registered = information.flatMap { $0.entities ?? [] }
        guard information.allSatisfy({ $0.entities != nil }), registered.allSatisfy({ !$0.types.isEmpty }) else { return wanted }
        if let wanted, wanted != .any {
            guard case .or(let operands) = wanted else { return wanted }
            let kept = operands.filter { operand in registered.contains { operand.matches($0.types) } }
            return kept.count > 1 ? .or(kept) : kept.first ?? wanted
        }
        var selections: OrderedSet<TypeSelection> = []
        for entity in registered { selections.append(entity.types.count > 1 ? .and(entity.types.map(TypeSelection.type)) : .type(entity.types[0])) }
        return selections.count > 1 ? .or(Array(selections)) : selections.first
    }
}

extension TypeSelection {
    /// The selection in the language of clause 4.17.
    package func text(_ name: (IRI) -> String) -> String {
        func joined(_ operands: [TypeSelection], _ operation: String) -> String {
            operands.map { if case .type = $0 { $0.text(name) } else { "(" + $0.text(name) + ")" } }.joined(separator: operation)
        }
        return switch self {
        case .any: "*"
        case .type(let type): name(type)
        case .and(let operands): joined(operands, ";")
        case .or(let operands): joined(operands, ",")
        }
    }
}

/// Percent-encoding of what stands in a path or a query.
package enum URLText {
    package static func encode(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126, 58, 42, 44: bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension URLText {
    /// Nil for what is not encoded well.
    static func decode(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
