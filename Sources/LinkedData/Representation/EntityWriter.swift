public import CityModel
internal import OrderedCollections

/// How names leave the program. `Context` writes terms; the store writes marks that are replaced at reading time.
public protocol NameWriting {
    /// Appends the name of a type or attribute as a JSON string with its quotes.
    func write(name: IRI, to writer: inout JSONWriter)
    /// Runs `body`, which appends members that only `sysAttrs` asks for, each beginning with a comma; or leaves them out.
    func writeSystemMembers(to writer: inout JSONWriter, _ body: (inout JSONWriter) -> Void)
}

/// The lossless and the abbreviated representations of an entity (clauses 4.5.1 to 4.5.4).
public enum RepresentationFormat: String, Hashable, Sendable, CaseIterable {
    case normalized, concise, simplified
}

/// Members of an entity that a projection can remove (clause 4.21).
public struct EntityMembers: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public static let id = EntityMembers(rawValue: 1)
    public static let type = EntityMembers(rawValue: 2)
    public static let scope = EntityMembers(rawValue: 4)
    public static let all: EntityMembers = [.id, .type, .scope]
}

/// Writes entities as JSON in one of their representations.
public struct EntityWriter<Names: NameWriting> {
    private let names: Names
    private let format: RepresentationFormat
    private let lastTime = LastTime()

    public init(names: Names, format: RepresentationFormat) {
        self.names = names
        self.format = format
    }

    /// Appends one entity as a JSON object.
    /// - Parameter context: written as the last member `@context` when given.
    /// - Parameter linked: entities to write in place of relationship targets (clause 4.5.23.2).
    public func write(
        _ entity: Entity, members: EntityMembers = .all, context: JSON? = nil, linked: LinkedEntities? = nil, to writer: inout JSONWriter
    ) {
        var separator = Separator(opening: "{")
        if members.contains(.id) {
            separator.next(&writer)
            writer.raw("\"id\":")
            writer.write(entity.id.text)
        }
        if members.contains(.type) {
            separator.next(&writer)
            writer.raw("\"type\":")
            write(types: entity.types, to: &writer)
        }
        if members.contains(.scope), !entity.scopes.isEmpty {
            separator.next(&writer)
            writer.raw("\"scope\":")
            write(oneOrMany: entity.scopes.map { .string($0.text) }, to: &writer)
        }
        for (name, instances) in entity.attributes {
            separator.next(&writer)
            names.write(name: name, to: &writer)
            writer.raw(":")
            write(instances: instances, linked: linked?.behind(name), to: &writer)
        }
        if let context {
            separator.next(&writer)
            writer.raw("\"@context\":")
            writer.write(context)
        }
        if separator.isFirst { writer.raw("{") }
        names.writeSystemMembers(to: &writer) { writer in
            // An object that is empty so far can't take members that begin with a comma.
            guard !separator.isFirst else { return }
            write(time: entity.createdAt, as: "createdAt", to: &writer)
            write(time: entity.modifiedAt, as: "modifiedAt", to: &writer)
            write(time: entity.expiresAt, as: "expiresAt", to: &writer)
        }
        writer.raw("}")
    }

    /// Appends the instances of one attribute as the value of its member.
    /// - Parameter linked: the entities that the attribute's targets may be.
    public func write(instances: [Attribute], linked: LinkedTargets? = nil, to writer: inout JSONWriter) {
        if format == .simplified, instances.count > 1 || instances.first?.datasetID != nil {
            return writeDatasets(instances, linked: linked, to: &writer)
        }
        if instances.count == 1 { return write(instances[0], isAlone: true, linked: linked, to: &writer) }
        writer.raw("[")
        for (index, instance) in instances.enumerated() {
            if index > 0 { writer.raw(",") }
            write(instance, isAlone: false, linked: linked, to: &writer)
        }
        writer.raw("]")
    }

