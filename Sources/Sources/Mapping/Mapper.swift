public import CityModel
internal import OrderedCollections

/// Turns the records of one run of a source into entities. Everything that can be worked out before the first record is:
/// columns, expanded names, time zones, the coordinate system.
public struct Mapper {
    private let definition: SourceDefinition
    private let id: TemplateReader?
    private let types: [IRI]
    /// The scopes that all records share.
    private let constantScopes: [Scope]
    private let scopes: [TemplateReader]
    private let observedAt: TimeFieldReader?
    /// One element for each attribute name: its instances.
    private let groups: [[AttributeMapper]]
    /// All attribute names with no instances; copies share the table of names.
    private let blank: Attributes
    private var rules: RuleChecker

    /// - Parameters:
    ///   - columns: the columns of a table, from the reader; nil for JSON.
    ///   - now: the beginning of the run, which `freshWithin` counts from.
    ///   - expand: the IRI of a term in the source's contexts.
    /// - Throws: `SourceError.input` when a column is missing, `.definition` when a name has no IRI.
    public init(
        _ definition: SourceDefinition, columns: [String]?, now: Instant, expand: (String) -> IRI?
    ) throws(SourceError) {
        self.definition = definition
        let scheme = RecordScheme(definition, columns: columns ?? [])
        rules = try RuleChecker(definition, scheme, now: now)
        guard let projection = Projection(crs: definition.crs) else {
            throw .definition(line: 1, key: "crs", reason: "PROJ does not know \(definition.crs)")
        }
        var groups: OrderedDictionary<IRI, [AttributeMapper]> = [:]
        for mapping in definition.attributes {
            let mapper = try AttributeMapper(mapping, scheme, projection, expand: expand)
            groups[mapper.name, default: []].append(mapper)
        }
        self.groups = Array(groups.values)
        blank = groups.mapValues { _ in [] }
        id = try definition.entity.map { template throws(SourceError) in try TemplateReader(template.id, scheme, .iri) }
        observedAt = try definition.entity?.observedAt.map { field throws(SourceError) in try TimeFieldReader(field, scheme) }
        var types: [IRI] = []
        for name in definition.entity?.types ?? [] {
            guard let type = expand(name) else {
                throw .definition(line: 1, key: "entity.type", reason: "the context gives \(name) no IRI")
            }
            types.append(type)
        }
        self.types = types
        var scopes: [TemplateReader] = []
        for template in definition.entity?.scopes ?? [] { scopes.append(try TemplateReader(template, scheme, .scope)) }
        constantScopes = scopes.compactMap { $0.constant.flatMap(Scope.init) }
        self.scopes = scopes.filter { $0.constant.flatMap(Scope.init) == nil }
    }

    /// The entity that a record becomes, or why it becomes none.
    public mutating func map(_ record: borrowing Record) -> MappingResult {
        do throws(Finding) { return try accepted(record) } catch { return .rejected(error) }
    }

    private mutating func accepted(_ record: borrowing Record) throws(Finding) -> MappingResult {
        if let fault = record.fault { throw finding(record, fault.ruleID, "", fault.reason) }
        var flags: [Finding] = []
        var references: [PendingReference] = []
        try rules.checkFields(record, flags: &flags)
        guard let id else {
            try rules.checkRest(record, observedAt: nil, flags: &flags, references: &references)
            return .document(record.json, line: record.line, flags: flags)
        }
        let time = try recordTime(record)
        var entity = Entity(id: try identifier(record, id), types: types, scopes: constantScopes)
        for scope in scopes { add(scope, record, to: &entity.scopes, &flags) }
        entity.attributes = try attributes(record, time, &flags)
        try rules.checkRest(record, observedAt: time, flags: &flags, references: &references)
        return .mapped(MappedRecord(entity: entity, observedAt: time, line: record.line, flags: flags, references: references))
    }

    private func identifier(_ record: borrowing Record, _ template: TemplateReader) throws(Finding) -> IRI {
        guard let text = template.fill(record) else {
            throw finding(
                record, FindingID.identifier, template.missingField(record), "the value is missing; the identifier needs it")
        }
        guard let iri = IRI(text) else {
            throw finding(record, FindingID.identifier, template.text, "\(shown(text)) is not an IRI")
        }
        return iri
    }

    private func recordTime(_ record: borrowing Record) throws(Finding) -> Instant? {
        guard let observedAt else { return nil }
        switch observedAt.instant(record) {
        case .value(let instant): return instant
        case .missing: throw finding(record, FindingID.time, observedAt.name, "the record has no time")
        case .invalid(let fault): throw finding(record, fault.ruleID, fault.field, fault.reason)
        }
    }

    private func add(_ template: TemplateReader, _ record: borrowing Record, to scopes: inout [Scope], _ flags: inout [Finding]) {
        guard let text = template.fill(record) else { return }
        guard let scope = Scope(text) else {
            let reason = "\(shown(text)) is not a scope"
            flags.append(Finding(line: record.line, ruleID: FindingID.scope, field: template.text, reason: reason, severity: .flag))
            return
        }
        if !scopes.contains(scope) { scopes.append(scope) }
    }

    private func attributes(_ record: borrowing Record, _ time: Instant?, _ flags: inout [Finding]) throws(Finding) -> Attributes {
        var attributes = blank
        var hasGaps = false
        for (index, group) in groups.enumerated() {
            var instances: [Attribute] = []
            for mapper in group {
                guard let attribute = try attribute(mapper, record, time, &flags) else { continue }
                // Of several instances that would be the same one, the first with a value counts.
                if !instances.isEmpty, instances.contains(where: { $0.datasetID == attribute.datasetID }) { continue }
                instances.append(attribute)
            }
            if instances.isEmpty { hasGaps = true }
            attributes.values[index] = instances
        }
        if hasGaps { attributes.removeAll { $0.value.isEmpty } }
        return attributes
    }

    private func attribute(
        _ mapper: AttributeMapper, _ record: borrowing Record, _ time: Instant?, _ flags: inout [Finding]
    ) throws(Finding) -> Attribute? {
        switch mapper.attribute(record, recordTime: time) {
        case .value(let attribute): return attribute
        case .missing: return nil
        case .invalid(let fault):
            let finding = Finding(
                line: record.line, ruleID: fault.ruleID, field: fault.field, reason: "\(mapper.mapping.name): \(fault.reason)",
                severity: mapper.mapping.onError)
            if finding.severity == .reject { throw finding }
            flags.append(finding)
            return nil
        }
    }

    private func finding(_ record: borrowing Record, _ ruleID: String, _ field: String, _ reason: String) -> Finding {
        Finding(line: record.line, ruleID: ruleID, field: field, reason: reason, severity: .reject)
    }
}
