/// Finds the records of a JSON text in pieces that may end anywhere: the elements of the array at `path`, or of the
/// array that the text is; an object without a path is the only record. What is between the records is not checked.
struct JSONScanner {
    private enum Phase { case root, seeking, between, inside, done }

    private let path: [[UInt8]]
    private let limits: RecordLimits

    private var phase = Phase.root
    private var isSingle = false
    /// How many names of the path have been entered.
    private var enteredCount = 0
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    private var expectsName = false
    private var name: [UInt8] = []
    private var nameMatches = false
    private var element: [UInt8] = []
    private var beginLine = 1
    private var beginOffset = 0
    private(set) var line = 1

    init(path: [String], limits: RecordLimits) {
        self.path = path.map { Array($0.utf8) }
        self.limits = limits
    }

    /// Reads on until a record is complete. Its text becomes the only field of `record.row`.
    mutating func scan(
        _ text: [UInt8], from position: inout Int, offset: Int, into record: inout Record
    ) throws(SourceError) -> Bool {
        while position < text.count {
            switch phase {
            case .inside:
                if try copyElement(text, from: &position) {
                    deliver(into: &record)
                    return true
                }
            case .between:
                try skipToElement(text, from: &position, offset: offset)
            case .root, .seeking, .done:
                let byte = text[position]
                if byte == UInt8(ascii: "\n") { line += 1 }
                if phase == .root { try enterRoot(byte, offset: offset + position) } else if phase == .seeking { try seek(byte) }
                // The byte that begins a single record belongs to it.
                if phase != .inside { position += 1 }
                if phase == .done, path.isEmpty, !Self.isSpace(byte) {
                    throw .input(line: line, reason: "something follows the end of the JSON text")
                }
            }
        }
        return false
    }

    /// What is wrong with the text ending here, or nil.
    func finish() throws(SourceError) {
        switch phase {
        case .done: return
        case .between where isSingle: return
        case .root: throw .input(line: line, reason: "the file is empty")
        case .seeking: throw .input(line: line, reason: "the file ends before the array \(pathText)")
        case .between, .inside: throw .input(line: line, reason: "the file ends inside its records: it is cut off")
        }
    }

    private var pathText: String { path.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".") }

    private mutating func enterRoot(_ byte: UInt8, offset: Int) throws(SourceError) {
        switch byte {
        case _ where Self.isSpace(byte): return
        case UInt8(ascii: "[") where path.isEmpty: phase = .between
        case UInt8(ascii: "{") where path.isEmpty:
            (phase, isSingle, beginLine, beginOffset) = (.inside, true, line, offset)
        case UInt8(ascii: "{"):
            (phase, depth, expectsName) = (.seeking, 1, true)
        default:
            throw .input(
                line: line,
                reason: path.isEmpty ? "a JSON array or object begins here" : "a JSON object with \(pathText) begins here")
        }
    }

    // MARK: Seeking the array

    private mutating func seek(_ byte: UInt8) throws(SourceError) {
        if isInString { return seekInString(byte) }
        let isAtNames = depth == enteredCount + 1
        switch byte {
        case UInt8(ascii: "\""):
            if nameMatches { throw notAnArray() }
            isInString = true
            if isAtNames, expectsName { name.removeAll(keepingCapacity: true) }
        case UInt8(ascii: ":") where isAtNames && expectsName:
            expectsName = false
            nameMatches = name == path[enteredCount]
        case UInt8(ascii: ",") where isAtNames: expectsName = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): try open(byte)
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            depth -= 1
            guard depth > enteredCount else { throw .input(line: line, reason: "there is no array \(pathText) in this file") }
        default:
            if nameMatches, !Self.isSpace(byte) { throw notAnArray() }
        }
    }

    private mutating func seekInString(_ byte: UInt8) {
        if isEscaped {
            isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
            isInString = false
            return
        }
        if expectsName, depth == enteredCount + 1, name.count < 1024 { name.append(byte) }
    }

    private mutating func open(_ byte: UInt8) throws(SourceError) {
        guard nameMatches else {
            depth += 1
            return
        }
        nameMatches = false
        let isLast = enteredCount + 1 == path.count
        guard (byte == UInt8(ascii: "[")) == isLast else { throw notAnArray() }
        if isLast {
            phase = .between
        } else {
            enteredCount += 1
            depth += 1
            expectsName = true
        }
    }

    private func notAnArray() -> SourceError { .input(line: line, reason: "\(pathText) is not an array") }

    // MARK: Elements

    private mutating func skipToElement(_ text: [UInt8], from position: inout Int, offset: Int) throws(SourceError) {
        while position < text.count {
            let byte = text[position]
            if byte == UInt8(ascii: "\n") { line += 1 }
            if isSingle, !Self.isSpace(byte) {
                phase = .done
                return
            }
            if byte == UInt8(ascii: "]") {
                position += 1
                phase = .done
                return
            }
            if !Self.isSpace(byte), byte != UInt8(ascii: ",") {
                (phase, depth, beginLine, beginOffset) = (.inside, 0, line, offset + position)
                return
            }
            position += 1
        }
    }

    /// Copies the bytes of an element. Returns whether it is complete.
    private mutating func copyElement(_ text: [UInt8], from position: inout Int) throws(SourceError) -> Bool {
        let start = position
        let isComplete = text.withUnsafeBufferPointer { passElement($0, from: &position) }
        element.append(contentsOf: text[start..<position])
        guard element.count <= limits.recordByteCountMax else {
            throw .input(line: beginLine, reason: "the record is longer than \(limits.recordByteCountMax) bytes")
        }
        return isComplete
    }

    private mutating func passElement(_ text: UnsafeBufferPointer<UInt8>, from position: inout Int) -> Bool {
        while position < text.count {
            let byte = text[position]
            if isInString {
                position += 1
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                    if depth == 0 { return true }
                } else if byte == UInt8(ascii: "\n") {
                    line += 1
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 {
                    // A number or name ends before the array's own bracket; a stray brace is an element of its own.
                    if byte == UInt8(ascii: "}") { position += 1 }
                    return true
                }
                depth -= 1
                if depth == 0 {
                    position += 1
                    return true
                }
            case UInt8(ascii: ",") where depth == 0: return true
            case UInt8(ascii: "\n"):
                line += 1
            default: break
            }
            position += 1
        }
        return false
    }

    private mutating func deliver(into record: inout Record) {
        swap(&record.row.bytes, &element)
        record.row.ends = [record.row.bytes.count]
        record.line = beginLine
        record.byteOffset = beginOffset
        element.removeAll(keepingCapacity: true)
        phase = .between
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }
}
