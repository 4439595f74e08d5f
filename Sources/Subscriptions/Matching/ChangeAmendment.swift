internal import Broker
internal import CityModel
internal import LinkedData
internal import OrderedCollections

/// Adds to written entities what no entity of itself has: when it or an attribute was deleted, and what was before.
struct ChangeAmendment {
    let entityWriter: EntityWriter<ContextNames>
    let view: EntityView
    let parameters: NotificationParams

    /// - Parameter bytes: the entity as it was written.
    func amended(_ bytes: [UInt8], _ notified: NotifiedEntity) throws -> [UInt8] {
        guard needsAmending(notified), case .object(var members) = try JSON(parsing: bytes) else { return bytes }
        amend(&members, notified)
        return written(.object(members))
    }

    /// - Parameter bytes: a FeatureCollection of the entities.
    func amended(collection bytes: [UInt8], _ shown: [NotifiedEntity]) throws -> [UInt8] {
        guard shown.contains(where: needsAmending), case .object(var members) = try JSON(parsing: bytes),
            var features = members["features"]?.arrayValue
        else { return bytes }
        for (index, notified) in shown.enumerated() where index < features.count {
            guard case .object(var feature) = features[index], case .object(var properties)? = feature["properties"] else { continue }
            amend(&properties, notified)
            feature["properties"] = .object(properties)
            features[index] = .object(feature)
        }
        members["features"] = .array(features)
        return written(.object(members))
    }

    private func needsAmending(_ notified: NotifiedEntity) -> Bool {
        notified.isDeleted || !notified.previous.isEmpty || (!notified.gone.isEmpty && parameters.includesSystemMembers)
    }

    private func written(_ json: JSON) -> [UInt8] {
        var writer = JSONWriter(byteCapacity: 1024)
        writer.write(json)
        return writer.bytes
    }

    private func amend(_ members: inout JSONObject, _ notified: NotifiedEntity) {
        for (name, instances) in notified.previous { addPrevious(instances, as: view.context.compact(name), to: &members) }
        guard let deletedAt = notified.deletedAt.map({ JSON.string($0.description) }) else { return }
        if parameters.includesSystemMembers {
            for (name, datasets) in notified.gone {
                let term = view.context.compact(name)
                if let value = members[term] {
                    members[term] = each(value) { instance in if datasets.contains(dataset(of: instance)) { instance["deletedAt"] = deletedAt } }
                }
            }
        }
        if notified.isDeleted { members["deletedAt"] = deletedAt }
    }

    /// `previousValue`, `previousObject` and their like, beside the value that has taken its place.
    private func addPrevious(_ instances: [Attribute], as term: String, to members: inout JSONObject) {
        guard let value = members[term] else { return }
        members[term] = each(value) { instance in
            guard let old = instances.first(where: { $0.datasetID == dataset(of: instance) }), let previous = writtenValue(old) else { return }
            let member = old.kind.valueMember
            instance["previous" + member.prefix(1).uppercased() + member.dropFirst()] = previous
        }
    }

    /// The value of an instance as the normalized representation has it.
    private func writtenValue(_ attribute: Attribute) -> JSON? {
        var writer = JSONWriter()
        let names = ContextNames(context: view.context, includesSystemMembers: false)
        EntityWriter(names: names, format: .normalized).write(instances: [attribute], to: &writer)
        return (try? JSON(parsing: writer.bytes))?[attribute.kind.valueMember]
    }

    private func dataset(of instance: JSONObject) -> IRI? { instance["datasetId"]?.stringValue.map(IRI.init(known:)) }

    /// Changes each instance of an attribute. One that the concise representation wrote as its value alone becomes an object.
    private func each(_ value: JSON, _ change: (inout JSONObject) -> Void) -> JSON {
        if case .array(let elements) = value, elements.allSatisfy({ $0.objectValue?["datasetId"] != nil || isInstance($0) }) {
            return .array(elements.map { each($0, change) })
        }
        var instance = isInstance(value) ? value.objectValue ?? [:] : ["value": value]
        change(&instance)
        return .object(instance)
    }

    private func isInstance(_ value: JSON) -> Bool {
        guard let members = value.objectValue else { return false }
        return AttributeKind.allCases.contains { members[$0.valueMember] != nil }
    }
}
