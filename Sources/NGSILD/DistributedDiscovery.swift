internal import Broker
internal import CityModel
internal import Door
internal import Federation
internal import LinkedData
internal import Trust

/// Types and attributes of this broker together with those of context sources (clause 5.7.11).
extension NGSILDDoor {
    /// - Returns: nil when there is nobody to ask.
    func discovered(_ discovery: Discovery, _ request: DoorRequest, _ access: ReadAccess, _ context: Context) async throws -> Discovered? {
        guard try !isLocalOnly(request) else { return nil }
        return try await federation.discover(discovery, origin(request, access, context))
    }

    /// What is here first, then what only others have.
    static func united(_ here: [IRI], _ elsewhere: (some Sequence<IRI>)?) -> [IRI] {
        let known = Set(here)
        return here + (elsewhere.map { $0.filter { !known.contains($0) }.sorted() } ?? [])
    }

    static func united(_ here: [(IRI, [IRI])], _ elsewhere: [IRI: Set<IRI>]) -> [(IRI, [IRI])] {
        let known = Set(here.map(\.0))
        let common = here.map { name, names in (name, united(names, elsewhere[name])) }
        return common + elsewhere.filter { !known.contains($0.key) }.map { ($0.key, $0.value.sorted()) }.sorted { $0.0 < $1.0 }
    }

    /// - Throws: `resourceNotFound` when nobody has such a type.
    func united(_ type: IRI, _ found: Discovered?, _ local: () async throws -> EntityTypeInfo) async throws -> EntityTypeInfo {
        guard let found, !found.isEmpty else { return try await local() }
        let here = try await orNil(local)
        var attributes = here?.attributes ?? []
        let places = Dictionary(attributes.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        for (name, known) in found.attributes.sorted(by: { $0.key < $1.key }) {
            if let place = places[name] {
                attributes[place] = AttributeInfo(name: name, kinds: Self.ordered(known.kinds.union(attributes[place].kinds)), types: [type], entityCount: nil)
            } else {
                attributes.append(AttributeInfo(name: name, kinds: Self.ordered(known.kinds), types: [type], entityCount: nil))
            }
        }
        return EntityTypeInfo(type: type, entityCount: (here?.entityCount ?? 0) + Int(found.entityCount), attributes: attributes)
    }

    /// - Throws: `resourceNotFound` when nobody has such an attribute.
    func united(_ name: IRI, _ found: Discovered?, _ local: () async throws -> AttributeInfo) async throws -> AttributeInfo {
        guard let known = found?.attributes[name] else { return try await local() }
        let here = try await orNil(local)
        return AttributeInfo(
            name: name, kinds: Self.ordered(known.kinds.union(here?.kinds ?? [])), types: Self.united(here?.types ?? [], known.types),
            entityCount: (here?.entityCount ?? 0) + Int(known.count))
    }

    private func orNil<Info>(_ local: () async throws -> Info) async throws -> Info? {
        do { return try await local() } catch CityError.resourceNotFound { return nil }
    }

    private static func ordered(_ kinds: Set<AttributeKind>) -> [AttributeKind] { AttributeKind.allCases.filter(kinds.contains) }
}
