internal import Glibc

/// Where the members of a stored document stand, found without making anything of them: what stands before its attributes, each attribute, and what stands
/// behind. So an attribute that nobody asks for costs no more than its bytes.
struct DocumentParts {
    struct Attribute {
        let name: Int64
        /// From the comma before its name to the end of its instances.
        let entry: Range<Int>
        /// Its instances alone.
        let instances: Range<Int>
    }

    let head: Range<Int>
    private(set) var attributes: [Attribute] = []
    /// With the bracket that closes the document.
    let tail: Range<Int>

    /// Nil for a document that is not laid out as `StoredDocument` lays them out: it is to be read as a whole.
    init?(_ source: UnsafeBufferPointer<UInt8>) {
        var scanner = DocumentScanner(source)
        guard scanner.take(UInt8(ascii: "{")), source.last == UInt8(ascii: "}") else { return nil }
        var headEnd: Int?
        attributes.reserveCapacity(8)
        while scanner.next != UInt8(ascii: "}"), scanner.next != StoredDocument.Mark.systemBegin {
            let start = scanner.index
            guard scanner.take(UInt8(ascii: ",")) || start == 1 else { return nil }
            guard let name = scanner.takeName() else {
                // Members of the documents' own stand before all attributes.
                guard headEnd == nil, scanner.takeText() != nil, scanner.take(UInt8(ascii: ":")), scanner.skipValue() else { return nil }
                continue
            }
            if headEnd == nil { headEnd = start }
            let colon = scanner.index
            guard scanner.take(UInt8(ascii: ":")), scanner.skipValue() else { return nil }
            attributes.append(Attribute(name: name, entry: start..<scanner.index, instances: colon + 1..<scanner.index))
        }
        head = 0..<(headEnd ?? scanner.index)
        tail = scanner.index..<source.count
    }
}

/// Passes over the text of a stored document. Nothing is checked but what is needed to find the way: each function says whether it
/// found what it is for.
struct DocumentScanner {
    let source: UnsafeBufferPointer<UInt8>
    var index: Int

    init(_ source: UnsafeBufferPointer<UInt8>, from index: Int = 0) { (self.source, self.index) = (source, index) }

    /// The byte that stands here; 0 behind the end, which no document holds.
    var next: UInt8 { index < source.count ? source[index] : 0 }

    mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        index += 1
        return true
    }

    /// The number of the name whose mark stands here.
    mutating func takeName() -> Int64? {
        guard next == StoredDocument.Mark.name else { return nil }
        index += 1
        return StoredDocument.varint(source, at: &index)
    }

    /// What stands between the quotes of the string that begins here, escaped as it is.
    mutating func takeText() -> Range<Int>? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        let start = index
        while let quote = place(of: UInt8(ascii: "\""), from: index) {
            index = quote + 1
            // It ends the text unless an odd number of backslashes stands before it.
            var escape = quote
            while escape > start, source[escape - 1] == UInt8(ascii: "\\") { escape -= 1 }
            if (quote - escape) & 1 == 0 { return start..<quote }
        }
        index = source.count
        return nil
    }

    private func place(of byte: UInt8, from index: Int) -> Int? {
        guard index < source.count, let start = source.baseAddress, let found = memchr(start + index, CInt(byte), source.count - index) else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(start)
    }

    /// Passes over the value that begins here, with all that is in it.
    mutating func skipValue() -> Bool {
        switch next {
        case UInt8(ascii: "\""): return takeText() != nil
        case StoredDocument.Mark.name: return takeName() != nil
        case UInt8(ascii: "{"), UInt8(ascii: "["): return skipContainer()
        default: return skipScalar()
        }
    }

    private mutating func skipContainer() -> Bool {
        var depth = 0
        while index < source.count {
            switch source[index] {
            case UInt8(ascii: "\""):
                guard takeText() != nil else { return false }
                continue
            case StoredDocument.Mark.name:
                _ = takeName()
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            index += 1
            if depth == 0 { return true }
        }
        return false
    }

    /// A number, `true`, `false` or `null`.
    private mutating func skipScalar() -> Bool {
        let start = index
        scan: while index < source.count {
            switch source[index] {
            case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), 0...0x20: break scan
            default: index += 1
            }
        }
        return index > start
    }
}
