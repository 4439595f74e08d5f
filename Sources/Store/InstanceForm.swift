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
/// targets; the `instanceId` of an instance that was moved to another moment; and of one that a context source gave its times.
enum InstanceRest {
    /// What it says beside the members of the attribute.
    struct Marks {
        /// The `instanceId`, where it is not that of the key; empty where a source did not say it.
        var instanceID: String?
        /// Whether the instance is of a context source, so that it has the times that are said here and no others.
        var isForeign = false
        /// Of such an instance.
        var deletedAt: Instant?
    }

    /// The condition that it says when a source removed an instance. Only the rows of removals are to be asked.
    static let tellsDeletion = "instr(coalesce(\(Opened.rest), x''), CAST('\"deletedAt\"' AS BLOB)) > 0"

    /// Nil when the instance has nothing of the kind.
    static func bytes(of attribute: Attribute, instanceID: String? = nil) -> [UInt8]? {
        guard
            !attribute.subattributes.isEmpty || attribute.valueType != nil || !attribute.objectTypes.isEmpty || instanceID != nil
                || attribute.unitCode?.utf8.contains(0) ?? false
        else { return nil }
        return bytes(carrier(of: attribute), instanceID.map { [("instanceId", $0)] } ?? [])
    }

    /// All that the columns do not say of an instance that a context source gave, or say only for it to be found.
    static func bytes(ofForeign instance: TemporalInstance) -> [UInt8] {
        var carrier = carrier(of: instance.attribute)
        let said = instance.attribute
        (carrier.observedAt, carrier.createdAt, carrier.modifiedAt) = (said.observedAt, said.createdAt, said.modifiedAt)
        return bytes(carrier, [("instanceId", instance.instanceID)] + (instance.deletedAt.map { [("deletedAt", $0.description)] } ?? []))
    }

    /// A property with some value carries them, so that one reader and one writer serve documents and this.
    private static func carrier(of attribute: Attribute) -> Attribute {
        var carrier = Attribute(kind: .property, value: 0)
        carrier.subattributes = attribute.subattributes
        (carrier.valueType, carrier.objectTypes) = (attribute.valueType, attribute.objectTypes)
        // SQL's texts end at U+0000.
        if attribute.unitCode?.utf8.contains(0) ?? false { carrier.unitCode = attribute.unitCode }
        return carrier
    }

    private static func bytes(_ carrier: Attribute, _ marks: [(name: String, text: String)]) -> [UInt8] {
        var writer = JSONWriter()
        EntityWriter(names: WholeNames(), format: .normalized).writeObject(carrier, to: &writer)
        for (name, text) in marks {
            writer.bytes.removeLast()
            writer.raw(",\"\(name)\":".utf8)
            writer.write(text)
            writer.raw("}")
        }
        return writer.bytes
    }

    /// The `instanceId` in a column that holds such text; nil when there is none.
    static func name(in row: Row, at column: Int) throws -> String? {
        try row.withUnsafeData(atIndex: column) { try $0.flatMap { try JSON(parsing: Array($0))["instanceId"]?.stringValue } }
    }

    /// Puts the members back.
    static func read(_ bytes: some Collection<UInt8>, into attribute: inout Attribute) throws -> Marks {
        let json = try JSON(parsing: Array(bytes))
        guard let carrier = try EntityReader(context: WholeNames(), purpose: .stored).instances(json, path: "rest").first else { return Marks() }
        attribute.subattributes = carrier.subattributes
        (attribute.valueType, attribute.objectTypes) = (carrier.valueType, carrier.objectTypes)
        if let unitCode = carrier.unitCode { attribute.unitCode = unitCode }
        var marks = Marks(instanceID: json["instanceId"]?.stringValue, deletedAt: json["deletedAt"]?.stringValue.flatMap { Instant($0) })
        marks.isForeign = (carrier.observedAt ?? carrier.createdAt ?? carrier.modifiedAt ?? marks.deletedAt) != nil
        if marks.isForeign {
            (attribute.observedAt, attribute.createdAt, attribute.modifiedAt) = (carrier.observedAt, carrier.createdAt, carrier.modifiedAt)
        }
        return marks
    }
}

/// Names as they are: whole IRIs.
private struct WholeNames: NameReading, NameWriting {
    func expand(_ name: String) -> IRI? { IRI(known: name) }
    func expandIdentifier(_ text: String) -> String? { nil }
    func write(name: IRI, to writer: inout JSONWriter) { writer.write(name.text) }
    func writeSystemMembers(to writer: inout JSONWriter, _ body: (inout JSONWriter) -> Void) { body(&writer) }
}