    /// Several instances in simplified representation: an object keyed by dataset (clause 4.5.4).
    private func writeDatasets(_ instances: [Attribute], linked: LinkedTargets?, to writer: inout JSONWriter) {
        writer.raw("{\"dataset\":{")
        for (index, instance) in instances.enumerated() {
            if index > 0 { writer.raw(",") }
            writer.write(instance.datasetID?.text ?? "@none")
            writer.raw(":")
            writeSimplified(instance, linked: linked, to: &writer)
        }
        writer.raw("}}")
    }

    /// - Parameter isAlone: whether the attribute has no other instance. Among others a bare value would read as an element of
    /// a property's array.
    private func write(_ attribute: Attribute, isAlone: Bool, linked: LinkedTargets?, to writer: inout JSONWriter) {
        switch format {
        case .simplified: writeSimplified(attribute, linked: linked, to: &writer)
        case .concise where isAlone && canBeBare(attribute): writer.write(attribute.value)
        case .concise, .normalized: writeObject(attribute, linked: linked, to: &writer)
        }
    }

    /// Whether the concise representation is the value alone: a property or geo-property that says nothing else.
    private func canBeBare(_ attribute: Attribute) -> Bool {
        guard attribute.kind == .property || attribute.kind == .geoProperty, attribute.subattributes.isEmpty,
            attribute.datasetID == nil, attribute.observedAt == nil, attribute.unitCode == nil, attribute.valueType == nil,
            attribute.language == nil
        else { return false }
        // A bare object could be taken for an instance when it is read again.
        if attribute.kind == .property, attribute.value.objectValue != nil { return false }
        return attribute.createdAt == nil || !includesSystemMembers
    }

    private var includesSystemMembers: Bool {
        var probe = JSONWriter(byteCapacity: 1)
        names.writeSystemMembers(to: &probe) { $0.raw(",") }
        return !probe.bytes.isEmpty
    }

    /// Appends one instance as an object, also where the concise representation could be the value alone.
    public func writeObject(_ attribute: Attribute, linked: LinkedTargets? = nil, to writer: inout JSONWriter) {
        writer.raw("{")
        if format == .normalized {
            writer.raw("\"type\":\"")
            writer.raw(attribute.kind.rawValue.utf8)
            writer.raw("\",\"")
        } else {
            writer.raw("\"")
        }
        writer.raw(attribute.kind.valueMember.utf8)
        writer.raw("\":")
        write(value: attribute, to: &writer)
        writeQualifiers(attribute, to: &writer)
        linked?.write(targetsOf: attribute, with: self, to: &writer)
        for (name, instances) in attribute.subattributes {
            writer.raw(",")
            if name == .entityIDSealed || name == .entityTypeSealed {
                write(sealed: instances, as: name == .entityIDSealed ? "entityIdSealed" : "entityTypeSealed", to: &writer)
                continue
            }
            names.write(name: name, to: &writer)
            writer.raw(":")
            write(instances: instances, to: &writer)
        }
        names.writeSystemMembers(to: &writer) { writer in
            write(time: attribute.createdAt, as: "createdAt", to: &writer)
            write(time: attribute.modifiedAt, as: "modifiedAt", to: &writer)
            write(time: attribute.expiresAt, as: "expiresAt", to: &writer)
        }
        writer.raw("}")
    }

    /// What a proof seals is a text of its own and no attribute (clause 4.5.2.2). The core context knows the member's name
    /// within a proof only, so that no context can be asked for it.
    private func write(sealed instances: [Attribute], as member: StaticString, to writer: inout JSONWriter) {
        writer.raw("\"")
        writer.raw(member)
        writer.raw("\":")
        if let sealed = instances.first { write(value: sealed, to: &writer) } else { writer.write(JSON.null) }
    }

