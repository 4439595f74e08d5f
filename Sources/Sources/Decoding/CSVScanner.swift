/// Finds the fields of delimited text (RFC 4180) in pieces that may end anywhere.
///
/// Lines end with LF, CR LF or CR. A field that begins with the quote may hold separators, line breaks and doubled quotes.
/// A quote inside an unquoted field stands for itself. Lines without a single character are skipped.
struct CSVScanner {
    private enum State { case skipping, fieldStart, unquoted, quoted, quoteSeen }

    private let separator: UInt8
    /// 0 when quoting is off; no field holds NUL.
    private let quote: UInt8
    private let limits: RecordLimits

    private var state: State
    private var linesToSkipCount: Int
    private var row = Row()
    private var hasBegun = false
    private var wasQuoted = false
    private var skipsLineFeed = false
    private var previousWasReturn = false
    private var nulCount = 0
    private var highBits: UInt8 = 0
    private var hasTextAfterQuote = false
    private var beginLine = 1
    private var beginOffset = 0
    private(set) var line = 1

    init(_ options: CSVOptions, limits: RecordLimits) {
        separator = options.separator
        quote = options.quote ?? 0
        self.limits = limits
        linesToSkipCount = options.skipLineCount
        state = linesToSkipCount > 0 ? .skipping : .fieldStart
    }

    /// Reads on until a record is complete.
    /// - Parameter offset: where `text` begins in the whole text.
    /// - Returns: whether `record` was filled.
    mutating func scan(
        _ text: [UInt8], from position: inout Int, offset: Int, into record: inout Record
    ) throws(SourceError) -> Bool {
        var at = position
        let isComplete = try text.withUnsafeBufferPointer { text throws(SourceError) in
            try scan(text, from: &at, offset: offset)
        }
        position = at
        if isComplete { deliver(into: &record, fault: nil) }
        return isComplete
    }

    /// Delivers what stands before the end of the text without a line break after it.
    mutating func finish(into record: inout Record) throws(SourceError) -> Bool {
        guard hasBegun else { return false }
        let isOpen = state == .quoted
        try endField()
        deliver(
            into: &record,
            fault: isOpen ? .init(ruleID: FindingID.syntax, reason: "a quote is opened and never closed") : nil)
        return true
    }

    private mutating func scan(_ text: UnsafeBufferPointer<UInt8>, from at: inout Int, offset: Int) throws(SourceError) -> Bool {
        while at < text.count {
            switch state {
            case .skipping:
                skipLines(text, from: &at)
            case .fieldStart:
                if passesLineFeed(text, &at) { continue }
                if !hasBegun { (hasBegun, beginLine, beginOffset) = (true, line, offset + at) }
                if quote != 0, text[at] == quote {
                    (state, wasQuoted) = (.quoted, true)
                    at += 1
                } else {
                    state = .unquoted
                }
            case .unquoted:
                try copyUnquoted(text, from: &at)
                guard at < text.count else { return false }
                let byte = text[at]
                at += 1
                if byte == 0 { nulCount += 1 } else if try endsRecord(byte) { return true }
            case .quoted:
                try copyQuoted(text, from: &at)
            case .quoteSeen:
                let byte = text[at]
                if byte == quote {
                    row.bytes.append(byte)
                    at += 1
                    state = .quoted
                } else if byte == separator || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                    at += 1
                    if try endsRecord(byte) { return true }
                } else {
                    hasTextAfterQuote = true
                    state = .unquoted
                }
            }
        }
        return false
    }

    /// Passes the lines above the header, whatever they hold.
    private mutating func skipLines(_ text: UnsafeBufferPointer<UInt8>, from at: inout Int) {
        while at < text.count, linesToSkipCount > 0 {
            if passesLineFeed(text, &at) { continue }
            let byte = text[at]
            at += 1
            guard byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") else { continue }
            skipsLineFeed = byte == UInt8(ascii: "\r")
            line += 1
            linesToSkipCount -= 1
        }
        if linesToSkipCount == 0 { state = .fieldStart }
    }

    /// Passes the second half of a CR LF.
    private mutating func passesLineFeed(_ text: UnsafeBufferPointer<UInt8>, _ at: inout Int) -> Bool {
        guard skipsLineFeed else { return false }
        skipsLineFeed = false
        guard text[at] == UInt8(ascii: "\n") else { return false }
        at += 1
        return true
    }

    private mutating func copyUnquoted(_ text: UnsafeBufferPointer<UInt8>, from at: inout Int) throws(SourceError) {
        let start = at
        var high: UInt8 = 0
        while at < text.count {
            let byte = text[at]
            if byte == separator || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") || byte == 0 { break }
            high |= byte
            at += 1
        }
        highBits |= high
        try append(text, start..<at)
    }

    private mutating func copyQuoted(_ text: UnsafeBufferPointer<UInt8>, from at: inout Int) throws(SourceError) {
        let start = at
        var high: UInt8 = 0
        while at < text.count {
            let byte = text[at]
            if byte == quote || byte == 0 { break }
            if byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n") && !previousWasReturn { line += 1 }
            previousWasReturn = byte == UInt8(ascii: "\r")
            high |= byte
            at += 1
        }
        highBits |= high
        try append(text, start..<at)
        guard at < text.count else { return }
        if text[at] == 0 { nulCount += 1 } else { state = .quoteSeen }
        previousWasReturn = false
        at += 1
    }

    private mutating func append(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) throws(SourceError) {
        row.bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[range]))
        guard row.bytes.count <= limits.recordByteCountMax else {
            throw .input(
                line: beginLine,
                reason: "the record is longer than \(limits.recordByteCountMax) bytes"
                    + (state == .quoted ? "; is a quote left open?" : ""))
        }
    }

    /// Ends the field at a separator or line break. Returns whether that ends a record which counts.
    private mutating func endsRecord(_ byte: UInt8) throws(SourceError) -> Bool {
        if byte == separator {
            try endField()
            state = .fieldStart
            return false
        }
        line += 1
        skipsLineFeed = byte == UInt8(ascii: "\r")
        let isBlank = row.ends.isEmpty && row.bytes.isEmpty && !wasQuoted && nulCount == 0
        if isBlank {
            state = .fieldStart
            hasBegun = false
            return false
        }
        try endField()
        return true
    }

    private mutating func endField() throws(SourceError) {
        row.ends.append(row.bytes.count)
        guard row.ends.count <= limits.fieldCountMax else {
            throw .input(line: beginLine, reason: "the record has more than \(limits.fieldCountMax) fields")
        }
    }

    private mutating func deliver(into record: inout Record, fault: Record.Fault?) {
        swap(&record.row, &row)
        record.line = beginLine
        record.byteOffset = beginOffset
        record.fault = damage(record.row) ?? fault
        row.removeAll()
        state = .fieldStart
        (hasBegun, wasQuoted, hasTextAfterQuote, nulCount, highBits) = (false, false, false, 0, 0)
    }

    private func damage(_ row: Row) -> Record.Fault? {
        if nulCount > 0 { return .init(ruleID: FindingID.damaged, reason: "the record holds \(nulCount) NUL bytes") }
        if highBits >= 0x80, String(validating: row.bytes, as: UTF8.self) == nil {
            return .init(ruleID: FindingID.damaged, reason: "the record holds bytes that the declared encoding does not have")
        }
        if hasTextAfterQuote { return .init(ruleID: FindingID.syntax, reason: "text follows a closing quote") }
        return nil
    }
}
