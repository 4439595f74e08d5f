/// Finds the lines of a text in pieces that may end anywhere. Blank lines are skipped.
struct LineScanner {
    private let limits: RecordLimits
    private var content: [UInt8] = []
    private var beginOffset = 0
    private(set) var line = 1

    init(limits: RecordLimits) { self.limits = limits }

    /// Reads on until a line is complete. Its text becomes the only field of `record.row`.
    mutating func scan(
        _ text: [UInt8], from position: inout Int, offset: Int, into record: inout Record
    ) throws(SourceError) -> Bool {
        while position < text.count {
            if content.isEmpty { beginOffset = offset + position }
            let rest = text[position...]
            let end = rest.firstIndex(of: UInt8(ascii: "\n"))
            content.append(contentsOf: rest[..<(end ?? text.count)])
            guard content.count <= limits.recordByteCountMax else {
                throw .input(line: line, reason: "the record is longer than \(limits.recordByteCountMax) bytes")
            }
            position = (end ?? text.count - 1) + 1
            guard end != nil else { return false }
            defer { line += 1 }
            if deliver(into: &record) { return true }
        }
        return false
    }

    /// Delivers what stands before the end of the text without a line break after it.
    mutating func finish(into record: inout Record) -> Bool { deliver(into: &record) }

    private mutating func deliver(into record: inout Record) -> Bool {
        defer { content.removeAll(keepingCapacity: true) }
        guard content.contains(where: { $0 > 0x20 }) else { return false }
        swap(&record.row.bytes, &content)
        record.row.ends = [record.row.bytes.count]
        record.line = line
        record.byteOffset = beginOffset
        return true
    }
}
