package import CityModel

/// Attributes of an entity, by their expanded names: all, some, or all but some. An entity's identifier, types and scopes are
/// no attributes: whoever sees the entity sees them.
package enum AttributeSet: Hashable, Sendable {
    case only(Set<IRI>)
    /// All but these; `.except([])` is all.
    case except(Set<IRI>)

    package static let all = AttributeSet.except([])
    package static let none = AttributeSet.only([])

    package func contains(_ name: IRI) -> Bool {
        switch self {
        case .only(let names): names.contains(name)
        case .except(let names): !names.contains(name)
        }
    }

    package var isEmpty: Bool { self == .none }
    package var isAll: Bool { self == .all }

    package func union(_ other: AttributeSet) -> AttributeSet {
        switch (self, other) {
        case (.only(let left), .only(let right)): .only(left.union(right))
        case (.only(let shown), .except(let hidden)), (.except(let hidden), .only(let shown)): .except(hidden.subtracting(shown))
        case (.except(let left), .except(let right)): .except(left.intersection(right))
        }
    }

    package func intersection(_ other: AttributeSet) -> AttributeSet { complement.union(other.complement).complement }

    package func subtracting(_ names: Set<IRI>) -> AttributeSet { intersection(.except(names)) }

    private var complement: AttributeSet {
        switch self {
        case .only(let names): .except(names)
        case .except(let names): .only(names)
        }
    }
}
