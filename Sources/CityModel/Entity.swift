public import OrderedCollections

/// Anything in the city: a bus, a sensor, a report, a proposal, a data set (clause 5.2.4). Names are expanded.
public struct Entity: Hashable, Sendable {
    public let id: IRI
    /// At least one, without repetition, in the order they were given.
    public var types: [IRI]
    public var scopes: [Scope] = []
    public var expiresAt: Instant?
    public var createdAt: Instant?
    public var modifiedAt: Instant?
    public var attributes: Attributes

    public init(id: IRI, types: [IRI], scopes: [Scope] = [], attributes: Attributes = [:]) {
        self.id = id
        self.types = types
        self.scopes = scopes
        self.attributes = attributes
    }

    /// The instance of an attribute with the given `datasetID`; nil asks for the default instance.
    public func instance(of name: IRI, datasetID: IRI? = nil) -> Attribute? {
        attributes[name]?.first { $0.datasetID == datasetID }
    }
}
