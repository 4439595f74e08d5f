internal import CityModel
internal import Foundation
internal import GRDB
internal import Series

/// A record of a series wherever it lies: only rows can expire.
struct StoredRecord {
    var sample: SampleRecord
    var expires: Int64?

    /// The columns that `init` reads, in its order.
    static let columns = "at_us, late_us, form, \(Opened.value), \(Opened.unit), modified_us, \(Opened.rest), expires_us"

    init(_ sample: SampleRecord) { (self.sample, expires) = (sample, nil) }

    /// Nil where the key of what is personal is gone.
    init?(_ row: Row) throws {
        let value = try row.decode(DatabaseValue.self, atIndex: 3)
        guard !value.isNull else { return nil }
        let rest = try row.bytes(atIndex: 6)
        sample = SampleRecord(
            time: try row.decode(Int64.self, atIndex: 0), late: try row.decode(Int64.self, atIndex: 1),
            form: try row.decode(Int64.self, atIndex: 2), value: try SampleValue(value),
            unit: try row.decode(String?.self, atIndex: 4), modified: try row.decode(Int64?.self, atIndex: 5), rest: rest)
        expires = try row.decode(Int64?.self, atIndex: 7)
    }

    var form: InstanceForm { InstanceForm(number: Int(sample.form)) }

    func isVisible(_ hidden: Int, at now: Int64) -> Bool { sample.form < hidden && (expires.map { $0 > now } ?? true) }
}

extension SampleValue {
    init(_ value: DatabaseValue) throws {
        switch value.storage {
        case .int64(let number): self = .integer(number)
        case .double(let number): self = .number(number)
        case .string(let text): self = .text(text)
        case .blob(let data): self = .document([UInt8](data))
        case .null: throw CorruptRow(table: "instance", reason: "value is null")
        }
    }

    var databaseValue: DatabaseValue {
        switch self {
        case .integer(let number): number.databaseValue
        case .number(let number): number.databaseValue
        case .text(let text): text.databaseValue
        case .document(let bytes): bytes.databaseBlob
        }
    }

    func json() throws -> JSON {
        switch self {
        case .integer(let number): .integer(number)
        case .number(let number): .number(number)
        case .text(let text): .string(text)
        case .document(let bytes): try JSON(parsing: bytes)
        }
    }

    /// The number, if it is one.
    var doubleValue: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        case .text, .document: nil
        }
    }

    /// As SQL has it: numbers of either kind are the same when they are equal.
    func isSame(as other: SampleValue) -> Bool {
        switch (self, other) {
        case (.integer(let whole), .number(let number)), (.number(let number), .integer(let whole)): Int64(exactly: number) == whole
        case (.text(let left), .text(let right)): left.hasSameCodePoints(as: right)
        default: self == other
        }
    }
}
