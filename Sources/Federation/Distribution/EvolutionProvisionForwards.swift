internal import Broker
package import CityModel
package import LinkedData
internal import OrderedCollections

/// The requests that carry the parts of writes of histories to their sources (clauses 6.18 to 6.22).
extension ProvisionPart {
    private var conformance: String? { source.registration.sourceInfo.conformance }

    /// Begins a history, or adds to one.
    package func creation(_ fragment: TemporalFragment, _ context: Context) -> Forward {
        Forward(.post, "temporal/entities", body: fragment.only(attributes).json(context, isWhole: true, conformance: conformance))
    }

    package func addition(to id: IRI, _ fragment: TemporalFragment, _ context: Context) -> Forward {
        Forward(
            .post, Self.temporalPath(id) + "/attrs", body: fragment.only(attributes).json(context, isWhole: false, conformance: conformance))
    }

    package static func temporalPath(_ id: IRI) -> String { "temporal/entities/" + URLText.encode(id.text) }

    /// - Parameter attribute: nil for the scopes.
    package static func temporalPath(_ id: IRI, _ attribute: IRI?, _ context: Context) -> String {
        temporalPath(id) + "/attrs/" + (attribute.map { URLText.encode(context.compact($0)) } ?? "scope")
    }

    package static func temporalPath(_ id: IRI, _ attribute: IRI, _ instance: IRI, _ context: Context) -> String {
        temporalPath(id, attribute, context) + "/" + URLText.encode(instance.text)
    }

    package func instance(_ instance: Attribute, _ name: IRI, _ context: Context) -> JSON {
        Attribute.json([conformance.amended(instance, name, context)], context)
    }
}

extension TemporalFragment {
    /// The fragment with these of its attributes; nil keeps all.
    package func only(_ kept: Set<IRI>?) -> TemporalFragment {
        guard let kept else { return self }
        var part = self
        part.attributes = attributes.filter { kept.contains($0.key) }
        return part
    }

    /// As a source is to get it: instances in full, in the names of a context.
    /// - Parameter isWhole: whether the identifier is said.
    fileprivate func json(_ context: Context, isWhole: Bool, conformance: String?) -> JSON {
        var json: JSONObject = [:]
        if isWhole, let id { json["id"] = .string(id.text) }
        if types.count == 1 { json["type"] = .string(context.compact(types[0])) }
        if types.count > 1 { json["type"] = .array(types.map { .string(context.compact($0)) }) }
        if !scopes.isEmpty { json["scope"] = .array(scopes.map(\.json)) }
        for (name, instances) in attributes {
            let element = Attribute.json(instances.map { conformance.amended($0, name, context) }, context)
            json[context.compact(name)] = element.arrayValue == nil ? .array([element]) : element
        }
        return .object(json)
    }
}

extension TemporalFragment.ScopeInstance {
    fileprivate var json: JSON {
        let value: JSON =
            switch scopes.count {
            case 0: .string(Attribute.nullText)
            case 1: .string(scopes[0].description)
            default: .array(scopes.map { .string($0.description) })
            }
        var members: JSONObject = ["type": "Property", "value": value]
        if let observedAt { members["observedAt"] = .string(observedAt.description) }
        return .object(members)
    }
}

extension String? {
    /// An instance as the version of NGSI-LD that a source knows has it.
    fileprivate func amended(_ instance: Attribute, _ name: IRI, _ context: Context) -> Attribute {
        guard let version = flatMap({ PreferredVersion(conformance: $0) }) else { return instance }
        let alone = Entity(id: IRI(known: "urn:ngsi-ld:none"), types: [], attributes: [name: [instance]])
        return version.amended(alone, context).attributes[name]?.first ?? instance
    }
}
