internal import Broker
package import CityModel
internal import LinkedData
internal import OrderedCollections
internal import Query
internal import Store
internal import Trust

/// What is asked of the types and attributes that there are (clauses 5.7.5 to 5.7.10).
package enum Discovery: Sendable {
    case types, typeDetails, type(IRI), attributes, attributeDetails, attribute(IRI)
}

/// What sources have of types and attributes (clause 5.7.11). Names that nothing registers are not in it.
package struct Discovered: Sendable {
    package struct Kinds: Sendable {
        package var kinds: Set<AttributeKind> = []
        package var types: Set<IRI> = []
        package var count: Int64 = 0
    }

    /// Types with their attributes, where these were asked for.
    package var types: [IRI: Set<IRI>] = [:]
    /// Attributes with what is known of them.
    package var attributes: [IRI: Kinds] = [:]
    /// Entities of the one type that was asked for.
    package var entityCount: Int64 = 0
    package var warnings: [SourceWarning] = []
    /// Names that may still be read.
    fileprivate var nameCountLeft = 0

    package var isEmpty: Bool { types.isEmpty && attributes.isEmpty && entityCount == 0 }
}

extension Federation {
    /// Names of one list that a source answers.
    private static let nameCountMax = 10_000

    /// - Returns: nil when there is nobody to ask.
    package func discover(_ discovery: Discovery, _ origin: Origin) async throws -> Discovered? {
        var specification = SourceSpecification()
        switch discovery {
        case .type(let type): specification.selectors = [.init(types: .type(type))]
        case .attribute(let name): specification.attributes = [name]
        default: break
        }
        let matching = try await matching(specification, [discovery.operation], origin)
        guard !matching.isEmpty else { return nil }
        let replies = await askAll(matching.sources, origin) { source in
            await ask(source.registration, origin) { context in Forward(.get, discovery.path(context), query: discovery.query) }
        }
        var discovered = Discovered()
        (discovered.warnings, discovered.nameCountLeft) = (matching.loopWarnings, limits.discoveredCountMax)
        for (source, reply) in zip(matching.sources, replies) {
            guard case .answer(200, let headers, let body, let context) = reply else {
                discovered.warnings += await read(reply, of: source, isMany: false, limit: 1, origin).warnings
                continue
            }
            discovered.warnings += SourceWarning.handedOn(headers, source.registration.id)
            guard let json = try? JSONParser(depthMax: 16).parse(body), discovered.add(json, discovery, of: source, origin.access.sight, context, Self.nameCountMax) else {
                discovered.warnings.append(SourceWarning(.invalid, source.registration.id, "the answer is no valid NGSI-LD"))
                continue
            }
        }
        return discovered
    }
}

extension Discovery {
    fileprivate var operation: SourceOperation {
        switch self {
        case .types: .retrieveEntityTypes
        case .typeDetails: .retrieveEntityTypeDetails
        case .type: .retrieveEntityTypeInfo
        case .attributes: .retrieveAttrTypes
        case .attributeDetails: .retrieveAttrTypeDetails
        case .attribute: .retrieveAttrTypeInfo
        }
    }

    fileprivate func path(_ context: Context) -> String {
        switch self {
        case .types, .typeDetails: "types"
        case .type(let type): "types/" + URLText.encode(context.compact(type))
        case .attributes, .attributeDetails: "attributes"
        case .attribute(let name): "attributes/" + URLText.encode(context.compact(name))
        }
    }

    fileprivate var query: [(name: String, value: String)] {
        switch self {
        case .typeDetails, .attributeDetails: [("details", "true")]
        default: []
        }
    }
}

