package import CityModel

/// What the rules say of one entity.
package enum Verdict: Hashable, Sendable {
    /// It is not shown, not counted and not let be noticed; nothing may be done to it.
    case hidden(Reason)
    /// It is shown, as much of it as the view says. For acts other than seeing: the act may be done to what the view shows.
    case visible(View)
    /// It is not shown. It counts in figures over at least as many entities as the view says.
    case aggregatesOnly(View)

    package enum Reason: Hashable, Sendable {
        /// No permit speaks of it: what no rule knows is denied.
        case nothingPermits
        /// The first forbid that does.
        case forbidden(by: String)
    }

    /// The rules that decided, by their identifiers, in the order of the policy.
    package var rules: [String] {
        switch self {
        case .hidden(.nothingPermits): []
        case .hidden(.forbidden(let rule)): [rule]
        case .visible(let view), .aggregatesOnly(let view): view.layers.map(\.rule)
        }
    }

    package func access(to attribute: IRI) -> AttributeAccess {
        switch self {
        case .hidden: .hidden
        case .visible(let view), .aggregatesOnly(let view): view.access(to: attribute)
        }
    }
}

/// How an attribute may be seen.
package enum AttributeAccess: Hashable, Sendable {
    case hidden
    case shown(Precision)
    /// Only in figures over at least so many entities.
    case aggregated(entityCountMin: Int, Precision)
}

/// How much of an entity is shown: what each permit that speaks of it shows, laid over each other.
package struct View: Hashable, Sendable {
    /// What one permit shows, less what forbids took away. Never empty.
    package struct Layer: Hashable, Sendable {
        package let rule: String
        package let attributes: AttributeSet
        package let precision: Precision
        /// Only figures over at least so many entities are shown; nil shows the entity itself.
        package let entityCountMin: Int?
    }

    /// At least one, in the order of the policy.
    package let layers: [Layer]

    /// Everything, exactly, by no rule.
    package static let whole = View(
        layers: [Layer(rule: "", attributes: .all, precision: .exact, entityCountMin: nil)])

    private var rows: some Sequence<Layer> { layers.lazy.filter { $0.entityCountMin == nil } }

    /// The attributes that are shown with the entity itself.
    package var attributes: AttributeSet { rows.reduce(.none) { $0.union($1.attributes) } }

    /// Whether all attributes are shown, exactly. False may be said of a view to which only several permits together give all precision.
    package var isWhole: Bool { rows.filter { $0.precision == .exact }.reduce(.none) { $0.union($1.attributes) } == AttributeSet.all }

    /// An attribute that permits show with the entity has the finest precision that any of them gives it, of place and of time
    /// each for itself. One that none shows so, but permits for figures do, has the smallest number of entities that any of these
    /// asks for, and the precision of that permit.
    package func access(to attribute: IRI) -> AttributeAccess {
        var shown: Precision?
        var aggregated: (entityCountMin: Int, precision: Precision)?
        for layer in layers where layer.attributes.contains(attribute) {
            if let countMin = layer.entityCountMin {
                if countMin < aggregated?.entityCountMin ?? .max { aggregated = (countMin, layer.precision) }
            } else {
                shown = shown?.finer(layer.precision) ?? layer.precision
            }
        }
        if let shown { return .shown(shown) }
        return aggregated.map { .aggregated(entityCountMin: $0.entityCountMin, $0.precision) } ?? .hidden
    }
}
