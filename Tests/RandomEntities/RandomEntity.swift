package import CityModel
internal import OrderedCollections

/// Entities made up from a seed: all kinds of attribute with all their qualifiers. The same seed gives the same entity.
package struct RandomEntity {
    private var state: UInt64

    package init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    private mutating func number(below bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
    }

    private mutating func chance(_ percent: Int) -> Bool { number(below: 100) < percent }

    private mutating func name() -> IRI {
        let names = [
            IRI.defaultContextNamespace + "speed", "https://example.org/way#of", "urn:x:attribute", IRI.ngsildNamespace + "title",
            IRI.defaultContextNamespace + "été", IRI.defaultContextNamespace + "value",
        ]
        return IRI(known: names[number(below: names.count)])
    }

    private mutating func instant() -> Instant {
        Instant(microseconds: Int64(number(below: 4_000_000)) * 1_000_000_000 + Int64(number(below: 3)) * 1500)
    }

    private mutating func target() -> JSON { .string("urn:ngsi-ld:Thing:\(number(below: 9))") }

    private mutating func value(_ kind: AttributeKind) -> JSON {
        switch kind {
        case .property:
            let values: [JSON] = [
                5, -2.5, true, "a \"text\"\n\u{1}", ["x": [1, ["y": "z"]]], [1, 2, 3], "2026-01-31T12:00:00Z", ["type": "anything", "value": 3],
            ]
            return values[number(below: values.count)]
        case .geoProperty: return ["type": "Point", "coordinates": [.number(Double(number(below: 359)) - 179.5), 43.25]]
        case .relationship: return chance(50) ? target() : .array([target(), "urn:x:other"])
        case .languageProperty: return ["fr": "rue", "@none": ["street", "road"]]
        case .vocabProperty: return chance(50) ? .string(name().text) : .array([.string(name().text), .string(name().text)])
        case .listProperty: return [1, ["x": 2], "y"]
        case .listRelationship: return .array([target(), target()])
        case .jsonProperty: return ["id": 3, "null": .null, "type": ["raw"]]
        }
    }

    private mutating func attribute(depth: Int) -> Attribute {
        let kind = AttributeKind.allCases[number(below: AttributeKind.allCases.count)]
        var attribute = Attribute(kind: kind, value: value(kind))
        if chance(30) { attribute.observedAt = instant() }
        if chance(20) { attribute.expiresAt = instant() }
        if chance(30), kind == .property || kind == .listProperty { attribute.unitCode = "CEL" }
        if chance(20), kind == .property { attribute.valueType = name() }
        if chance(20), kind.isRelationship { attribute.objectTypes = [name()] }
        attribute.createdAt = instant()
        attribute.modifiedAt = instant()
        if depth > 0 { attribute.subattributes = attributes(depth: depth - 1) }
        return attribute
    }

    private mutating func attributes(depth: Int) -> Attributes {
        var attributes: Attributes = [:]
        for _ in 0..<number(below: 4) {
            var instances = [attribute(depth: depth)]
            if chance(30) {
                var second = attribute(depth: depth)
                second.datasetID = IRI(known: "urn:d:\(number(below: 9))")
                instances.append(second)
            }
            attributes[name()] = instances
        }
        return attributes
    }

    package mutating func next() -> Entity {
        let types = chance(30) ? [IRI(known: "https://example.org/T"), IRI(known: IRI.defaultContextNamespace + "Vehicle")] : [name()]
        var entity = Entity(
            id: IRI(known: "urn:ngsi-ld:Vehicle:\(number(below: 1000))"), types: types,
            scopes: chance(40) ? ["/A/B", "/C"].prefix(1 + number(below: 2)).compactMap { Scope($0) } : [],
            attributes: attributes(depth: 2))
        entity.createdAt = instant()
        entity.modifiedAt = instant()
        if chance(20) { entity.expiresAt = instant() }
        return entity
    }
}
