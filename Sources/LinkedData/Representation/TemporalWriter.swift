public import CityModel
public import OrderedCollections

/// One instance of an attribute at a moment.
public struct TemporalInstance: Sendable {
    public let attribute: Attribute
    /// When the attribute was removed, where the instance is the trace of that.
    public let deletedAt: Instant?
    /// The timestamp that the query was about.
    public let time: Instant
    /// Empty where a context source did not say it.
    public let instanceID: String

    public init(attribute: Attribute, deletedAt: Instant?, time: Instant, instanceID: String) {
        (self.attribute, self.deletedAt, self.time, self.instanceID) = (attribute, deletedAt, time, instanceID)
    }
}

/// Aggregates of one attribute's instances with one dataset (clause 4.5.19).
public struct AggregatedAttribute: Sendable {
    public let kind: AttributeKind
    public let datasetID: IRI?
    /// For each method the values with the periods they are of, in order of time.
    public let methods: OrderedDictionary<String, [(value: JSON, start: Instant, end: Instant)]>

    public init(
        kind: AttributeKind, datasetID: IRI?, methods: OrderedDictionary<String, [(value: JSON, start: Instant, end: Instant)]>
    ) {
        (self.kind, self.datasetID, self.methods) = (kind, datasetID, methods)
    }
}

/// The temporal evolution of an entity, as far as it is answered (clause 4.5.6).
public struct TemporalEntity: Sendable {
    public enum Content: Sendable {
        /// For each attribute its instances, oldest first; none where the answer ends before them.
        case instances(OrderedDictionary<IRI, [TemporalInstance]>)
        case aggregates(OrderedDictionary<IRI, [AggregatedAttribute]>)
    }

    public let id: IRI
    public let types: [IRI]
    /// Instances of the scopes: a text or an array of texts each.
    public var scopes: [TemporalInstance] = []
    public let createdAt: Instant?
    public let modifiedAt: Instant?
    public let deletedAt: Instant?
    public var content: Content

    public init(id: IRI, types: [IRI], createdAt: Instant?, modifiedAt: Instant?, deletedAt: Instant?, content: Content) {
        (self.id, self.types, self.content) = (id, types, content)
        (self.createdAt, self.modifiedAt, self.deletedAt) = (createdAt, modifiedAt, deletedAt)
    }
}

/// Writes temporal representations: instances in full (clauses 4.5.6 to 4.5.8), concise, as pairs of value and time
/// (`temporalValues`, clause 4.5.9), or aggregated (clause 4.5.19).
public struct TemporalWriter<Names: NameWriting> {
    private let names: Names
    private let format: RepresentationFormat
    /// A timestamp that is shown though it is a system member, for the query was about it.
    private let shownTime: String?
    private let entityWriter: EntityWriter<Names>

    /// - Parameter format: `simplified` stands for `temporalValues`.
    public init(names: Names, format: RepresentationFormat, shownTime: String? = nil) {
        (self.names, self.format, self.shownTime) = (names, format, shownTime)
        entityWriter = EntityWriter(names: names, format: format == .simplified ? .normalized : format)
    }

    /// - Parameter context: written as the last member `@context` when given.
    public func write(_ entity: TemporalEntity, members: EntityMembers = .all, context: JSON? = nil, to writer: inout JSONWriter) {
        var frame = Entity(id: entity.id, types: entity.types)
        (frame.createdAt, frame.modifiedAt) = (entity.createdAt, entity.modifiedAt)
        entityWriter.write(frame, members: members.subtracting(.scope), to: &writer)
        // The frame is a whole object: its end makes room for what follows.
        writer.bytes.removeLast()
        var isFirst = writer.bytes.last == UInt8(ascii: "{")
        func comma(_ writer: inout JSONWriter) {
            if !isFirst { writer.raw(",") }
            isFirst = false
        }
        if let deletedAt = entity.deletedAt, !isFirst {
            names.writeSystemMembers(to: &writer) { write(time: deletedAt, as: "deletedAt", to: &$0) }
        }
        if members.contains(.scope), !entity.scopes.isEmpty {
            comma(&writer)
            writer.raw("\"scope\":")
            writeScopes(entity.scopes, to: &writer)
        }
        switch entity.content {
        case .instances(let attributes):
            for (name, all) in attributes {
                let instances = format == .simplified ? paired(all) : all
                if instances.isEmpty, !all.isEmpty { continue }
                comma(&writer)
                names.write(name: name, to: &writer)
                writer.raw(":")
                format == .simplified ? writePairs(instances, to: &writer) : writeInstances(instances, to: &writer)
            }
        case .aggregates(let attributes):
            for (name, aggregates) in attributes {
                comma(&writer)
                names.write(name: name, to: &writer)
                writer.raw(":")
                writeAlternatives(aggregates, to: &writer) { write($0, to: &$1) }
            }
        }
        if let context {
            comma(&writer)
            writer.raw("\"@context\":")
            writer.write(context)
        }
        writer.raw("}")
    }

    // MARK: - Instances in full

    private func writeInstances(_ instances: [TemporalInstance], to writer: inout JSONWriter) {
        writeArray(instances, to: &writer) { instance, writer in
            entityWriter.writeObject(instance.attribute.asRemoved(instance.deletedAt), to: &writer)
            writer.bytes.removeLast()
            if !instance.instanceID.isEmpty {
                writer.raw(",\"instanceId\":")
                writer.write(instance.instanceID)
            }
            writeTimes(of: instance, to: &writer)
            writer.raw("}")
        }
    }

