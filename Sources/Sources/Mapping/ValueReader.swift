internal import CityModel
internal import OrderedCollections

/// What became of a value that an attribute asked for.
enum Outcome<Value> {
    case value(Value)
    case missing
    case invalid(Fault)
}

/// Why a value is not acceptable.
struct Fault: Error {
    /// One of `FindingID`.
    let ruleID: String
    let field: String
    let reason: String
}

/// Reads the value of a property.
indirect enum ValueReader {
    case field(FieldReader, ConversionReader)
    case template(TemplateReader)
    case constant(JSON)
    case object([(name: String, reader: ValueReader)])

    init(_ expression: ValueExpression, _ scheme: RecordScheme) throws(SourceError) {
        switch expression {
        case .field(let name, let conversion):
            self = .field(try FieldReader(name, scheme), try ConversionReader(conversion, scheme.definition.numbers))
        case .template(let template): self = .template(try TemplateReader(template, scheme, .none))
        case .constant(let json): self = .constant(json)
        case .object(let members):
            var readers: [(name: String, reader: ValueReader)] = []
            for member in members { readers.append((member.name, try ValueReader(member.value, scheme))) }
            self = .object(readers)
        }
    }

    func value(_ record: borrowing Record) -> Outcome<JSON> {
        switch self {
        case .constant(let json): return .value(json)
        case .template(let template): return template.fill(record).map { .value(.string($0)) } ?? .missing
        case .field(let reader, let conversion): return conversion.value(reader.value(record), field: reader.name)
        case .object(let members):
            var object = JSONObject()
            var hasOwnValue = false
            for (name, reader) in members {
                switch reader.value(record) {
                case .value(let value):
                    object[name] = value
                    if case .constant = reader {} else { hasOwnValue = true }
                case .missing: continue
                case .invalid(let fault): return .invalid(fault)
                }
            }
            // Constants beside nothing say nothing about this record.
            return hasOwnValue ? .value(.object(object)) : .missing
        }
    }
}

/// Converts the value of a field as its mapping asks.
final class ConversionReader {
    private enum Target {
        case asIs, text, integer, number, boolean
        case date(TimeReader)
        case dateTime(TimeReader)
    }
    private let target: Target
    private let numbers: NumberReader
    private let listSeparator: [UInt8]?
    private let values: [String: JSON]
    private let unknownValue: Conversion.UnknownValue
    private let factor: Double?

    init(_ conversion: Conversion, _ numbers: NumberFormat) throws(SourceError) {
        self.numbers = NumberReader(format: numbers)
        listSeparator = conversion.listSeparator.map { Array($0.utf8) }
        values = conversion.values
        unknownValue = conversion.unknownValue
        factor = conversion.factor
        switch conversion.target {
        case .asIs: target = .asIs
        case .text: target = .text
        case .integer: target = .integer
        case .number: target = .number
        case .boolean: target = .boolean
        case .date(let format): target = .date(try TimeReader(format, zone: "UTC", .earlier))
        case .dateTime(let format, let zone, let ambiguous): target = .dateTime(try TimeReader(format, zone: zone, ambiguous))
        }
    }

    func value(_ value: FieldValue, field: String) -> Outcome<JSON> {
        if value.isMissing { return .missing }
        if let listSeparator, let bytes = value.bytes { return list(bytes, listSeparator, field) }
        return single(value, field)
    }

    private func list(_ bytes: ArraySlice<UInt8>, _ separator: [UInt8], _ field: String) -> Outcome<JSON> {
        var elements: [JSON] = []
        for piece in bytes.pieces(separator: separator) {
            let piece = Blank.trimmed(piece)
            if piece.isEmpty { continue }
            switch single(.text(piece), field) {
            case .value(let element): elements.append(element)
            case .missing: continue
            case .invalid(let fault): return .invalid(fault)
            }
        }
        return elements.isEmpty ? .missing : .value(.array(elements))
    }

