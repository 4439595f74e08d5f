package import CityModel
internal import OrderedCollections
package import Policy
internal import Query

/// What may be seen of a municipality's data: everything up to a classification, or what rules say.
package struct Sight: Hashable, Sendable {
    /// The most confidential class of which anything may be seen.
    package let classificationMax: Classification
    /// The rules that decide beside it; nil where everything up to the class may be seen, whole.
    package let ruling: Ruling?
    /// Whether figures are asked for: then what is shown in figures alone counts too.
    package let isOfFigures: Bool

    package static func upTo(_ classificationMax: Classification) -> Sight { Sight(classificationMax, nil, isOfFigures: false) }

    /// - Parameter isOfFigures: whether the ruling is of the act `aggregate`.
    package init(_ ruling: Ruling, isOfFigures: Bool = false) {
        if let plain = ruling.everythingUpTo { self = .upTo(plain) } else { self.init(.special, ruling, isOfFigures: isOfFigures) }
    }

    private init(_ classificationMax: Classification, _ ruling: Ruling?, isOfFigures: Bool) {
        (self.classificationMax, self.ruling, self.isOfFigures) = (classificationMax, ruling, isOfFigures)
    }

    /// Whether it surely shows all that another one does.
    package func includes(_ other: Sight) -> Bool {
        self == other || ruling == nil && other.ruling == nil && classificationMax >= other.classificationMax
    }

    /// The same, and nothing that is more confidential.
    package func narrowed(to classificationMax: Classification) -> Sight {
        Sight(min(classificationMax, self.classificationMax), ruling, isOfFigures: isOfFigures)
    }

    /// The most confidential class of which everything may be seen: it decides about what is no entity, such as registrations of sources.
    package var wholeClassificationMax: Classification {
        guard let ruling else { return classificationMax }
        var whole = Classification.open
        for classification in Classification.allCases where classification <= classificationMax {
            guard case .visible(let view) = ruling.verdict(on: ResourceFacts(classification: classification)), view.isWhole else { break }
            whole = classification
        }
        return whole
    }

    package func shows(_ verdict: Verdict) -> View? {
        switch verdict {
        case .visible(let view): view
        case .aggregatesOnly(let view): isOfFigures ? view : nil
        case .hidden: nil
        }
    }

    /// How an attribute is shown by a view; nil when it is not.
    package func precision(of attribute: IRI, in view: View) -> Precision? {
        switch view.access(to: attribute) {
        case .shown(let precision): precision
        case .aggregated(_, let precision): isOfFigures ? precision : nil
        case .hidden: nil
        }
    }

    /// What a context source has of an entity, as it is shown; nil where it is not. Consent to what is held elsewhere is not known here.
    package func seen(elsewhere entity: Entity, _ classification: Classification) -> Entity? {
        let facts = ResourceFacts(
            types: Set(entity.types), scopes: entity.scopes, classification: classification, dataSubject: entity.dataSubject,
            location: { entity.attributes[.location] == nil ? .unknown : entity.place })
        return view(elsewhere: facts).map { seen(entity, in: $0) }
    }

    /// How much is shown of what a context source has; nil for nothing.
    package func view(elsewhere facts: ResourceFacts) -> View? {
        guard facts.classification <= classificationMax else { return nil }
        guard let ruling else { return .whole }
        return shows(ruling.verdict(on: facts))
    }

    /// An entity as it is shown.
    package func seen(_ entity: Entity, in view: View) -> Entity {
        guard !view.isWhole else { return entity }
        var seen = entity
        seen.attributes = [:]
        for (name, instances) in entity.attributes {
            guard let precision = precision(of: name, in: view) else { continue }
            let shown = instances.compactMap { $0.rounded(to: precision) }
            if !shown.isEmpty { seen.attributes[name] = shown }
        }
        let coarsest = seen.attributes.keys.compactMap { precision(of: $0, in: view) }.first { $0.period != nil }
        if let coarsest { seen.roundTimes(to: coarsest) }
        return seen
    }
}

extension IRI {
    /// The attribute that says which person an entity is about.
    package static let dataSubject = IRI(known: defaultContextNamespace + "dataSubject")
}

extension Entity {
    /// The account of the person whom it is about.
    package var dataSubject: String? { attributes[.dataSubject]?.first.flatMap { $0.value.stringValue } }

    fileprivate mutating func roundTimes(to precision: Precision) {
        (createdAt, modifiedAt) = (createdAt.map(precision.rounded), modifiedAt.map(precision.rounded))
    }
}

extension Attribute {
    /// Nil where it can't be told as roughly as that.
    fileprivate func rounded(to precision: Precision) -> Attribute? {
        guard precision != .exact else { return self }
        var rounded = self
        if precision.placeMetres != nil, kind == .geoProperty {
            guard let geometry = try? Geometry(value), let told = precision.rounded(geometry) else { return nil }
            rounded.value = told.json
        }
        rounded.observedAt = observedAt.map(precision.rounded)
        (rounded.createdAt, rounded.modifiedAt) = (createdAt.map(precision.rounded), modifiedAt.map(precision.rounded))
        for (name, instances) in subattributes {
            let told = instances.compactMap { $0.rounded(to: precision) }
            rounded.subattributes[name] = told.isEmpty ? nil : told
        }
        return rounded
    }
}
