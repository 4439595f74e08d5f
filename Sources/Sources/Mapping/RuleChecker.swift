internal import CityModel

/// Checks the quality rules of a source on its records, one run long.
struct RuleChecker {
    private enum Check {
        case required(FieldReader)
        case range(FieldReader, min: Double?, max: Double?)
        case pattern(FieldReader, WholePattern)
        case unique([FieldReader], index: Int)
        case oneOf(FieldReader, Set<String>)
        case referenceExists(TemplateReader)
        case freshWithin(seconds: Int64)
    }
    private final class Rule {
        let id: String
        let severity: Severity
        let check: Check

        init(id: String, severity: Severity, check: Check) { (self.id, self.severity, self.check) = (id, severity, check) }
    }

    /// How many different values a `unique` rule remembers (hashes of 8 bytes); records past them are flagged unchecked.
    static let uniqueValueCountMax = 5_000_000
    /// The longest text that a pattern is tried on, in bytes; longer ones break the rule.
    static let patternByteCountMax = 4096

    private let rules: [Rule]
    private let now: Instant
    private let numbers: NumberReader
    /// For each `unique` rule the hashes of the values seen.
    private var seen: [Set<Int>] = []

    init(_ definition: SourceDefinition, _ scheme: RecordScheme, now: Instant) throws(SourceError) {
        self.now = now
        numbers = NumberReader(format: definition.numbers)
        var rules: [Rule] = []
        for rule in definition.rules {
            rules.append(Rule(id: rule.id, severity: rule.severity, check: try Self.check(rule, scheme, &seen)))
        }
        self.rules = rules
    }

    private static func check(_ rule: QualityRule, _ scheme: RecordScheme, _ seen: inout [Set<Int>]) throws(SourceError) -> Check {
        switch rule.check {
        case .required(let field): return .required(try FieldReader(field, scheme))
        case .range(let field, let min, let max): return .range(try FieldReader(field, scheme), min: min, max: max)
        case .pattern(let field, let pattern): return .pattern(try FieldReader(field, scheme), pattern)
        case .unique(let fields):
            var readers: [FieldReader] = []
            for field in fields { readers.append(try FieldReader(field, scheme)) }
            seen.append([])
            return .unique(readers, index: seen.count - 1)
        case .oneOf(let field, let texts): return .oneOf(try FieldReader(field, scheme), Set(texts))
        case .referenceExists(let template): return .referenceExists(try TemplateReader(template, scheme, .iri))
        case .freshWithin(let seconds): return .freshWithin(seconds: seconds)
        }
    }

    var isEmpty: Bool { rules.isEmpty }

    /// Checks what needs nothing but the record's fields.
    func checkFields(_ record: borrowing Record, flags: inout [Finding]) throws(Finding) {
        for rule in rules {
            guard let (field, reason) = fault(rule.check, record) else { continue }
            try report(rule, record.line, field, reason, &flags)
        }
    }

    /// Checks what needs the record's time and the other records; called for records that are otherwise accepted.
    mutating func checkRest(
        _ record: borrowing Record, observedAt: Instant?, flags: inout [Finding], references: inout [PendingReference]
    ) throws(Finding) {
        for rule in rules {
            switch rule.check {
            case .freshWithin(let seconds):
                if let reason = staleness(observedAt, seconds) { try report(rule, record.line, "observedAt", reason, &flags) }
            case .referenceExists(let template):
                guard let text = template.fill(record) else { continue }
                guard let target = IRI(text) else {
                    try report(rule, record.line, template.fieldNames, "\(shown(text)) is not an IRI", &flags)
                    continue
                }
                let finding = Finding(
                    line: record.line, ruleID: rule.id, field: template.fieldNames, reason: "\(text) does not exist",
                    severity: rule.severity)
                references.append(PendingReference(target: target, finding: finding))
            case .unique(let readers, let index):
                if let (reason, severity) = repetition(readers.map { $0.value(record).text }, index) {
                    let field = readers.map(\.name).joined(separator: ", ")
                    let finding = Finding(
                        line: record.line, ruleID: rule.id, field: field, reason: reason, severity: severity ?? rule.severity)
                    if finding.severity == .reject { throw finding }
                    flags.append(finding)
                }
            case .required, .range, .pattern, .oneOf: continue
            }
        }
    }

    private func report(_ rule: Rule, _ line: Int, _ field: String, _ reason: String, _ flags: inout [Finding]) throws(Finding) {
        let finding = Finding(line: line, ruleID: rule.id, field: field, reason: reason, severity: rule.severity)
        if rule.severity == .reject { throw finding }
        flags.append(finding)
    }

    /// What is wrong with a field; missing values break `required` only.
    private func fault(_ check: Check, _ record: borrowing Record) -> (field: String, reason: String)? {
        switch check {
        case .required(let reader):
            return reader.value(record).isMissing ? (reader.name, "the value is missing") : nil
        case .range(let reader, let min, let max):
            let value = reader.value(record)
            if value.isMissing { return nil }
            guard let number = value.bytes.flatMap(numbers.double) ?? jsonNumber(value) else {
                return (reader.name, "\(shown(value.text ?? "")) is not a number")
            }
            if let min, number < min { return (reader.name, "\(number) is less than \(min)") }
            if let max, number > max { return (reader.name, "\(number) is more than \(max)") }
            return nil
        case .pattern(let reader, let pattern):
            guard let bytes = reader.value(record).bytes else { return nil }
            let text = String(decoding: bytes, as: UTF8.self)
            let matches = bytes.count <= Self.patternByteCountMax && pattern.matches(text)
            return matches ? nil : (reader.name, "\(shown(text)) does not match the pattern")
        case .oneOf(let reader, let texts):
            guard let text = reader.value(record).text, !texts.contains(text) else { return nil }
            return (reader.name, "\(shown(text)) is not one of the allowed values")
        case .unique, .referenceExists, .freshWithin: return nil
        }
    }

    private func jsonNumber(_ value: FieldValue) -> Double? { if case .json(let json) = value { json.doubleValue } else { nil } }

    private func staleness(_ observedAt: Instant?, _ seconds: Int64) -> String? {
        guard let observedAt else { return "the record has no time" }
        if observedAt < now.adding(seconds: -Double(seconds)) { return "\(observedAt) is more than \(seconds) s ago" }
        if observedAt > now.adding(seconds: 86_400) { return "\(observedAt) lies in the future" }
        return nil
    }

    private mutating func repetition(_ values: [String?], _ index: Int) -> (reason: String, severity: Severity?)? {
        guard values.contains(where: { $0 != nil }) else { return nil }
        if seen[index].count >= Self.uniqueValueCountMax {
            return ("not checked: there are more than \(Self.uniqueValueCountMax) different values", .flag)
        }
        return seen[index].insert(values.hashValue).inserted
            ? nil : ("\(shown(values.map { $0 ?? "" }.joined(separator: ", "))) occurred before", nil)
    }
}