    /// Scopes have no other members than their value and temporal properties (clause 4.5.6).
    private func writeScopes(_ instances: [TemporalInstance], to writer: inout JSONWriter) {
        if format == .simplified { return writePairs(instances, to: &writer) }
        writeArray(instances, to: &writer) { instance, writer in
            entityWriter.writeObject(instance.attribute, to: &writer)
            writer.bytes.removeLast()
            writeTimes(of: instance, to: &writer)
            writer.raw("}")
        }
    }

    private func writeTimes(of instance: TemporalInstance, to writer: inout JSONWriter) {
        if let deletedAt = instance.deletedAt { write(time: deletedAt, as: "deletedAt", to: &writer) }
        guard let shownTime, shownTime != "observedAt", shownTime != "deletedAt" else { return }
        var probe = JSONWriter(byteCapacity: 1)
        names.writeSystemMembers(to: &probe) { $0.raw(",") }
        if probe.bytes.isEmpty { write(time: instance.time, as: shownTime, to: &writer) }
    }

    // MARK: - Pairs of value and time

    /// Those instances that can be half of a pair: the other half is the temporal property that the query is about, `observedAt`
    /// when it is about none (clauses 4.5.9, 4.11). So a table of observations has no rows that nobody observed.
    private func paired(_ instances: [TemporalInstance]) -> [TemporalInstance] {
        shownTime == nil ? instances.filter { $0.attribute.observedAt != nil } : instances
    }

    private func writePairs(_ instances: [TemporalInstance], to writer: inout JSONWriter) {
        // Instances of one dataset and one kind make one object.
        var groups: OrderedDictionary<PairGroup, [TemporalInstance]> = [:]
        for instance in instances {
            groups[PairGroup(kind: instance.attribute.kind, datasetID: instance.attribute.datasetID), default: []].append(instance)
        }
        if groups.isEmpty { groups[PairGroup(kind: .property, datasetID: nil)] = [] }
        writeAlternatives(Array(groups.elements), to: &writer) { group, writer in
            writer.raw("{\"type\":\"")
            writer.raw(group.key.kind.rawValue.utf8)
            writer.raw("\",")
            write(datasetID: group.key.datasetID, to: &writer)
            writer.raw("\"")
            writer.raw(group.key.kind.valueMember.utf8)
            writer.raw("s\":")
            writeArray(group.value, to: &writer) { instance, writer in
                writer.raw("[")
                writePairValue(instance.attribute.asRemoved(instance.deletedAt), to: &writer)
                writer.raw(",\"")
                writer.raw(instance.time.description.utf8)
                writer.raw("\"]")
            }
            writer.raw("}")
        }
    }

    private struct PairGroup: Hashable {
        let kind: AttributeKind
        let datasetID: IRI?
    }

    /// Language maps, vocabularies and raw JSON stand in an object with their member's name (clause 4.5.9).
    private func writePairValue(_ attribute: Attribute, to writer: inout JSONWriter) {
        switch attribute.kind {
        case .languageProperty, .vocabProperty, .jsonProperty:
            EntityWriter(names: names, format: .simplified).write(instances: [attribute.withoutDataset], to: &writer)
        default: writer.write(attribute.value)
        }
    }

    // MARK: - Aggregates

    private func write(_ aggregated: AggregatedAttribute, to writer: inout JSONWriter) {
        writer.raw("{\"type\":\"")
        writer.raw(aggregated.kind.rawValue.utf8)
        writer.raw("\"")
        if let datasetID = aggregated.datasetID {
            writer.raw(",\"datasetId\":")
            writer.write(datasetID.text)
        }
        for (method, values) in aggregated.methods {
            writer.raw(",\"")
            writer.raw(method.utf8)
            writer.raw("\":")
            writeArray(values, to: &writer) { period, writer in
                writer.raw("[")
                writer.write(period.value)
                for time in [period.start, period.end] {
                    writer.raw(",\"")
                    writer.raw(time.description.utf8)
                    writer.raw("\"")
                }
                writer.raw("]")
            }
        }
        writer.raw("}")
    }

    // MARK: - Parts

    /// One as it is, several as an array.
    private func writeAlternatives<Element>(
        _ elements: [Element], to writer: inout JSONWriter, _ write: (Element, inout JSONWriter) -> Void
    ) {
        if elements.count == 1 { write(elements[0], &writer) } else { writeArray(elements, to: &writer, write) }
    }

    private func writeArray<Element>(_ elements: [Element], to writer: inout JSONWriter, _ write: (Element, inout JSONWriter) -> Void) {
        writer.raw("[")
        for (index, element) in elements.enumerated() {
            if index > 0 { writer.raw(",") }
            write(element, &writer)
        }
        writer.raw("]")
    }

    private func write(datasetID: IRI?, to writer: inout JSONWriter) {
        guard let datasetID else { return }
        writer.raw("\"datasetId\":")
        writer.write(datasetID.text)
        writer.raw(",")
    }

    private func write(time: Instant, as member: String, to writer: inout JSONWriter) {
        writer.raw(",\"")
        writer.raw(member.utf8)
        writer.raw("\":\"")
        writer.raw(time.description.utf8)
        writer.raw("\"")
    }
}

extension Attribute {
    /// The value that says that an attribute is gone, in the form of its kind (clauses 4.5.0, 4.5.7 and 4.5.8).
    fileprivate func asRemoved(_ deletedAt: Instant?) -> Attribute {
        guard deletedAt != nil, kind == .languageProperty, value == .string(Attribute.nullText) else { return self }
        var attribute = self
        attribute.value = .object(["@none": .string(Attribute.nullText)])
        return attribute
    }

    fileprivate var withoutDataset: Attribute {
        var attribute = self
        attribute.datasetID = nil
        return attribute
    }
}
