public import CityModel
public import OrderedCollections

/// What a request says of the temporal evolution of an entity (clause 5.2.20), with all names expanded.
public struct TemporalFragment: Sendable {
    public var id: IRI?
    public var types: [IRI] = []
    public var scopes: [ScopeInstance] = []
    /// For each attribute its instances in the order of the request; several may have one dataset.
    public var attributes: Attributes = [:]

    /// The scopes of an entity from a moment on (clause 4.5.6).
    public struct ScopeInstance: Hashable, Sendable {
        /// Empty where they were removed.
        public let scopes: [Scope]
        public let observedAt: Instant?
    }

    public init() {}

    /// Instances of all attributes and of the scopes.
    public var instanceCount: Int { attributes.values.reduce(scopes.count) { $0 + $1.count } }
}

extension EntityReader {
    /// Reads the temporal representation of an entity or a fragment of it: each attribute one instance or an array of them
    /// (clauses 4.5.6 to 4.5.8). A value may be NGSI-LD Null, which says that the attribute was deleted.
    public func temporalFragment(_ json: JSON) throws(CityError) -> TemporalFragment {
        guard case .object(var members) = json else { throw .badRequestData("an entity is a JSON object, not a \(json.kindName)") }
        var fragment = TemporalFragment()
        if let scope = members.removeValue(forKey: "scope") { fragment.scopes = try scopeInstances(scope) }
        let entity = try self.fragment(.object(members))
        (fragment.id, fragment.types, fragment.attributes) = (entity.id, entity.types, entity.attributes)
        return fragment
    }

    /// The one instance that a request to modify an instance carries: an object, or an array of one (clause 5.6.14.3).
    public func temporalInstance(_ json: JSON, path: String) throws(CityError) -> Attribute {
        let instances = try instances(json, path: path)
        guard instances.count == 1 else { throw .badRequestData("\(path): one instance, not \(instances.count)") }
        return instances[0]
    }

    /// Scopes as they are or as instances of a property.
    private func scopeInstances(_ json: JSON) throws(CityError) -> [TemporalFragment.ScopeInstance] {
        let elements = json.arrayValue ?? [json]
        guard elements.contains(where: { $0.objectValue != nil }) else {
            return [.init(scopes: try scopes(json), observedAt: nil)]
        }
        var instances: [TemporalFragment.ScopeInstance] = []
        for (index, element) in elements.enumerated() {
            guard let members = element.objectValue, let value = members["value"] else {
                throw .badRequestData("scope[\(index)]: an instance of a Property, with a value (clause 4.5.6)")
            }
            guard members["type"] == nil || members["type"] == "Property" else { throw .badRequestData("scope[\(index)].type: is Property") }
            let known: Set<String> = ["type", "value", "observedAt", "createdAt", "modifiedAt", "deletedAt", "instanceId"]
            if let other = members.keys.first(where: { !known.contains($0) }) {
                throw .badRequestData("scope[\(index)].\(other): only temporal properties here (clause 4.5.6)")
            }
            var observedAt: Instant?
            if let time = members["observedAt"] { observedAt = try Self.instant(time, member: "scope[\(index)].observedAt") }
            instances.append(.init(scopes: try scopes(value), observedAt: observedAt))
        }
        return instances
    }
}
