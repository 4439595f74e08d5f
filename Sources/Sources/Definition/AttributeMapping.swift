public import CityModel

/// How one instance of one attribute comes out of a record.
public struct AttributeMapping: Hashable, Sendable {
    /// A term or an IRI.
    public var name: String
    public var content: Content
    /// UN/CEFACT common code.
    public var unitCode: String?
    public var datasetID: Template?
    public var observedAt: ObservedAt
    /// What happens to the record when the value cannot be had.
    public var onError: Severity
    /// Where the definition says this, for messages.
    public var line: Int

    public enum Content: Hashable, Sendable {
        case property(ValueExpression)
        case relationship(Template, listSeparator: String?)
        case geometry(GeometryExpression)
        /// From language tag to field.
        case language([LanguageField])
    }

    public struct LanguageField: Hashable, Sendable {
        public var tag: String
        public var field: FieldName
    }

    public enum ObservedAt: Hashable, Sendable {
        /// The time of the record, when it has one.
        case record
        case none
        case field(TimeField)
    }
}

/// Where a property's value comes from.
public indirect enum ValueExpression: Hashable, Sendable {
    case field(FieldName, Conversion)
    case template(Template)
    case constant(JSON)
    /// Members whose value is missing are left out; without any member the value is missing.
    case object([Member])

    public struct Member: Hashable, Sendable {
        public var name: String
        public var value: ValueExpression
    }
}

/// What is made of a field's text or JSON value.
public struct Conversion: Hashable, Sendable {
    public enum Target: Hashable, Sendable {
        /// Text stays text; JSON values stay what they are.
        case asIs
        case text, integer, number, boolean
        /// A calendar date, `{"@type": "Date", "@value": "2024-02-29"}`.
        case date(TimeFormat)
        /// A moment, `{"@type": "DateTime", "@value": "2024-02-29T12:00:00Z"}`.
        case dateTime(TimeFormat, zone: String, AmbiguousTime)
    }
    public enum UnknownValue: String, CaseIterable, Hashable, Sendable { case reject, keep, omit }

    public var target = Target.asIs
    /// Splits a text into a list, each element converted by itself.
    public var listSeparator: String?
    /// Replaces texts; empty when there is no enumeration.
    public var values: [String: JSON] = [:]
    public var unknownValue = UnknownValue.reject
    /// Multiplies a number, such as 0.001 from grams to kilograms.
    public var factor: Double?
}

public enum GeometryExpression: Hashable, Sendable {
    /// Positions equal to one of `unknown` (in the source's own coordinates) mean that there is none.
    case point(x: FieldName, y: FieldName, unknown: [Position])
    case wkt(FieldName)
    case geoJSON(FieldName)
    /// A point inside the GeoJSON polygon, where a label can stand.
    case labelPoint(FieldName)

    public struct Position: Hashable, Sendable {
        public var x: Double
        public var y: Double
    }
}

/// A demand on a field of each record, with a name for the report.
public struct QualityRule: Hashable, Sendable {
    public var id: String
    public var severity: Severity
    public var check: Check
    /// Where the definition says this, for messages.
    public var line: Int

    public enum Check: Hashable, Sendable {
        case required(FieldName)
        case range(FieldName, min: Double?, max: Double?)
        /// The whole text matches the regular expression.
        case pattern(FieldName, WholePattern)
        /// No two records of a run agree in all of the fields; records without any of them are not compared.
        case unique([FieldName])
        case oneOf(FieldName, [String])
        /// The entity that the template names exists; whoever writes the records looks it up.
        case referenceExists(Template)
        /// The record's time is at most this long before the run, and not after it by more than a day.
        case freshWithin(seconds: Int64)
    }
}