    private func single(_ value: FieldValue, _ field: String) -> Outcome<JSON> {
        var value = value
        if !values.isEmpty {
            guard let text = value.text else { return invalid("a text is needed for an enumeration", FindingID.enumeration, field) }
            if let replacement = values[text] {
                if case .asIs = target { return .value(replacement) }
                value = .json(replacement)
            } else {
                switch unknownValue {
                case .reject: return invalid("\(shown(text)) is not among the values", FindingID.enumeration, field)
                case .omit: return .missing
                case .keep: break
                }
            }
        }
        return converted(value, field)
    }

    private func converted(_ value: FieldValue, _ field: String) -> Outcome<JSON> {
        switch (target, value) {
        case (.asIs, .json(let json)): return .value(json)
        case (.integer, .json(let json)) where json.integerValue != nil:
            return .value(.integer(json.integerValue ?? 0))
        case (.number, .json(.integer)), (.number, .json(.number)):
            if case .json(let json) = value { return scaled(json, field) }
            return .missing
        case (.boolean, .json(.bool(let flag))): return .value(.bool(flag))
        default: break
        }
        guard let bytes = value.bytes else { return invalid("an array or object cannot be converted", FindingID.type, field) }
        switch target {
        case .asIs, .text: return .value(.string(String(decoding: bytes, as: UTF8.self)))
        case .number:
            guard let json = numbers.json(bytes) else { return invalid("\(shown(bytes)) is not a number", FindingID.type, field) }
            return scaled(json, field)
        case .integer:
            guard let integer = numbers.json(bytes)?.integerValue else {
                return invalid("\(shown(bytes)) is not a whole number", FindingID.type, field)
            }
            return .value(.integer(integer))
        case .boolean:
            guard let flag = Self.boolean(bytes) else {
                return invalid("\(shown(bytes)) is not a yes or no", FindingID.type, field)
            }
            return .value(.bool(flag))
        case .date(let reader), .dateTime(let reader): return time(bytes, reader, field)
        }
    }

    private func scaled(_ json: JSON, _ field: String) -> Outcome<JSON> {
        guard let factor, let double = json.doubleValue else { return .value(json) }
        let product = double * factor
        return product.isFinite ? .value(.number(product)) : invalid("\(double) times \(factor) is too large for a number", FindingID.type, field)
    }

    private func time(_ bytes: ArraySlice<UInt8>, _ reader: TimeReader, _ field: String) -> Outcome<JSON> {
        do throws(TimeReader.Invalid) {
            if case .date = target {
                let midnight = try reader.date(bytes)
                let day = Instant(utc: CivilTime(year: midnight.year, month: midnight.month, day: midnight.day))
                return .value(["@type": "Date", "@value": .string(String(day.description.prefix(10)))])
            }
            return .value(["@type": "DateTime", "@value": .string(try reader.instant(bytes).description)])
        } catch {
            return invalid("\(shown(bytes)): \(error.reason)", FindingID.time, field)
        }
    }

    private func invalid(_ reason: String, _ ruleID: String, _ field: String) -> Outcome<JSON> {
        .invalid(Fault(ruleID: ruleID, field: field, reason: reason))
    }

    private static func boolean(_ bytes: ArraySlice<UInt8>) -> Bool? {
        switch String(decoding: bytes.prefix(8), as: UTF8.self).lowercased() {
        case "true", "t", "yes", "y", "1", "oui", "o", "vrai": true
        case "false", "f", "no", "n", "0", "non", "faux": false
        default: nil
        }
    }
}

/// A text for a message: cut when it is long.
func shown(_ text: String) -> String {
    let start = text.prefix(60)
    return "“\(start)\(start.endIndex == text.endIndex ? "" : "…")”"
}

func shown(_ bytes: ArraySlice<UInt8>) -> String { shown(String(decoding: bytes.prefix(400), as: UTF8.self)) }

extension ArraySlice<UInt8> {
    /// What stands between occurrences of `separator`, which is not empty.
    func pieces(separator: [UInt8]) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var start = startIndex
        var at = startIndex
        while at + separator.count <= endIndex {
            if self[at] == separator[0], self[at..<(at + separator.count)].elementsEqual(separator) {
                pieces.append(self[start..<at])
                at += separator.count
                start = at
            } else {
                at += 1
            }
        }
        pieces.append(self[start...])
        return pieces
    }
}
