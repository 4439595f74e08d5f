public import CityModel
public import OrderedCollections

/// What was observed about one entity at one moment.
///
/// From a sensor it holds the moving values only; of an incident or a resident's report it holds the whole entity, so
/// that each can be written by itself, whatever was written before.
public struct Observation: Hashable, Sendable {
    public let municipality: MunicipalityName
    public let entityID: IRI
    public let types: [IRI]
    public let scopes: [Scope]
    /// Each with `observedAt`, except for what does not change over an entity's life.
    public let attributes: Attributes
    public let observedAt: Instant

    /// Whether it says all there is of the entity: an incident or a report.
    public var isWhole: Bool { attributes[Term.plain("simulated")] != nil }

    /// The observation as an entity.
    public var entity: Entity { Entity(id: entityID, types: types, scopes: scopes, attributes: attributes) }
}
