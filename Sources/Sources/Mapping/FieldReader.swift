internal import CityModel
internal import Declarations
internal import OrderedCollections

/// What a field of a record holds.
enum FieldValue {
    case missing
    /// UTF-8 of a table's field.
    case text(ArraySlice<UInt8>)
    /// A JSON value, never null.
    case json(JSON)
}

extension FieldValue {
    /// UTF-8 of a text, number or boolean; nil for what is missing, for arrays and for objects.
    var bytes: ArraySlice<UInt8>? {
        switch self {
        case .missing: nil
        case .text(let bytes): bytes
        case .json(.string(let text)): Array(text.utf8)[...]
        case .json(.integer(let value)): Array(String(value).utf8)[...]
        case .json(.number(let value)):
            // Identifiers often come as 12.0 from tools that know doubles only.
            Array((Int64(exactly: value).map { String($0) } ?? value.description).utf8)[...]
        case .json(.bool(let flag)): Array((flag ? "true" : "false").utf8)[...]
        case .json: nil
        }
    }

    var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    var isMissing: Bool { if case .missing = self { true } else { false } }
}

/// Finds one field in records: the column or path was worked out before.
final class FieldReader {
    let name: String
    private enum Place {
        case column(Int)
        case path([FieldName.Step])
        case absent
    }
    private let place: Place
    private let trims: Bool
    private let nulls: NullTexts

    /// - Throws: `SourceError.input` when the table has no such column.
    init(_ field: FieldName, _ scheme: RecordScheme) throws(SourceError) {
        name = field.text
        trims = scheme.definition.csv.trims
        nulls = scheme.nulls
        guard scheme.definition.format.isTabular else {
            place = .path(field.steps(in: scheme.definition.format) ?? [])
            return
        }
        if let index = scheme.columnIndex[field.text] {
            place = .column(index)
        } else if scheme.definition.csv.optionalColumns.contains(field.text) {
            place = .absent
        } else {
            let nearest = Spelling.nearest(to: field.text, in: scheme.columns).map { "; the nearest is \($0)" } ?? ""
            throw .input(line: 1, reason: "the file has no column \(field.text)\(nearest)")
        }
    }

    func value(_ record: borrowing Record) -> FieldValue {
        switch place {
        case .column(let index):
            guard let whole = record.row[index] else { return .missing }
            let bytes = trims ? Blank.trimmed(whole) : whole
            return bytes.isEmpty || nulls.contains(bytes) ? .missing : .text(bytes)
        case .path(let steps): return value(record.json, steps)
        case .absent: return .missing
        }
    }

    private func value(_ json: JSON, _ steps: [FieldName.Step]) -> FieldValue {
        var json = json
        for step in steps {
            switch (step, json) {
            case (.member(let name), .object(let members)):
                guard let member = members[name] else { return .missing }
                json = member
            case (.element(let index), .array(let elements)):
                guard index < elements.count else { return .missing }
                json = elements[index]
            default: return .missing
            }
        }
        switch json {
        case .null: return .missing
        case .string(let text): return text.isEmpty || nulls.contains(Array(text.utf8)[...]) ? .missing : .json(json)
        default: return .json(json)
        }
    }
}

/// Texts that mean "no value".
struct NullTexts {
    private let texts: [[UInt8]]
    /// Bit `n` is set when a text of `n` bytes is among them; the highest bit stands for all longer ones.
    private let lengths: UInt64

    init(_ texts: [String]) {
        // The text that means removal in NGSI-LD must not arrive as data.
        self.texts = (texts + [Attribute.nullText]).map { Array($0.utf8) }
        lengths = self.texts.reduce(0) { $0 | 1 << UInt64(min($1.count, 63)) }
    }

    func contains(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard lengths & 1 << UInt64(min(bytes.count, 63)) != 0 else { return false }
        return texts.contains { $0.count == bytes.count && bytes.elementsEqual($0) }
    }
}

/// What is known about all records of a run before the first is mapped.
struct RecordScheme {
    let definition: SourceDefinition
    let columns: [String]
    let columnIndex: [String: Int]
    let nulls: NullTexts

    init(_ definition: SourceDefinition, columns: [String]) {
        self.definition = definition
        self.columns = columns
        columnIndex = Dictionary(columns.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        nulls = NullTexts(definition.nullTexts)
    }
}
