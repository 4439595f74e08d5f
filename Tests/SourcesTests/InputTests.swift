import CZlib
import CityModel
import Sources
import Testing

struct InputTests {
    @Test(
        arguments: [
            (encoding: "utf-8", bytes: [0xC3, 0xA9, 0xE2, 0x82, 0xAC], text: "é€"),
            (encoding: "windows-1252", bytes: [0xE9, 0x80, 0x93, 0x9C], text: "é€“œ"),
            (encoding: "iso-8859-15", bytes: [0xE9, 0xA4, 0xBD, 0xA8], text: "é€œš"),
            (encoding: "cp850", bytes: [0x82, 0x9B, 0xA5, 0xD5], text: "éøÑı"),
        ] as [(encoding: String, bytes: [UInt8], text: String)])
    func `an encoding is decoded`(encoding: String, bytes: [UInt8], text: String) throws {
        for chunkByteCount in 1...4 {
            let found = try rows(Array("id\n".utf8) + bytes, chunkByteCount: chunkByteCount, encoding: encoding)
            #expect(found == [[text]])
        }
    }

    @Test func `every byte of a complete encoding becomes one character`() throws {
        let upper = (UInt8(0xA0)...0xFF).map { $0 }
        for encoding in ["windows-1252", "iso-8859-15", "cp850"] {
            let found = try rows(Array("id\nx".utf8) + upper + Array("x".utf8), encoding: encoding)
            #expect(found.first?.first?.unicodeScalars.count == 98)
        }
    }

    @Test(arguments: [("utf-8", [0x41, 0xE9]), ("utf-8", [0xC3]), ("windows-1252", [0x81])] as [(String, [UInt8])])
    func `bytes that the encoding does not have make the record damaged and no other`(encoding: String, bytes: [UInt8]) throws {
        let found = try rows(Array("id\na\n".utf8) + bytes + Array("\nb\n".utf8), encoding: encoding)
        #expect(found == [["a"], ["<damaged>"], ["b"]])
    }

    @Test func `a byte order mark is dropped`() throws {
        for chunkByteCount in 1...5 {
            let definition = try SourceDefinition(parsing: yaml())
            var reader = RecordReader(
                definition, chunks: MemoryChunks([0xEF, 0xBB, 0xBF] + Array("id\n1".utf8), chunkByteCount: chunkByteCount))
            var record = Record()
            #expect(try reader.next(into: &record))
            #expect(reader.columns == ["id"])
        }
    }

    @Test(arguments: [[0xFF, 0xFE, 0x69, 0x00], [0xFE, 0xFF, 0x00, 0x69]] as [[UInt8]])
    func `UTF-16 is refused`(bytes: [UInt8]) { #expect(throws: SourceError.self) { try rows(bytes) } }

    @Test func `the mark of UTF-8 outweighs the declared encoding`() throws {
        let text = [0xEF, 0xBB, 0xBF] + Array("id\né\n".utf8)
        #expect(try rows(text, encoding: "windows-1252") == [["é"]])
        #expect(try rows(Array(text.dropFirst(3)), encoding: "windows-1252") == [["Ã©"]])
    }

    @Test func `gzip is recognised, also in several members and in small pieces`() throws {
        let packed = gzip("id,b\n1,2\n") + gzip("3,4\n") + [0, 0, 0]
        for chunkByteCount in [1, 2, 7, 1000] {
            #expect(try rows(packed, chunkByteCount: chunkByteCount) == [["1", "2"], ["3", "4"]])
        }
    }

    @Test func `a gzip file that is cut off, damaged or followed by something else is an error`() {
        let packed = gzip("id,b\n" + String(repeating: "1,2\n", count: 1000))
        var damaged = packed
        damaged[packed.count / 2] ^= 0x55
        #expect(throws: SourceError.self) { try rows(Array(packed.dropLast(9)), chunkByteCount: 50) }
        #expect(throws: SourceError.self) { try rows(damaged, chunkByteCount: 50) }
        #expect(throws: SourceError.self) { try rows(packed + Array("garbage".utf8), chunkByteCount: 50) }
    }

    @Test func `a file that is not there is named`() {
        #expect(throws: SourceError.unreadable(path: "/nowhere/x.csv", reason: "No such file or directory")) {
            try FileChunks(path: "/nowhere/x.csv")
        }
    }

    @Test func `an empty file is an error`() {
        #expect(throws: SourceError.input(line: 1, reason: "the file has no header")) { try rows("") }
    }
}

/// A gzip member.
func gzip(_ text: String) -> [UInt8] {
    var stream = z_stream()
    guard deflateInit2_(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return [] }
    defer { deflateEnd(&stream) }
    var input = Array(text.utf8)
    return [UInt8](unsafeUninitializedCapacity: input.count + 200) { output, count in
        input.withUnsafeMutableBufferPointer { input in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            stream.next_out = output.baseAddress
            stream.avail_out = UInt32(output.count)
            _ = deflate(&stream, Z_FINISH)
        }
        count = output.count - Int(stream.avail_out)
    }
}
