/// Renders rejected records as a table: the columns of the source, then the line, the rule, the field and the reason.
/// The table has the source's own separator, a byte order mark because it is UTF-8, and empty lines where the source has
/// titles, so that once mended it can be imported with the same source. JSON records stand in one column called `record`.
public struct RejectedRows: Sendable {
    public static let reasonColumns = ["rejected_line", "rejected_rule", "rejected_field", "rejected_reason"]

    private let columns: [String]
    private let options: CSVOptions
    private let isTabular: Bool

    /// - Parameter columns: the columns of a table, from the reader; nil for JSON.
    public init(_ definition: SourceDefinition, columns: [String]?) {
        isTabular = definition.format.isTabular
        options = isTabular ? definition.csv : CSVOptions()
        self.columns = columns ?? ["record"]
    }

    /// What stands above the first row.
    public var header: [UInt8] {
        let titles = [UInt8](repeating: 0x0A, count: options.skipLineCount)
        return [0xEF, 0xBB, 0xBF] + titles + line((columns + Self.reasonColumns).map { Array($0.utf8) })
    }

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
        return line(fields)
    }

    /// Valid UTF-8, with a replacement character for each byte that was not.
    private static func repaired(_ bytes: ArraySlice<UInt8>) -> [UInt8] { Array(String(decoding: bytes, as: UTF8.self).utf8) }

    private func line(_ fields: [[UInt8]]) -> [UInt8] {
        let quote = options.quote ?? UInt8(ascii: "\"")
        var line: [UInt8] = []
        for (index, field) in fields.enumerated() {
            if index > 0 { line.append(options.separator) }
            let needsQuotes = field.contains { $0 == options.separator || $0 == quote || $0 == 0x0A || $0 == 0x0D }
            if needsQuotes { line.append(quote) }
            for byte in field {
                if byte == quote, needsQuotes { line.append(byte) }
                line.append(byte)
            }
            if needsQuotes { line.append(quote) }
        }
        return line + [0x0D, 0x0A]
    }
}
