internal import CityModel
internal import LinkedData
internal import OrderedCollections

/// Makes one evolution of what several sources have recorded of an entity (clauses 4.5.5.3, 5.7.3.4 and 5.7.4.4).
///
/// Of each series (an attribute with one dataset) the instances of all are put together. Two are the same when they have the same
/// identifier; of the same moment the source counts that changed its own last.
struct EvolutionMerge {
    private(set) var entity: TemporalEntity?

    init(_ local: TemporalEntity?) { entity = local }

    /// Takes in what a source says, of equal standing with all others.
    mutating func add(_ other: TemporalEntity) { unite(with: other, onlySupplements: false) }

    /// Takes in instances of moments of which nothing is known elsewhere.
    mutating func supplement(_ other: TemporalEntity) { unite(with: other, onlySupplements: true) }

    private mutating func unite(with other: TemporalEntity, onlySupplements: Bool) {
        guard let entity else { return self.entity = other }
        var types = entity.types
        for type in other.types where !types.contains(type) { types.append(type) }
        var attributes = entity.instances
        for (name, instances) in other.instances {
            attributes[name] = Self.merged(attributes[name] ?? [], instances, onlySupplements: onlySupplements)
        }
        // What is there at one of them is there.
        let deletedAt = entity.deletedAt.flatMap { own in other.deletedAt.map { max(own, $0) } }
        var united = TemporalEntity(
            id: entity.id, types: types, createdAt: [entity.createdAt, other.createdAt].compactMap { $0 }.min(),
            modifiedAt: [entity.modifiedAt, other.modifiedAt].compactMap { $0 }.max(), deletedAt: deletedAt, content: .instances(attributes))
        united.scopes = Self.merged(entity.scopes, other.scopes, onlySupplements: onlySupplements)
        self.entity = united
    }

    fileprivate struct Moment: Hashable { let datasetID: IRI?, time: Instant }
    fileprivate struct Name: Hashable { let datasetID: IRI?, instanceID: String }

    private static func merged(_ first: [TemporalInstance], _ second: [TemporalInstance], onlySupplements: Bool) -> [TemporalInstance] {
        var moments = OrderedDictionary(grouping: first, by: \.moment)
        var places: [Name: Moment] = [:]
        for instance in first where !instance.instanceID.isEmpty { places[instance.name] = instance.moment }
        for (moment, instances) in OrderedDictionary(grouping: second, by: \.moment) {
            if let own = moments[moment] {
                if !onlySupplements, instances.lastChange > own.lastChange { moments[moment] = instances }
                continue
            }
            // An instance that was corrected at one of them stands at another moment there.
            let fresh = instances.filter { instance in
                guard let place = places[instance.name], let known = moments[place]?.first(where: { $0.name == instance.name }) else { return true }
                guard !onlySupplements, [instance].lastChange > [known].lastChange else { return false }
                moments[place]?.removeAll { $0.name == instance.name }
                return true
            }
            if !fresh.isEmpty { moments[moment] = fresh }
        }
        return moments.values.flatMap { $0 }
    }
}

extension EvolutionMerge.Moment {
    fileprivate init(_ instance: TemporalInstance) { self.init(datasetID: instance.attribute.datasetID, time: instance.time) }
}

extension TemporalInstance {
    fileprivate var moment: EvolutionMerge.Moment { EvolutionMerge.Moment(self) }
    fileprivate var name: EvolutionMerge.Name { EvolutionMerge.Name(datasetID: attribute.datasetID, instanceID: instanceID) }
}

extension [TemporalInstance] {
    fileprivate var lastChange: Instant { map { $0.attribute.modifiedAt ?? $0.deletedAt ?? Instant(microseconds: .min) }.max() ?? Instant(microseconds: .min) }
}

extension TemporalEntity {
    /// None where it is aggregated.
    var instances: OrderedDictionary<IRI, [TemporalInstance]> { if case .instances(let attributes) = content { attributes } else { [:] } }
}
