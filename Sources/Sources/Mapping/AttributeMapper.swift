internal import CityModel
internal import OrderedCollections

/// Reads one instance of an attribute.
final class AttributeMapper {
    let mapping: AttributeMapping
    let name: IRI
    private enum Content {
        case property(ValueReader)
        case relationship(TemplateReader, listSeparator: String?)
        case geometry(GeometryReader)
        case language([(tag: String, reader: FieldReader)])
    }
    private enum ObservedAt {
        case record, none
        case field(TimeFieldReader)
    }
    private let content: Content
    private let observedAt: ObservedAt
    private let datasetID: TemplateReader?
    private let blank: Attribute

    init(
        _ mapping: AttributeMapping, _ scheme: RecordScheme, _ projection: Projection, expand: (String) -> IRI?
    ) throws(SourceError) {
        self.mapping = mapping
        guard let name = expand(mapping.name) else {
            throw .definition(line: mapping.line, key: "attributes.\(mapping.name)", reason: "the context gives this name no IRI")
        }
        self.name = name
        let kind: AttributeKind
        switch mapping.content {
        case .property(let expression): (content, kind) = (.property(try ValueReader(expression, scheme)), .property)
        case .relationship(let template, let listSeparator):
            content = .relationship(try TemplateReader(template, scheme, .iri), listSeparator: listSeparator)
            kind = .relationship
        case .geometry(let expression):
            (content, kind) = (.geometry(try GeometryReader(expression, scheme, projection)), .geoProperty)
        case .language(let fields):
            var readers: [(tag: String, reader: FieldReader)] = []
            for field in fields { readers.append((field.tag, try FieldReader(field.field, scheme))) }
            (content, kind) = (.language(readers), .languageProperty)
        }
        switch mapping.observedAt {
        case .record: observedAt = .record
        case .none: observedAt = .none
        case .field(let field): observedAt = .field(try TimeFieldReader(field, scheme))
        }
        datasetID = try mapping.datasetID.map { template throws(SourceError) in try TemplateReader(template, scheme, .iri) }
        blank = Attribute(kind: kind, value: .null, unitCode: mapping.unitCode)
    }

    func attribute(_ record: borrowing Record, recordTime: Instant?) -> Outcome<Attribute> {
        let value: JSON
        switch self.value(record) {
        case .value(let found): value = found
        case .missing: return .missing
        case .invalid(let fault): return .invalid(fault)
        }
        var attribute = blank
        attribute.value = value
        switch observedAt {
        case .record: attribute.observedAt = recordTime
        case .none: break
        case .field(let reader):
            switch reader.instant(record) {
            case .value(let instant): attribute.observedAt = instant
            case .missing: break
            case .invalid(let fault): return .invalid(fault)
            }
        }
        guard let datasetID else { return .value(attribute) }
        guard let text = datasetID.fill(record), let iri = IRI(text) else {
            return .invalid(
                Fault(ruleID: FindingID.identifier, field: datasetID.missingField(record), reason: "\(datasetID.text) gives no IRI")
            )
        }
        attribute.datasetID = iri
        return .value(attribute)
    }

    private func value(_ record: borrowing Record) -> Outcome<JSON> {
        switch content {
        case .property(let reader): return reader.value(record)
        case .geometry(let reader): return reader.geometry(record)
        case .relationship(let template, let listSeparator):
            return targets(record, template, listSeparator)
        case .language(let readers):
            var map = JSONObject()
            for (tag, reader) in readers {
                if let text = reader.value(record).text { map[tag] = .string(text) }
            }
            return map.isEmpty ? .missing : .value(.object(map))
        }
    }

    private func targets(_ record: borrowing Record, _ template: TemplateReader, _ listSeparator: String?) -> Outcome<JSON> {
        guard let texts = template.fillEach(record, separator: listSeparator), !texts.isEmpty else { return .missing }
        for text in texts where IRI(text) == nil {
            return .invalid(Fault(ruleID: FindingID.identifier, field: template.text, reason: "\(shown(text)) is not an IRI"))
        }
        return .value(texts.count == 1 ? .string(texts[0]) : .array(texts.map(JSON.string)))
    }
}

/// Reads a moment from one or several fields.
final class TimeFieldReader {
    private let fields: [FieldReader]
    private let reader: TimeReader

    init(_ field: TimeField, _ scheme: RecordScheme) throws(SourceError) {
        var readers: [FieldReader] = []
        for name in field.fields { readers.append(try FieldReader(name, scheme)) }
        fields = readers
        reader = try TimeReader(field.format, zone: field.zone, field.ambiguous)
    }

    /// What the fields are called, for messages.
    var name: String { fields.map(\.name).joined(separator: " ") }

    func instant(_ record: borrowing Record) -> Outcome<Instant> {
        if fields.count == 1 {
            let value = fields[0].value(record)
            return value.isMissing ? .missing : instant(value.bytes)
        }
        var joined: [UInt8] = []
        for (index, field) in fields.enumerated() {
            guard let bytes = field.value(record).bytes else { return .missing }
            if index > 0 { joined.append(UInt8(ascii: " ")) }
            joined.append(contentsOf: bytes)
        }
        return instant(joined[...])
    }

    private func instant(_ bytes: ArraySlice<UInt8>?) -> Outcome<Instant> {
        guard let bytes else {
            return .invalid(Fault(ruleID: FindingID.time, field: name, reason: "an array or object is no time"))
        }
        do throws(TimeReader.Invalid) { return .value(try reader.instant(bytes)) } catch {
            return .invalid(Fault(ruleID: FindingID.time, field: name, reason: "\(shown(bytes)): \(error.reason)"))
        }
    }
}