    private func writeQualifiers(_ attribute: Attribute, to writer: inout JSONWriter) {
        if let unitCode = attribute.unitCode {
            writer.raw(",\"unitCode\":")
            writer.write(unitCode)
        }
        write(time: attribute.observedAt, as: "observedAt", to: &writer)
        if let datasetID = attribute.datasetID {
            writer.raw(",\"datasetId\":")
            writer.write(datasetID.text)
        }
        if let valueType = attribute.valueType {
            writer.raw(",\"valueType\":")
            names.write(name: valueType, to: &writer)
        }
        if let language = attribute.language {
            writer.raw(",\"lang\":")
            writer.write(language)
        }
        if !attribute.objectTypes.isEmpty {
            writer.raw(",\"objectType\":")
            write(types: attribute.objectTypes, to: &writer)
        }
    }

    /// The value member's value in normalized and concise representation.
    private func write(value attribute: Attribute, to writer: inout JSONWriter) {
        switch attribute.kind {
        case .vocabProperty: writeVocabulary(attribute.value, to: &writer)
        case .listRelationship:
            guard case .array(let targets) = attribute.value else { return writer.write(attribute.value) }
            writer.raw("[")
            for (index, target) in targets.enumerated() {
                if index > 0 { writer.raw(",") }
                writer.raw("{\"object\":")
                writer.write(target)
                writer.raw("}")
            }
            writer.raw("]")
        default: writer.write(attribute.value)
        }
    }

    private func writeVocabulary(_ value: JSON, to writer: inout JSONWriter) {
        switch value {
        case .string(let text): names.write(name: IRI(known: text), to: &writer)
        case .array(let elements):
            writer.raw("[")
            for (index, element) in elements.enumerated() {
                if index > 0 { writer.raw(",") }
                writeVocabulary(element, to: &writer)
            }
            writer.raw("]")
        default: writer.write(value)
        }
    }

    private func writeSimplified(_ attribute: Attribute, linked: LinkedTargets?, to writer: inout JSONWriter) {
        switch attribute.kind {
        case .languageProperty, .vocabProperty, .jsonProperty:
            writer.raw("{\"")
            writer.raw(attribute.kind.valueMember.utf8)
            writer.raw("\":")
            write(value: attribute, to: &writer)
            writer.raw("}")
        case .relationship, .listRelationship:
            if let linked, linked.writeInPlace(ofTargets: attribute, with: self, to: &writer) { return }
            writer.write(attribute.value)
        default: writer.write(attribute.value)
        }
    }

    private func write(types: [IRI], to writer: inout JSONWriter) {
        if types.count == 1 { return names.write(name: types[0], to: &writer) }
        writer.raw("[")
        for (index, type) in types.enumerated() {
            if index > 0 { writer.raw(",") }
            names.write(name: type, to: &writer)
        }
        writer.raw("]")
    }

    private func write(oneOrMany values: [JSON], to writer: inout JSONWriter) {
        writer.write(values.count == 1 ? values[0] : .array(values))
    }

    private func write(time: Instant?, as member: StaticString, to writer: inout JSONWriter) {
        guard let time else { return }
        writer.raw(",\"")
        writer.raw(member)
        lastTime.write(time, to: &writer)
    }
}

/// The moment that was written last: a document says the same one again and again.
private final class LastTime {
    private var last: Instant?
    /// From the quote that ends the member's name to the one behind the moment.
    private var text: [UInt8] = []

    func write(_ time: Instant, to writer: inout JSONWriter) {
        if time != last {
            last = time
            text.removeAll(keepingCapacity: true)
            text.append(contentsOf: "\":\"".utf8)
            time.appendDateTime(to: &text)
            text.append(contentsOf: "Z\"".utf8)
        }
        text.withUnsafeBufferPointer { writer.raw($0) }
    }
}

/// Writes an opening bracket before the first element and a comma before each other.
private struct Separator {
    private let opening: StaticString
    private(set) var isFirst = true

    init(opening: StaticString) { self.opening = opening }

    mutating func next(_ writer: inout JSONWriter) {
        if isFirst { writer.raw(opening) } else { writer.raw(",") }
        isFirst = false
    }
}
