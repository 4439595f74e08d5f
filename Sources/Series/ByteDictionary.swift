/// Texts and documents that a chunk's records share, each once; columns say by number which one a record has, 0 for none.
struct ByteDictionary {
    private(set) var entries: [[UInt8]] = []
    private var numbers: [[UInt8]: Int] = [:]
    private var byteCount = 0

    /// Bytes of all entries together.
    static let byteCountMax = 16 << 20
    /// What is smaller is not worth a frame of its own.
    private static let compressedByteCountMin = 64

    init() {}

    /// What the entries take in memory, roughly; as it is read, no numbers are by their side.
    var memoryByteCount: Int { entries.reduce(0) { $0 + $1.count + 48 } }

    // MARK: Writing

    /// The number of an entry, which is added when it is new.
    mutating func number(of entry: [UInt8]?) throws(SeriesError) -> Int64 {
        guard let entry else { return 0 }
        if let number = numbers[entry] { return Int64(number) }
        byteCount += entry.count
        guard byteCount <= Self.byteCountMax else { throw .tooLarge("texts of more than \(Self.byteCountMax) bytes") }
        entries.append(entry)
        numbers[entry] = entries.count
        return Int64(entries.count)
    }

    func write(to writer: inout ByteWriter) {
        var plain = ByteWriter()
        for entry in entries { plain.varint(UInt64(entry.count)) }
        for entry in entries { plain.append(entry) }
        writer.varint(UInt64(entries.count))
        writer.varint(UInt64(plain.bytes.count))
        if plain.bytes.count >= Self.compressedByteCountMin, let packed = Zstandard.compress(plain.bytes), packed.count < plain.bytes.count {
            writer.varint(UInt64(packed.count))
            writer.append(packed)
        } else {
            writer.varint(0)
            writer.append(plain.bytes)
        }
    }

    // MARK: Reading

    /// - Parameter countMax: how many entries there can be.
    init(_ reader: inout ByteReader, countMax: Int) throws(SeriesError) {
        let count = try reader.count(atMost: countMax)
        // The lengths come first, at most ten bytes each.
        let plainCount = try reader.count(atMost: Self.byteCountMax + 10 * countMax)
        let packedCount = try reader.count(atMost: plainCount)
        guard packedCount > 0 else {
            let start = try reader.skip(plainCount)
            try read(UnsafeRawBufferPointer(rebasing: reader.bytes[start..<(start + plainCount + 8)]), count)
            return
        }
        let start = try reader.skip(packedCount)
        var plain = try Zstandard.decompress(UnsafeRawBufferPointer(rebasing: reader.bytes[start..<(start + packedCount)]), count: plainCount)
        plain += repeatElement(0, count: 8)
        var fault: SeriesError?
        plain.withUnsafeBytes { bytes in
            do throws(SeriesError) { try read(bytes, count) } catch { fault = error }
        }
        if let fault { throw fault }
    }

    /// - Parameter bytes: with eight more at their end.
    private mutating func read(_ bytes: UnsafeRawBufferPointer, _ count: Int) throws(SeriesError) {
        var reader = try ByteReader(bytes, in: 0..<(bytes.count - 8))
        var lengths: [Int] = []
        for _ in 0..<count { lengths.append(try reader.count(atMost: Self.byteCountMax)) }
        for length in lengths {
            let start = try reader.skip(length)
            entries.append(Array(bytes[start..<(start + length)]))
        }
        guard reader.isAtEnd else { throw .malformed("a dictionary with more than its entries") }
    }

    /// Nil for 0.
    func entry(_ number: Int64) throws(SeriesError) -> [UInt8]? {
        guard number != 0 else { return nil }
        guard number > 0, number <= Int64(entries.count) else { throw .malformed("an entry that the dictionary has not") }
        return entries[Int(number) - 1]
    }
}