extension Discovered {
    /// - Returns: whether the answer is one to what was asked.
    fileprivate mutating func add(
        _ json: JSON, _ discovery: Discovery, of source: MatchedSource, _ sight: Sight, _ context: Context, _ countMax: Int
    ) -> Bool {
        // Counted before they are understood: that is what takes the time.
        var left = nameCountLeft
        defer { nameCountLeft = left }
        func elements(_ value: JSON?) -> ArraySlice<JSON>? {
            guard let elements = value?.arrayValue?.prefix(min(countMax, left)) else { return nil }
            left -= elements.count
            return elements
        }
        func names(_ value: JSON?) -> [IRI]? { elements(value)?.compactMap { $0.stringValue.flatMap(context.expand) } }
        func kinds(_ value: JSON?) -> Set<AttributeKind> { Set(value?.arrayValue?.compactMap { $0.stringValue.flatMap(AttributeKind.init) } ?? []) }
        func tells(_ type: IRI) -> Bool { source.registers(type) && sight.shows(nil, of: type, at: source) }
        func tells(_ attribute: IRI, of type: IRI?) -> Bool {
            source.registers(attribute, of: type) && (type.map { [$0] } ?? source.types(registering: attribute)).contains { sight.shows(attribute, of: $0, at: source) }
        }
        func count(_ json: JSON?) -> Int64 { sight.countsElsewhere ? Self.count(json) : 0 }
        func name(_ element: JSON, _ member: String) -> IRI? { element[member]?.stringValue.flatMap(context.expand) }
        switch discovery {
        case .types:
            guard let listed = names(json["typeList"]) else { return false }
            for type in listed where tells(type) { types[type, default: []] = types[type] ?? [] }
        case .typeDetails:
            guard let elements = elements(json) else { return false }
            for element in elements {
                guard let type = name(element, "typeName"), tells(type) else { continue }
                types[type, default: []].formUnion((names(element["attributeNames"]) ?? []).filter { tells($0, of: type) })
            }
        case .type(let type):
            guard json.objectValue != nil, tells(type) else { return false }
            entityCount += count(json["entityCount"])
            for element in elements(json["attributeDetails"]) ?? [] {
                guard let attribute = name(element, "attributeName"), tells(attribute, of: type) else { continue }
                attributes[attribute, default: Kinds()].kinds.formUnion(kinds(element["attributeTypes"]))
            }
        case .attributes:
            guard let listed = names(json["attributeList"]) else { return false }
            for attribute in listed where tells(attribute, of: nil) { attributes[attribute, default: Kinds()].count += 0 }
        case .attributeDetails:
            guard let elements = elements(json) else { return false }
            for element in elements {
                guard let attribute = name(element, "attributeName"), tells(attribute, of: nil) else { continue }
                attributes[attribute, default: Kinds()].types.formUnion((names(element["typeNames"]) ?? []).filter { tells(attribute, of: $0) })
            }
        case .attribute(let attribute):
            guard json.objectValue != nil else { return false }
            var known = attributes[attribute] ?? Kinds()
            known.kinds.formUnion(kinds(json["attributeTypes"]))
            known.types.formUnion((names(json["typeNames"]) ?? []).filter { tells(attribute, of: $0) })
            known.count += count(json["attributeCount"])
            attributes[attribute] = known
        }
        return true
    }

    private static func count(_ json: JSON?) -> Int64 { min(max(json?.integerValue ?? 0, 0), Int64(Federation.countMax)) }
}

extension MatchedSource {
    /// The types that an attribute is registered of; nil stands for those that are not named.
    fileprivate func types(registering attribute: IRI) -> [IRI?] {
        registration.information.filter { $0.covers(attribute) }.flatMap { info -> [IRI?] in
            info.entities?.flatMap { $0.types.isEmpty ? [nil] : $0.types.map(Optional.some) } ?? [nil]
        }
    }

    fileprivate func registers(_ type: IRI) -> Bool { registration.information.contains { $0.speaks(of: type) } }

    fileprivate func registers(_ attribute: IRI, of type: IRI?) -> Bool {
        registration.information.contains { $0.covers(attribute) && (type.map($0.speaks) ?? true) }
    }
}

extension RegistrationInfo {
    fileprivate func speaks(of type: IRI) -> Bool { entities?.contains { $0.types.isEmpty || $0.types.contains(type) } ?? true }
}
