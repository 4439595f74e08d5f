package import CityModel

/// What rules may ask about an entity. A store gathers those that `Ruling.needs` names; the others may stay as they are here.
package struct ResourceFacts {
    /// Where an entity is, as far as it is known.
    package enum Location {
        /// It has no place.
        case nowhere
        /// All the geometries of its location; at least one.
        case at([Geometry])
        /// It has one that cannot be read. It may be anywhere: no permit for an area counts, and every forbid for one does.
        case unknown
    }

    /// Expanded.
    package var types: Set<IRI>
    package var scopes: [Scope]
    package var classification: Classification
    /// The identifier of the source that fed it; nil when it came in through the API.
    package var source: String?
    /// The account of the person whom it is about.
    package var dataSubject: String?
    /// Asked only by rules for an area.
    package var location: () -> Location
    /// The purposes to which the person whom it is about has consented, in their short form. Asked only by rules that need consent.
    package var consents: () -> Set<String>

    package init(
        types: Set<IRI> = [], scopes: [Scope] = [], classification: Classification = .open, source: String? = nil,
        dataSubject: String? = nil, location: @escaping () -> Location = { .nowhere },
        consents: @escaping () -> Set<String> = { [] }
    ) {
        (self.types, self.scopes, self.classification, self.source) = (types, scopes, classification, source)
        (self.dataSubject, self.location, self.consents) = (dataSubject, location, consents)
    }

    /// The municipality as a whole: what acts of administration are about that concern no entity.
    package static var municipality: ResourceFacts { ResourceFacts() }
}

/// The facts that some rule asks for.
package struct FactNeeds: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let types = FactNeeds(rawValue: 1)
    package static let scopes = FactNeeds(rawValue: 2)
    package static let classification = FactNeeds(rawValue: 4)
    package static let source = FactNeeds(rawValue: 8)
    package static let dataSubject = FactNeeds(rawValue: 16)
    package static let location = FactNeeds(rawValue: 32)
    package static let consents = FactNeeds(rawValue: 64)
}
