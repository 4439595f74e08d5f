/// Makes the names of columns from the first record of a table.
struct Header {
    let options: CSVOptions

    init(_ options: CSVOptions) { self.options = options }

    /// The declared names, or those of the header: blanks around them dropped and inside them (line breaks too) made one
    /// blank, dBase descriptors cut off, names that are missing or repeated given their number (`#3`, `name#3`).
    func columns(_ record: Record) throws(SourceError) -> [String] {
        if let fault = record.fault { throw .input(line: record.line, reason: "the header cannot be read: \(fault.reason)") }
        guard options.columns.isEmpty else {
            guard options.columns.count == record.row.count else {
                throw .input(
                    line: record.line,
                    reason: "the header has \(record.row.count) columns where the definition names \(options.columns.count)")
            }
            return options.columns
        }
        var names: [String] = []
        var seen: Set<String> = []
        for index in 0..<record.row.count {
            var name = Self.collapsed(record.row.text(index) ?? "")
            if options.hasDBaseHeader { name = Self.withoutDescriptor(name) }
            if name.isEmpty || !seen.insert(name).inserted { name += "#\(index + 1)" }
            names.append(name)
        }
        return names
    }

    private static func collapsed(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// `NAME,C,50` and `COST,N,19,8` without what follows the name: a type letter and up to two numbers.
    static func withoutDescriptor(_ text: String) -> String {
        let pieces = text.split(separator: ",", omittingEmptySubsequences: false)
        guard (2...4).contains(pieces.count), pieces[1].utf8.count == 1, "CNDFLIMTB".contains(pieces[1]),
            pieces.dropFirst(2).allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } })
        else { return text }
        return String(pieces[0])
    }
}
