/// A rule that a record broke, or a fault that kept it from becoming an entity.
public struct Finding: Error, Hashable, Sendable {
    /// Where the record begins, counted from 1.
    public var line: Int
    /// The id of a rule of the definition, or one of `FindingID`.
    public var ruleID: String
    /// The field, attribute or part of the record at fault.
    public var field: String
    public var reason: String
    public var severity: Severity

    public init(line: Int, ruleID: String, field: String, reason: String, severity: Severity) {
        (self.line, self.ruleID, self.field, self.reason, self.severity) = (line, ruleID, field, reason, severity)
    }
}

/// The ids of the checks that every source has.
public enum FindingID {
    /// The record holds NUL bytes or bytes that the encoding does not have.
    public static let damaged = "damaged"
    /// The record is not well-formed CSV or JSON.
    public static let syntax = "syntax"
    /// The record has fewer or more fields than there are columns.
    public static let fields = "fields"
    public static let identifier = "identifier"
    public static let scope = "scope"
    /// A value is not of the type asked for.
    public static let type = "type"
    public static let enumeration = "enumeration"
    public static let time = "time"
    public static let geometry = "geometry"
    /// A position stands for "unknown".
    public static let unknownPosition = "unknown-position"

    /// Of a record that becomes a case: it has no key, or one of another record of the run.
    public static let caseKey = "case-key"
    /// What is said is no answer to the questions of the service.
    public static let caseAnswers = "case-answers"
    /// The place is outside of the municipality, or the only thing known of it is an address that is no place here.
    public static let casePlace = "case-place"

    public static let all: Set<String> = [
        damaged, syntax, fields, identifier, scope, type, enumeration, time, geometry, unknownPosition, caseKey, caseAnswers, casePlace,
    ]
}
