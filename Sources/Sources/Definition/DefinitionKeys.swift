/// The keys that each part of a definition may have. The published schema (`docs/schemas/source.schema.json`) has one
/// `$defs` entry for each part, and a test holds the two together.
package enum DefinitionKeys {
    static let source = [
        "id", "title", "description", "version", "steward", "licence", "attribution", "classification", "context", "format",
        "encoding", "csv", "json", "numbers", "nulls", "time", "crs", "entity", "attributes", "cases", "rules", "retention",
    ]
    static let licence = ["name", "url"]
    static let csv = [
        "separator", "quote", "skipLines", "header", "columns", "optionalColumns", "dBaseHeader", "trim", "missingFields",
        "extraFields",
    ]
    static let json = ["records"]
    static let numbers = ["decimal", "thousands"]
    static let time = ["format", "zone", "ambiguous"]
    static let entity = ["id", "type", "scope", "observedAt"]
    static let timeField = ["field", "fields", "format", "zone", "ambiguous"]
    static let conversion = ["as", "list", "values", "unknownValue", "factor", "format", "zone", "ambiguous"]
    static let value = ["field", "template", "constant", "object"] + conversion
    static let attribute =
        ["field", "template", "constant", "object", "relationship", "point", "wkt", "geometry", "labelPoint", "language"]
        + conversion + ["unit", "datasetId", "observedAt", "onError"]
    static let point = ["x", "y", "unknown"]
    static let cases = ["service", "key", "date", "channel", "fields", "place", "contact", "remark", "notices"]
    static let casePlace = ["x", "y", "address"]
    static let caseContact = ["name", "email", "telephone", "language"]
    static let range = ["min", "max"]
    static let checks = ["required", "range", "pattern", "unique", "oneOf", "referenceExists", "freshWithin"]
    static let retentionRule = ["raw", "hourly", "daily", "limit"]
    static let retention = retentionRule + ["attributes"]
    static let rule = ["id", "field", "fields", "severity"] + checks

    /// By the name of the schema's `$defs` entry.
    package static let all: [String: [String]] = [
        "source": source, "licence": licence, "csv": csv, "json": json, "numbers": numbers, "time": time, "entity": entity,
        "timeField": timeField, "value": value, "attribute": attribute, "point": point, "range": range, "rule": rule,
        "retention": retention, "retentionRule": retentionRule, "cases": cases, "casePlace": casePlace, "caseContact": caseContact,
    ]
}
