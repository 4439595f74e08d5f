internal import CityModel
internal import Declarations
internal import OrderedCollections

extension SourceDefinition {
    /// Reads a source's YAML.
    /// - Throws: `SourceError.definition` with the line and the key of the first fault.
    public init(parsing text: String) throws(SourceError) {
        do throws(DeclarationError) {
            let root = try YAMLValue.root(of: text).part(keys: DefinitionKeys.source)
            self = try DefinitionParser(root: root).definition()
        } catch {
            throw .definition(line: error.line, key: error.key, reason: error.reason)
        }
    }
}

/// Reads the parts of a definition that stand at its top; `AttributeParser` and `RuleParser` read the rest.
struct DefinitionParser {
    let root: YAMLPart

    func definition() throws(DeclarationError) -> SourceDefinition {
        let format = try root.required("format").choice(SourceFormat.self)
        let time = try timeDefaults()
        let context = DefinitionContext(format: format, time: time)
        var attributes: [AttributeMapping] = []
        for (name, value) in try root["attributes"]?.members(countMax: 500) ?? [] {
            for instance in try value.elements(countMax: 100) {
                attributes.append(try AttributeParser(context: context).attribute(name: name, instance))
            }
        }
        let definition = SourceDefinition(
            id: try identifier(), title: try root.required("title").text(), description: try root["description"]?.text(),
            version: try root["version"]?.text(), steward: try root["steward"]?.text(), licence: try licence(),
            attribution: try root["attribution"]?.text(),
            classification: try root.required("classification").choice(Classification.self),
            contexts: try root["context"]?.texts() ?? [], format: format,
            encoding: try root["encoding"]?.choice(TextEncoding.self) ?? .utf8, csv: try csv(format),
            recordsPath: try recordsPath(format), numbers: try numbers(), nullTexts: try nullTexts(), time: time,
            crs: try crs(), entity: try entity(context), attributes: attributes,
            cases: try root["cases"].map { value throws(DeclarationError) in try CaseParser(context: context).cases(value) }, rules: try rules(context), retention: try retention(format, attributes))
        try check(definition)
        return definition
    }

    private func check(_ definition: SourceDefinition) throws(DeclarationError) {
        if let cases = root["cases"] { try checkCases(definition, cases) }
        if definition.format == .ngsild {
            for key in ["entity", "attributes", "cases"] {
                if let value = root[key] { throw value.failure("NGSI-LD records are entities already and are not mapped") }
            }
        } else if definition.cases == nil {
            _ = try root.required("entity")
            _ = try root.required("attributes")
        }
        if !definition.format.isTabular {
            if let value = root["csv"] { throw value.failure("only csv and tsv have these options") }
            if let value = root["encoding"], definition.encoding != .utf8 { throw value.failure("JSON is always UTF-8") }
        }
    }

    /// What a case is, who may see it and how long it is kept says its service. What people wrote is personal, so their rows are not kept in reports.
    private func checkCases(_ definition: SourceDefinition, _ cases: YAMLValue) throws(DeclarationError) {
        for key in ["entity", "attributes", "context", "retention"] {
            if let value = root[key] { throw value.failure("a source makes either entities or cases, and the service says what a case is") }
        }
        guard definition.classification >= .personal else {
            throw try root.required("classification").failure("cases hold what people wrote: personal or special is needed here")
        }
    }

