import CityModel
import OrderedCollections
import RandomEntities

/// Expands every short name into one namespace, and leaves full IRIs alone; names with a blank have no expansion.
func expand(_ name: String) -> IRI? {
    if name.contains(":") { return IRI(name) }
    return IRI("https://example.org/" + name)
}

func name(_ term: String) -> IRI { IRI(known: "https://example.org/" + term) }

func instant(_ text: String) throws -> Instant {
    struct NoInstant: Error {}
    guard let instant = Instant(text) else { throw NoInstant() }
    return instant
}

/// An entity with one default instance of each attribute.
func entity(_ attributes: [String: Attribute] = [:], id: String = "urn:x:1", types: [String] = ["T"]) -> Entity {
    var result = Entity(id: IRI(known: id), types: types.map(name))
    for (term, attribute) in attributes.sorted(by: { $0.key < $1.key }) { result.attributes[name(term)] = [attribute] }
    return result
}

func property(_ value: JSON) -> Attribute { Attribute(kind: .property, value: value) }

func geoProperty(_ type: String, _ coordinates: JSON) -> Attribute {
    Attribute(kind: .geoProperty, value: ["type": .string(type), "coordinates": coordinates])
}

/// A generator with a seed (G. Steele, D. Lea and C. Flood: SplitMix).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
