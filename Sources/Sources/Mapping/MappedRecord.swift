public import CityModel

/// An entity that came out of a record.
public struct MappedRecord: Sendable {
    /// Names are expanded. All attributes that the record gave, with their times.
    public var entity: Entity
    /// The time of the record as a whole.
    public var observedAt: Instant?
    /// Where the record began.
    public var line: Int
    /// Rules that the record broke and that let it pass.
    public var flags: [Finding]
    /// Entities that must exist; whoever stores the record looks them up.
    public var references: [PendingReference]
}

/// A `referenceExists` rule that waits for an answer.
public struct PendingReference: Hashable, Sendable {
    public var target: IRI
    /// What to report when `target` does not exist.
    public var finding: Finding
}

public enum MappingResult: Sendable {
    case mapped(MappedRecord)
    /// An NGSI-LD entity as it was read, for sources without a mapping. It is not checked beyond the rules.
    case document(JSON, line: Int, flags: [Finding])
    case rejected(Finding)
}