    private func identifier() throws(DeclarationError) -> String {
        let value = try root.required("id")
        let text = try value.text()
        let allowed: (UInt8) -> Bool = { (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-") }
        guard text.utf8.count <= 64, text.utf8.allSatisfy(allowed) else {
            throw value.failure("1 to 64 characters of a-z, 0-9 and - are needed here")
        }
        return text
    }

    private func crs() throws(DeclarationError) -> String {
        guard let value = root["crs"] else { return "EPSG:4326" }
        let name = try value.text()
        guard Projection(crs: name) != nil else {
            throw value.failure("PROJ does not know \(name); write EPSG: and a number, such as EPSG:2154")
        }
        return name
    }

    private func licence() throws(DeclarationError) -> Licence? {
        guard let value = root["licence"] else { return nil }
        guard value.isMapping else { return Licence(name: try value.text(), url: nil) }
        let part = try value.part(keys: DefinitionKeys.licence)
        return Licence(name: try part.required("name").text(), url: try part["url"]?.text())
    }

    private func csv(_ format: SourceFormat) throws(DeclarationError) -> CSVOptions {
        var options = CSVOptions()
        if format == .tsv { options.separator = UInt8(ascii: "\t") }
        guard let part = try root["csv"]?.part(keys: DefinitionKeys.csv) else { return options }
        if let value = part["separator"] { options.separator = try separator(value) }
        if let value = part["quote"] { options.quote = value.scalar == "none" ? nil : try byte(value) }
        if let value = part["skipLines"] { options.skipLineCount = try value.integer(in: 0...1000) }
        if let value = part["header"] { options.hasHeader = try value.boolean() }
        if let value = part["columns"] { options.columns = try value.texts() }
        if let value = part["optionalColumns"] { options.optionalColumns = try value.texts() }
        if let value = part["dBaseHeader"] { options.hasDBaseHeader = try value.boolean() }
        if let value = part["trim"] { options.trims = try value.boolean() }
        if let value = part["missingFields"] { options.missingFields = try value.choice(CSVOptions.MissingFields.self) }
        if let value = part["extraFields"] { options.extraFields = try value.choice(CSVOptions.ExtraFields.self) }
        guard options.separator != options.quote else { throw part.value.failure("separator and quote are the same") }
        guard options.hasHeader || !options.columns.isEmpty else {
            throw part.value.failure("without a header the columns are named here")
        }
        return options
    }

    private func separator(_ value: YAMLValue) throws(DeclarationError) -> UInt8 {
        value.scalar == "tab" ? UInt8(ascii: "\t") : try byte(value)
    }

    private func byte(_ value: YAMLValue) throws(DeclarationError) -> UInt8 {
        guard let text = value.scalar, text.utf8.count == 1, let byte = text.utf8.first, byte < 0x80, byte != 0x0A, byte != 0x0D,
            byte != 0
        else { throw value.failure("one ASCII character is needed here") }
        return byte
    }

    private func recordsPath(_ format: SourceFormat) throws(DeclarationError) -> [String] {
        guard let value = root["json"] else { return format == .geojson ? ["features"] : [] }
        guard format == .json else { throw value.failure("only the format json has these options") }
        guard let records = try value.part(keys: DefinitionKeys.json)["records"] else { return [] }
        var names: [String] = []
        for step in FieldName(try records.text()).steps(in: format) ?? [] {
            if case .member(let name) = step { names.append(name) } else { names = [] }
            if names.isEmpty { break }
        }
        guard !names.isEmpty else { throw records.failure("a path of names such as data.stations is needed here") }
        return names
    }

    private func numbers() throws(DeclarationError) -> NumberFormat {
        var format = NumberFormat()
        guard let part = try root["numbers"]?.part(keys: DefinitionKeys.numbers) else { return format }
        if let value = part["decimal"] { format.decimalSeparator = try byte(value) }
        if let value = part["thousands"] { format.thousandsSeparator = try byte(value) }
        guard format.decimalSeparator != format.thousandsSeparator else {
            throw part.value.failure("decimal and thousands are the same")
        }
        return format
    }

    private func nullTexts() throws(DeclarationError) -> [String] {
        guard let value = root["nulls"] else { return [] }
        var texts: [String] = []
        for element in try value.elements(countMax: 64) {
            guard let text = element.scalar else { throw element.failure("a text is needed here") }
            if !text.isEmpty { texts.append(text) }
        }
        return texts
    }

    private func timeDefaults() throws(DeclarationError) -> TimeDefaults {
        var defaults = TimeDefaults()
        guard let part = try root["time"]?.part(keys: DefinitionKeys.time) else { return defaults }
        let context = DefinitionContext(format: .json, time: defaults)
        defaults.format = try context.timeFormat(part["format"])
        defaults.zone = try context.zone(part["zone"])
        defaults.ambiguous = try context.ambiguous(part["ambiguous"])
        return defaults
    }

    private func entity(_ context: DefinitionContext) throws(DeclarationError) -> EntityTemplate? {
        guard let part = try root["entity"]?.part(keys: DefinitionKeys.entity) else { return nil }
        var scopes: [Template] = []
        for value in try part["scope"]?.elements(countMax: 20) ?? [] { scopes.append(try context.template(value)) }
        let types = try part.required("type").texts()
        guard Set(types).count == types.count else { throw try part.required("type").failure("a type stands twice") }
        return EntityTemplate(
            id: try context.template(part.required("id")), types: types, scopes: scopes,
            observedAt: try part["observedAt"].map { value throws(DeclarationError) in try context.timeField(value) })
    }

    private func retention(_ format: SourceFormat, _ attributes: [AttributeMapping]) throws(DeclarationError) -> SourceRetention? {
        guard let value = root["retention"] else { return nil }
        return try RetentionParser(mapped: format == .ngsild ? nil : Set(attributes.map(\.name))).retention(value)
    }

    private func rules(_ context: DefinitionContext) throws(DeclarationError) -> [QualityRule] {
        var rules: [QualityRule] = []
        for value in try root["rules"]?.elements(countMax: 500) ?? [] {
            let rule = try RuleParser(context: context).rule(value)
            guard !rules.contains(where: { $0.id == rule.id }) else { throw value.failure("two rules have the id \(rule.id)") }
            rules.append(rule)
        }
        return rules
    }
}
