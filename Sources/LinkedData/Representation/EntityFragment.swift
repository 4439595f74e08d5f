public import CityModel
public import OrderedCollections

/// The content of an NGSI-LD entity or of an entity fragment (clause 5.4) with all names expanded: what a request says
/// about an entity, before anybody knows whether the entity exists.
public struct EntityFragment: Sendable {
    public var id: IRI?
    /// In order, without repetition; empty when the request names none.
    public var types: [IRI] = []
    /// Nil when the request does not speak of scopes; empty when it removes them.
    public var scopes: [Scope]?
    public var expiresAt: Instant?
    /// Whether the request takes `expiresAt` away (clause 5.5.4).
    public var removesExpiry = false
    /// Only of documents that this program wrote.
    public var createdAt: Instant?
    public var modifiedAt: Instant?
    public var attributes: Attributes = [:]
    /// The attributes that were given as a bare value, which keeps the kind of an existing attribute (clause 5.6.17.4).
    public var bareAttributes: Set<IRI> = []

    public init() {}
}

extension EntityFragment {
    /// The whole entity that a request to create or replace one describes.
    /// - Throws: `badRequestData` when `id` or `type` is missing.
    public func entity() throws(CityError) -> Entity {
        guard let id else { throw .badRequestData("id: an entity has an id") }
        guard !types.isEmpty else { throw .badRequestData("type: an entity has a type") }
        var entity = Entity(id: id, types: types, scopes: scopes ?? [], attributes: attributes)
        entity.expiresAt = expiresAt
        entity.createdAt = createdAt
        entity.modifiedAt = modifiedAt
        return entity
    }
}
