/// Takes apart what `ByteWriter` put together. Never reads beyond the end, whatever the bytes say.
struct ByteReader {
    /// All there is; `end` lies at least eight bytes before its end, so that a word can be loaded from wherever reading is.
    let bytes: UnsafeRawBufferPointer
    private(set) var offset: Int
    private let end: Int

    /// - Parameter range: what may be read; bytes after it are only there to be loaded with a word.
    init(_ bytes: UnsafeRawBufferPointer, in range: Range<Int>) throws(SeriesError) {
        guard range.lowerBound >= 0, range.upperBound <= bytes.count - 8 else { throw .truncated }
        (self.bytes, offset, end) = (bytes, range.lowerBound, range.upperBound)
    }

    var isAtEnd: Bool { offset == end }

    /// The position of the next `count` bytes, which are passed over.
    mutating func skip(_ count: Int) throws(SeriesError) -> Int {
        guard count >= 0, count <= end - offset else { throw .truncated }
        defer { offset += count }
        return offset
    }

    mutating func byte() throws(SeriesError) -> UInt8 { bytes[try skip(1)] }

    mutating func varint() throws(SeriesError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            let byte = UInt64(try byte())
            value |= (byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw .malformed("a number has more than ten bytes")
    }

    mutating func signed() throws(SeriesError) -> Int64 { unzigzag(try varint()) }

    /// - Throws: `tooLarge` for more than `countMax`.
    mutating func count(atMost countMax: Int) throws(SeriesError) -> Int {
        let value = try varint()
        guard value <= UInt64(countMax) else { throw .tooLarge("\(value) where at most \(countMax) can be") }
        return Int(value)
    }

    mutating func fixed32() throws(SeriesError) -> UInt32 {
        UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: try skip(4), as: UInt32.self))
    }

    mutating func fixed64() throws(SeriesError) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: try skip(8), as: UInt64.self))
    }

    mutating func double() throws(SeriesError) -> Double { Double(bitPattern: try fixed64()) }
}
