/// Renders rejected records as CSV (RFC 4180, UTF-8), so that they can be mended and imported again: the columns of the
/// source, then the line, the rule, the field and the reason. JSON records stand in one column called `record`.
public struct RejectedRows: Sendable {
    public static let reasonColumns = ["rejected_line", "rejected_rule", "rejected_field", "rejected_reason"]

    private let columns: [String]
    private let isTabular: Bool

    /// - Parameter columns: the columns of a table, from the reader; nil for JSON.
    public init(columns: [String]?) {
        isTabular = columns != nil
        self.columns = columns ?? ["record"]
    }

    public var header: [UInt8] { Self.line((columns + Self.reasonColumns).map { Array($0.utf8) }) }

    /// The row of a rejected record. Fields that the record lacks are empty; those it has too many go, joined, into the last.
    public func row(_ record: borrowing Record, _ finding: Finding) -> [UInt8] {
        var fields: [[UInt8]] = []
        for index in columns.indices { fields.append(record.row[index].map(Self.repaired) ?? []) }
        if isTabular, record.row.count > columns.count {
            for index in columns.count..<record.row.count {
                fields[columns.count - 1] += [UInt8(ascii: ";")] + (record.row[index].map(Self.repaired) ?? [])
            }
        }
        fields += [String(finding.line), finding.ruleID, finding.field, finding.reason].map { Array($0.utf8) }
        return Self.line(fields)
    }

    /// Valid UTF-8, with a replacement character for each byte that was not.
    private static func repaired(_ bytes: ArraySlice<UInt8>) -> [UInt8] { Array(String(decoding: bytes, as: UTF8.self).utf8) }

    private static func line(_ fields: [[UInt8]]) -> [UInt8] {
        var line: [UInt8] = []
        for (index, field) in fields.enumerated() {
            if index > 0 { line.append(UInt8(ascii: ",")) }
            let needsQuotes = field.contains { [UInt8(ascii: ","), UInt8(ascii: "\""), 0x0A, 0x0D].contains($0) }
            if needsQuotes { line.append(UInt8(ascii: "\"")) }
            for byte in field {
                if byte == UInt8(ascii: "\"") { line.append(byte) }
                line.append(byte)
            }
            if needsQuotes { line.append(UInt8(ascii: "\"")) }
        }
        return line + [0x0D, 0x0A]
    }
}
