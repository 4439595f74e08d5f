internal import CityModel
internal import Declarations
internal import Foundation

/// What the parts of a definition share while they are read, and the small values that occur in several of them.
struct DefinitionContext {
    let format: SourceFormat
    let time: TimeDefaults

    func field(_ value: YAMLValue) throws(DeclarationError) -> FieldName {
        let name = FieldName(try value.text())
        try check(name, value)
        return name
    }

    func template(_ value: YAMLValue) throws(DeclarationError) -> Template {
        let template: Template
        let text = try value.text()
        do throws(Template.Invalid) { template = try Template(text) } catch { throw value.failure(error.reason) }
        for name in template.fields { try check(name, value) }
        return template
    }

    private func check(_ name: FieldName, _ value: YAMLValue) throws(DeclarationError) {
        guard !format.isTabular else { return }
        guard name.steps(in: format) != nil else {
            throw value.failure("\(name.text) is not a path such as address.street, lanes[0].count or [\"a.b\"]")
        }
    }

    func timeField(_ value: YAMLValue) throws(DeclarationError) -> TimeField {
        guard value.isMapping else {
            return TimeField(fields: [try field(value)], format: time.format, zone: time.zone, ambiguous: time.ambiguous)
        }
        let part = try value.part(keys: DefinitionKeys.timeField)
        var fields: [FieldName] = []
        if let one = part["field"] { fields = [try field(one)] }
        for each in try part["fields"]?.elements(countMax: 8) ?? [] { fields.append(try field(each)) }
        guard !fields.isEmpty, part["field"] == nil || part["fields"] == nil else {
            throw value.failure("either field or fields is needed here")
        }
        return TimeField(
            fields: fields, format: try timeFormat(part["format"]), zone: try zone(part["zone"]),
            ambiguous: try ambiguous(part["ambiguous"]))
    }

    func timeFormat(_ value: YAMLValue?) throws(DeclarationError) -> TimeFormat {
        guard let value else { return time.format }
        guard let format = TimeFormat(try value.text()) else {
            throw value.failure(
                "one of \(TimeFormat.names.joined(separator: ", ")) or a pattern with a year such as %d/%m/%Y %H:%M is needed here")
        }
        return format
    }

    func zone(_ value: YAMLValue?) throws(DeclarationError) -> String {
        guard let value else { return time.zone }
        let name = try value.text()
        guard TimeZone(identifier: name) != nil else {
            throw value.failure("\(name) is not the IANA name of a time zone, such as Europe/Paris")
        }
        return name
    }

    func ambiguous(_ value: YAMLValue?) throws(DeclarationError) -> AmbiguousTime {
        try value?.choice(AmbiguousTime.self) ?? time.ambiguous
    }
}
