internal import CityModel
internal import GRDB
internal import LinkedData
internal import OrderedCollections

/// What an instance is besides its value: kind, marks and classification in one small number (`instance.form`).
struct InstanceForm: Hashable {
    var kind: AttributeKind
    /// What its entity was classified as when it was recorded. It keeps that whatever becomes of the entity: who may see the
    /// entity now may not therefore see what it was when it was more confidential.
    var classification: Classification
    /// Its moment is an `observedAt`, else the moment it was recorded.
    var isObserved = false
    /// It says that the attribute was removed at its moment.
    var isDeletion = false

    private static let kinds: [AttributeKind] = [
        .property, .relationship, .geoProperty, .languageProperty, .vocabProperty, .listProperty, .listRelationship, .jsonProperty,
    ]
    static let observedBit = 8, deletionBit = 16
    /// Above all marks stands the classification's rank, so that numbers are in its order.
    static let classificationUnit = 32

    init(kind: AttributeKind, _ classification: Classification, isObserved: Bool = false, isDeletion: Bool = false) {
        (self.kind, self.classification) = (kind, classification)
        (self.isObserved, self.isDeletion) = (isObserved, isDeletion)
    }

    /// Of an instance as it is recorded.
    init(_ instance: Attribute, _ classification: Classification) {
        self.init(kind: instance.kind, classification, isObserved: instance.observedAt != nil, isDeletion: instance.isNull)
    }

    /// The least number of an instance that may not be seen.
    static func hidden(from classificationMax: Classification) -> Int { (classificationMax.rank + 1) * classificationUnit }

    /// The condition that an instance has not expired (clause 4.22); its argument is the time now.
    static let isAlive = "(expires_us IS NULL OR expires_us > ?)"

    init(number: Int) {
        kind = Self.kinds[number & 7]
        classification = Classification(rank: number / Self.classificationUnit) ?? .special
        (isObserved, isDeletion) = (number & Self.observedBit != 0, number & Self.deletionBit != 0)
    }

    var number: Int {
        (Self.kinds.firstIndex(of: kind) ?? 0) + (isObserved ? Self.observedBit : 0) + (isDeletion ? Self.deletionBit : 0)
            + classification.rank * Self.classificationUnit
    }
}

/// The members of an instance that few have, as JSON text (`instance.rest`): attributes of the attribute, types of values and
/// targets; and the `instanceId` of an instance that was moved to another moment.
enum InstanceRest {
    /// Nil when the instance has nothing of the kind.
    static func bytes(of attribute: Attribute, instanceID: String? = nil) -> [UInt8]? {
        guard
            !attribute.subattributes.isEmpty || attribute.valueType != nil || !attribute.objectTypes.isEmpty || instanceID != nil
                || attribute.unitCode?.utf8.contains(0) ?? false
        else { return nil }
        // A property with some value carries them, so that one reader and one writer serve documents and this.
        var carrier = Attribute(kind: .property, value: 0)
        carrier.subattributes = attribute.subattributes
        (carrier.valueType, carrier.objectTypes) = (attribute.valueType, attribute.objectTypes)
        // SQL's texts end at U+0000.
        if attribute.unitCode?.utf8.contains(0) ?? false { carrier.unitCode = attribute.unitCode }
        var writer = JSONWriter()
        EntityWriter(names: WholeNames(), format: .normalized).writeObject(carrier, to: &writer)
        if let instanceID {
            writer.bytes.removeLast()
            writer.raw(",\"instanceId\":")
            writer.write(instanceID)
            writer.raw("}")
        }
        return writer.bytes
    }

    /// The `instanceId` in a column that holds such text; nil when there is none.
    static func name(in row: Row, at column: Int) throws -> String? {
        try row.withUnsafeData(atIndex: column) { try $0.flatMap { try JSON(parsing: Array($0))["instanceId"]?.stringValue } }
    }

    /// Puts the members back.
    /// - Returns: the `instanceId` of an instance that was moved.
    static func read(_ bytes: some Collection<UInt8>, into attribute: inout Attribute) throws -> String? {
        let json = try JSON(parsing: Array(bytes))
        guard let carrier = try EntityReader(context: WholeNames(), purpose: .stored).instances(json, path: "rest").first else { return nil }
        attribute.subattributes = carrier.subattributes
        (attribute.valueType, attribute.objectTypes) = (carrier.valueType, carrier.objectTypes)
        if let unitCode = carrier.unitCode { attribute.unitCode = unitCode }
        return json["instanceId"]?.stringValue
    }
}

/// Names as they are: whole IRIs.
private struct WholeNames: NameReading, NameWriting {
    func expand(_ name: String) -> IRI? { IRI(known: name) }
    func expandIdentifier(_ text: String) -> String? { nil }
    func write(name: IRI, to writer: inout JSONWriter) { writer.write(name.text) }
    func writeSystemMembers(to writer: inout JSONWriter, _ body: (inout JSONWriter) -> Void) { body(&writer) }
}
