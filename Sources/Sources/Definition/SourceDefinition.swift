public import CityModel
package import Store

/// What a source file says: where data comes from, how a record becomes an entity, and what a record must satisfy.
/// The keys of the YAML are described in `docs/sources.md`; `SourceDefinition(parsing:)` reads them.
public struct SourceDefinition: Hashable, Sendable {
    /// 1 to 64 characters of `a-z`, `0-9` and `-`.
    public var id: String
    public var title: String
    public var description: String?
    /// The definition's own version, as its author counts; free text.
    public var version: String?
    /// Who answers for the data.
    public var steward: String?
    public var licence: Licence?
    /// The words to show wherever the data is shown.
    public var attribution: String?
    public var classification: Classification
    /// Addresses of JSON-LD contexts that expand the terms below, in order.
    public var contexts: [String]

    public var format: SourceFormat
    public var encoding: TextEncoding
    public var csv: CSVOptions
    /// For `json`: the path of the array that holds the records; empty when the file is that array.
    public var recordsPath: [String]
    public var numbers: NumberFormat
    /// Texts that mean "no value". The empty text always does.
    public var nullTexts: [String]
    public var time: TimeDefaults
    /// The coordinate reference system of x and y, such as `EPSG:2154`.
    public var crs: String

    /// Nil for `ngsi-ld`, whose records are entities already, and where records become cases.
    public var entity: EntityTemplate?
    public var attributes: [AttributeMapping]
    /// How records become cases rather than entities; `entity` is nil then.
    package var cases: CaseMapping?
    public var rules: [QualityRule]
    /// How long what it writes is kept; nil where it says nothing.
    package var retention: SourceRetention?

    /// Whether records are NGSI-LD entities that need no mapping.
    public var isPassThrough: Bool { format == .ngsild }
}

public struct Licence: Hashable, Sendable {
    public var name: String
    public var url: String?
}

public enum SourceFormat: String, CaseIterable, Hashable, Sendable {
    case csv, tsv, geojson, ndjson, json
    case ngsild = "ngsi-ld"

    /// Whether records are rows of columns rather than JSON values.
    public var isTabular: Bool { self == .csv || self == .tsv }
}

public enum TextEncoding: String, CaseIterable, Hashable, Sendable {
    /// With or without byte order mark.
    case utf8 = "utf-8"
    case windows1252 = "windows-1252"
    case iso8859_15 = "iso-8859-15"
    case cp850
}

/// How rows of delimited text are laid out.
public struct CSVOptions: Hashable, Sendable {
    public enum ExtraFields: String, CaseIterable, Hashable, Sendable { case reject, ignore }
    public enum MissingFields: String, CaseIterable, Hashable, Sendable { case reject, null }

    public var separator: UInt8 = UInt8(ascii: ",")
    /// Nil switches quoting off.
    public var quote: UInt8? = UInt8(ascii: "\"")
    /// Lines above the header, such as titles.
    public var skipLineCount = 0
    public var hasHeader = true
    /// Column names to use instead of the header's, or for want of one.
    public var columns: [String] = []
    /// Headers written as `NAME,C,50` (dBase field descriptors) count as `NAME`.
    public var hasDBaseHeader = false
    /// Whether blanks around a field are dropped.
    public var trims = true
    public var missingFields = MissingFields.reject
    public var extraFields = ExtraFields.reject
    /// Columns that the definition uses and that a file need not have.
    public var optionalColumns: [String] = []
}

public struct NumberFormat: Hashable, Sendable {
    public var decimalSeparator: UInt8 = UInt8(ascii: ".")
    /// Nil allows none. A blank stands for every kind of space, the non-breaking ones included.
    public var thousandsSeparator: UInt8?
}

/// What times mean where a field says nothing of its own.
public struct TimeDefaults: Hashable, Sendable {
    public var format = TimeFormat.iso8601
    /// An IANA name.
    public var zone = "UTC"
    public var ambiguous = AmbiguousTime.earlier
}

/// Which of its two moments a clock reading means in the hour that is repeated when clocks go back.
public enum AmbiguousTime: String, CaseIterable, Hashable, Sendable { case earlier, later, reject }

public struct EntityTemplate: Hashable, Sendable {
    public var id: Template
    /// Terms or IRIs; at least one.
    public var types: [String]
    public var scopes: [Template]
    /// When the record was observed: the time of all its attributes that say nothing else.
    public var observedAt: TimeField?
}

/// A moment, read from one or several fields.
public struct TimeField: Hashable, Sendable {
    /// Joined with one blank between them before they are read.
    public var fields: [FieldName]
    public var format: TimeFormat
    public var zone: String
    public var ambiguous: AmbiguousTime
}

/// How bad a broken rule is: `reject` refuses the record, `flag` counts it and lets it pass.
public enum Severity: String, CaseIterable, Hashable, Sendable { case reject, flag }

/// How long history is kept of what a source writes.
package struct SourceRetention: Hashable, Sendable {
    /// Of attributes that have no rule of their own; nil says nothing of them.
    package var standard: RetentionRule?
    /// By the name that the definition has for an attribute.
    package var attributes: [String: RetentionRule]
}
