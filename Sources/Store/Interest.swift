package import CityModel
internal import OrderedCollections

/// Which changes a subscription may want, said coarsely: whoever is not found by this does not match, whoever is may.
package struct Interest: Hashable, Sendable {
    /// These entities.
    package var ids: Set<IRI>
    /// Entities of one of these types.
    package var types: Set<IRI>
    /// Entities of all kinds.
    package var wantsEveryEntity: Bool
    /// Changes to one of these attributes; nil for changes to any.
    package var attributes: Set<IRI>?
    package var operations: Set<Change.Operation>
    /// At least one of these holds for every entity that is wanted; nil when no such thing is known.
    package var keys: [Key]?
    /// From then on it wants nothing. Kept beside the interest, not in it.
    var expiresAt: Instant?

    /// Something that an entity must have, which an index can find it by.
    package enum Key: Hashable, Sendable {
        case number(IRI, Double)
        case text(IRI, String)
        /// A number between these, of which one may be infinite.
        case span(IRI, ClosedRange<Double>)
        /// A geometry whose box meets this one.
        case place(IRI, BoundingBox)
    }

    package init(
        ids: Set<IRI> = [], types: Set<IRI> = [], wantsEveryEntity: Bool = false, attributes: Set<IRI>? = nil,
        operations: Set<Change.Operation>, keys: [Key]? = nil
    ) {
        (self.ids, self.types, self.wantsEveryEntity) = (ids, types, wantsEveryEntity)
        (self.attributes, self.operations, self.keys) = (attributes, operations, keys)
    }
}

extension Interest {
    /// As the file keeps it.
    var json: JSON {
        var members: JSONObject = [
            "ids": Self.json(ids), "types": Self.json(types), "everyEntity": .bool(wantsEveryEntity),
            "operations": .array(operations.map(\.rawValue).sorted().map { .integer(Int64($0)) }),
        ]
        if let attributes { members["attributes"] = Self.json(attributes) }
        if let keys { members["keys"] = .array(keys.map(\.json)) }
        return .object(members)
    }

    init(_ json: JSON) {
        // Of what can't be read nothing is known: whoever holds changes against the subscription itself decides.
        guard json.objectValue != nil else {
            self.init(wantsEveryEntity: true, operations: [.created, .updated, .deleted])
            return
        }
        func names(_ member: String) -> Set<IRI> { Set(json[member]?.arrayValue?.compactMap { $0.stringValue.map(IRI.init(known:)) } ?? []) }
        let operations = json["operations"]?.arrayValue?.compactMap { $0.integerValue.flatMap { Change.Operation(rawValue: Int($0)) } } ?? []
        let given = json["keys"]?.arrayValue, keys = given?.compactMap(Key.init)
        self.init(
            ids: names("ids"), types: names("types"), wantsEveryEntity: json["everyEntity"]?.boolValue ?? false,
            attributes: json["attributes"] == nil ? nil : names("attributes"), operations: Set(operations),
            // Of a key that can't be read nothing is known.
            keys: keys?.count == given?.count ? keys : nil)
    }

    private static func json(_ names: Set<IRI>) -> JSON { .array(names.map(\.text).sorted().map(JSON.string)) }
}

extension Interest.Key {
    fileprivate var json: JSON {
        switch self {
        case .number(let attribute, let number): [.string(attribute.text), "number", .number(number)]
        case .text(let attribute, let text): [.string(attribute.text), "text", .string(text)]
        case .span(let attribute, let span): [.string(attribute.text), "span", Self.json(span.lowerBound), Self.json(span.upperBound)]
        case .place(let attribute, let box):
            [.string(attribute.text), "place", .number(box.west), .number(box.south), .number(box.east), .number(box.north)]
        }
    }

    /// JSON has no infinite numbers.
    private static func json(_ end: Double) -> JSON { end.isFinite ? .number(end) : .null }

    fileprivate init?(_ json: JSON) {
        guard let parts = json.arrayValue, parts.count >= 3, let attribute = parts[0].stringValue.map(IRI.init(known:)) else { return nil }
        let numbers = parts[2...].compactMap(\.doubleValue)
        switch (parts[1], parts.count) {
        case ("number", 3): 
            guard let number = numbers.first else { return nil }
            self = .number(attribute, number)
        case ("text", 3):
            guard let text = parts[2].stringValue else { return nil }
            self = .text(attribute, text)
        case ("span", 4):
            let (low, high) = (parts[2].doubleValue ?? -.infinity, parts[3].doubleValue ?? .infinity)
            guard low <= high else { return nil }
            self = .span(attribute, low...high)
        case ("place", 6) where numbers.count == 4:
            self = .place(attribute, BoundingBox(west: numbers[0], south: numbers[1], east: numbers[2], north: numbers[3]))
        default: return nil
        }
    }
}
