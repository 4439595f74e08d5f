package import CityModel
internal import OrderedCollections
internal import Services

/// Attributes as cases write them.
extension Entity {
    init(_ type: CaseType, _ key: String) { self.init(id: type.id(key), types: [type.iri]) }

    /// Puts a value in the place of what there is; nil takes it away.
    mutating func set(_ name: IRI, _ value: JSON?, at now: Instant? = nil) {
        guard let value else {
            attributes[name] = nil
            return
        }
        var attribute = Attribute(kind: .property, value: value, observedAt: now)
        let old = instance(of: name)
        (attribute.createdAt, attribute.modifiedAt) = (old?.createdAt ?? now, now)
        if let now { modifiedAt = now }
        attributes[name] = [attribute]
    }

    mutating func set(_ name: IRI, _ text: String?, at now: Instant? = nil) { set(name, text.map(JSON.string), at: now) }
    mutating func set(_ name: IRI, _ moment: Instant?, at now: Instant? = nil) { set(name, moment.map { JSON.string($0.description) }, at: now) }
    mutating func set(_ name: IRI, link target: IRI?, at now: Instant? = nil) {
        guard let target else {
            attributes[name] = nil
            return
        }
        var attribute = Attribute(kind: .relationship, value: .string(target.text), observedAt: now)
        (attribute.createdAt, attribute.modifiedAt) = (instance(of: name)?.createdAt ?? now, now)
        attributes[name] = [attribute]
    }
    mutating func set(place: Geometry?, at now: Instant) {
        guard let place else {
            attributes[.location] = nil
            return
        }
        var attribute = Attribute(kind: .geoProperty, value: place.json)
        (attribute.createdAt, attribute.modifiedAt) = (instance(of: .location)?.createdAt ?? now, now)
        attributes[.location] = [attribute]
    }

    package func text(_ name: IRI) -> String? { instance(of: name)?.value.stringValue }
    /// As cases write it, a text; sources that say that it is a moment write it with its type (JSON-LD typed value).
    package func moment(_ name: IRI) -> Instant? {
        guard let value = instance(of: name)?.value else { return nil }
        return (value.stringValue ?? value["@value"]?.stringValue).flatMap { Instant($0) }
    }
    package func number(_ name: IRI) -> Int? { instance(of: name)?.value.integerValue.map(Int.init) }
    package func flag(_ name: IRI) -> Bool { instance(of: name)?.value.boolValue ?? false }
    package func target(_ name: IRI) -> IRI? { instance(of: name)?.targets.first.flatMap { IRI($0) } }
    package var point: Geometry? { instance(of: .location).flatMap { try? Geometry($0.value) } }
}

extension ServiceStep.Phase {
    /// As `status` says it, for everybody who knows no steps.
    var status: String {
        switch self {
        case .open: "open"
        case .working: "inProgress"
        case .closed: "closed"
        }
    }
}
