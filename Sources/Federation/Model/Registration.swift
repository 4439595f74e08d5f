package import CityModel
package import Query

/// A registration of a context source (clause 5.2.9), read and checked. Names are expanded.
package struct Registration: Sendable {
    /// How what the source holds stands to what is held here (clause 4.3.6).
    package enum Mode: String, CaseIterable, Sendable {
        case inclusive, exclusive, redirect, auxiliary
        /// Whether what it registers must not be held here (clause 4.3.6.3).
        package var isProxied: Bool { self == .exclusive || self == .redirect }
    }

    package let id: IRI
    package var mode: Mode
    package var operations: Set<SourceOperation>
    /// Never empty.
    package var information: [RegistrationInfo]
    package var endpoint: SourceEndpoint
    /// The tenant that requests name; nil for the source's standard one.
    package var tenant: String?
    /// By which name the source is known in `Via` (clause 5.2.40).
    package var alias: String?
    package var sourceInfo: SourceInfo
    /// Nil stands for the default instance; no set for all.
    package var datasets: Set<IRI?>?
    package var scopes: [Scope]
    package var places: [IRI: Geometry]
    package var observationInterval: TimeInterval?
    package var managementInterval: TimeInterval?
    package var expiresAt: Instant?
    package var management: Management
    /// Context Source Properties: what `csf` asks of (clause 4.9).
    package var properties: Entity
    /// Whether it says what it registers only, for the rest of what is stored can't be read.
    var isRemnant = false

    /// Whether the source has histories rather than current state (clause 5.9.1).
    package var isTemporal: Bool { observationInterval != nil || managementInterval != nil }
    /// Whether the source has histories, as it says by an interval or by what it offers. Of one that can't be read it
    /// is not known.
    package var hasHistories: Bool { isTemporal || isRemnant || !operations.isDisjoint(with: SourceOperation.temporal) }
    package func hasExpired(at now: Instant) -> Bool { expiresAt.map { $0 <= now } ?? false }

    /// Who may be shown what the source answers. What is had with a credential that this municipality was given is not for everybody.
    package var classification: Classification { sourceInfo.isConfidential ? .internalUse : .open }
}

/// What a context source may have (clause 5.2.10).
package struct RegistrationInfo: Sendable {
    /// Any of these; nil for all.
    package var entities: [EntityInfo]?
    /// Properties and relationships; nil for all.
    package var attributes: Set<IRI>?

    package func covers(_ attribute: IRI) -> Bool { attributes?.contains(attribute) ?? true }
}

/// One entity or a group of them (clause 5.2.8).
package struct EntityInfo: Sendable {
    /// The types that an entity has together; empty where the registration says none.
    package let types: [IRI]
    package let id: IRI?
    package let idPattern: IDPattern?

    /// Whether an entity with this identifier can be meant.
    package func admits(_ id: IRI) -> Bool { self.id.map { $0 == id } ?? idPattern?.matches(id) ?? true }
}

/// Where a source is.
package enum SourceEndpoint: Hashable, Sendable {
    /// An address on the web, without a slash at its end.
    case web(String)
    /// `conurb:NAME`: another municipality on this installation. No request leaves the program.
    case municipality(MunicipalityName)

    package var isOnWeb: Bool { if case .web = self { true } else { false } }
}

/// From `start`; open where `end` is missing (clause 5.2.11).
package struct TimeInterval: Hashable, Sendable {
    package let start: Instant
    package let end: Instant?

    /// Whether some moment of the interval can meet the query.
    package func overlaps(_ query: TemporalQuery) -> Bool {
        (query.upperBound.map { start <= $0 } ?? true) && (query.lowerBound.map { lower in end.map { lower <= $0 } ?? true } ?? true)
    }
}

/// Clause 5.2.34.
package struct Management: Hashable, Sendable {
    package var timeoutSeconds: Double?
    package var cooldownSeconds: Double?
    package var cacheSeconds: Double?
    package var isLocalOnly = false
}

/// What is conveyed to the source with every request (clauses 4.3.6.5, 4.3.6.6).
package struct SourceInfo: Sendable {
    package var accept: String?
    package var contentType: String?
    package var contextURL: String?
    /// The version of NGSI-LD that the source knows.
    package var conformance: String?
    package var headers: [(name: String, value: String)] = []

    /// Stands for the value that the request which is passed on has.
    package static let fromRequest = "urn:ngsi-ld:request"
    package var isConfidential: Bool { headers.contains { $0.value != Self.fromRequest } }
}
