internal import CityModel
internal import OrderedCollections

/// Names of types and attributes, expanded as a client without a context of its own reads them: what the NGSI-LD core
/// context (v1.9) defines has the core's IRI, everything else lies in the default vocabulary. The terms themselves are
/// those of the Smart Data Models where they have one; docs/simulator.md lists the exceptions.
enum Term {
    static let location = IRI.location
    static let status = IRI(known: IRI.ngsildNamespace + "status")
    static let description = IRI(known: "http://purl.org/dc/terms/description")

    static let name = plain("name")
    static let simulated = plain("simulated")
    static let dataProvider = plain("dataProvider")
    static let source = plain("source")
    static let category = plain("category")

    static func plain(_ term: String) -> IRI { IRI(known: IRI.defaultContextNamespace + term) }
}

/// UN/CEFACT common codes.
enum Unit {
    static let celsius = "CEL", microgramsPerCubicMetre = "GQ", milligramsPerCubicMetre = "GP", kilometresPerHour = "KMH"
    static let metresPerSecond = "MTS", degrees = "DD", hectopascals = "A97", lux = "LUX", decibels = "2N", millimetres = "MMT"
    static let one = "C62", watts = "WTT", kilowattHours = "KWH", cubicMetres = "MTQ", litresPerHour = "E32"
}

extension Attribute {
    static func property(_ value: JSON, at instant: Instant? = nil, unit: String? = nil) -> Attribute {
        Attribute(kind: .property, value: value, observedAt: instant, unitCode: unit)
    }

    static func geo(_ value: JSON, at instant: Instant? = nil) -> Attribute {
        Attribute(kind: .geoProperty, value: value, observedAt: instant)
    }

    static func relationship(_ targets: [IRI]) -> Attribute {
        let texts = targets.map { JSON.string($0.text) }
        return Attribute(kind: .relationship, value: texts.count == 1 ? texts[0] : .array(texts))
    }
}

/// Gathers an entity's attributes in order, each with one instance.
struct AttributeList {
    private(set) var attributes: Attributes = [:]

    mutating func add(_ name: IRI, _ attribute: Attribute) { attributes[name] = [attribute] }
    mutating func add(_ term: String, _ value: JSON, at instant: Instant? = nil, unit: String? = nil) {
        add(Term.plain(term), .property(value, at: instant, unit: unit))
    }

    /// What every entity of the simulation carries, so that nobody takes it for real.
    mutating func addOrigin() {
        add(Term.simulated, .property(true))
        add(Term.dataProvider, .property("Conurb city simulator"))
        add(Term.source, .property("Simulated: no real place, device or person is described"))
    }
}
