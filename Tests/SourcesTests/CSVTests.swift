import Sources
import Testing

struct CSVTests {
    @Test(arguments: [
        (text: "id,b\n1,2\n", rows: [["1", "2"]]),
        (text: "id,b\n1,2", rows: [["1", "2"]]),
        (text: "id,b\r\n1,2\r\n3,4\r\n", rows: [["1", "2"], ["3", "4"]]),
        (text: "id,b\r1,2\r3,4", rows: [["1", "2"], ["3", "4"]]),
        (text: "id,b\n\n1,2\n\n\n3,4\n", rows: [["1", "2"], ["3", "4"]]),
        (text: "id,b\n\"1,5\",\"a\"\"b\"\n", rows: [["1,5", "a\"b"]]),
        (text: "id,b\n\"a\r\nb\",\"c\nd\"\n", rows: [["a\r\nb", "c\nd"]]),
        (text: "id,b\n\"\",\n", rows: [["", ""]]),
        (text: "id,b\n,\n", rows: [["", ""]]),
        (text: "id,b\n1,5\" tube\n", rows: [["1", "5\" tube"]]),
        (text: "id,b\n é ,ü\n", rows: [[" é ", "ü"]]),
    ])
    func `fields are found as RFC 4180 says`(text: String, rows expected: [[String]]) throws {
        for chunkByteCount in 1...9 { #expect(try rows(text, chunkByteCount: chunkByteCount) == expected) }
    }

    @Test(arguments: [
        (text: "id,b\n1\n", options: "", rows: [["<fields>"]]),
        (text: "id,b\n1\n", options: "missingFields: 'null'", rows: [["1"]]),
        (text: "id,b\n1,2,3\n", options: "", rows: [["<fields>"]]),
        (text: "id,b\n1,2,3\n", options: "extraFields: ignore", rows: [["1", "2", "3"]]),
        (text: "id,b\n\"1\"x,2\n3,4\n", options: "", rows: [["<syntax>"], ["3", "4"]]),
        (text: "id,b\n1,\"2\n3,4\n", options: "", rows: [["<syntax>"]]),
        (text: "id,b\n1,\u{0}\n3,4\n", options: "", rows: [["<damaged>"], ["3", "4"]]),
        (text: "id,b\n1,\"\u{0}\"\n3,4\n", options: "", rows: [["<damaged>"], ["3", "4"]]),
        (text: "Title; 2014\n\"odd\nid;b\n1;2\n", options: "skipLines: 2, separator: ';'", rows: [["1", "2"]]),
        (text: "1\t2\n", options: "separator: tab, header: false, columns: [id, b]", rows: [["1", "2"]]),
        (text: "x,y\n1,2\n", options: "columns: [id, b]", rows: [["1", "2"]]),
        (text: "id,b\n'1,2',3\n", options: "quote: \"'\"", rows: [["1,2", "3"]]),
        (text: "id,b\n\"1,2\n", options: "quote: none", rows: [["\"1", "2"]]),
    ])
    func `options and faults are told apart`(text: String, options: String, rows expected: [[String]]) throws {
        for chunkByteCount in [1, 2, 5, 100] {
            #expect(try rows(text, chunkByteCount: chunkByteCount, options: options) == expected)
        }
    }

    @Test(arguments: [
        (header: "\"ID,N,6,0\",\"NOM,C,50\",\"DATDC,D\",\"COST,N,19,8\"", columns: ["ID", "NOM", "DATDC", "COST"]),
        (header: "\"a, b\",\"c,d,e\",\"X,C,50,60,70\",N", columns: ["a, b", "c,d,e", "X,C,50,60,70", "N"]),
        (header: " BP ,\"two\nlines\",,BP", columns: ["BP", "two lines", "#3", "BP#4"]),
    ])
    func `names of columns are simplified`(header: String, columns: [String]) throws {
        let definition = try SourceDefinition(parsing: yaml(more: "csv: {dBaseHeader: true}"))
        var reader = RecordReader(definition, chunks: MemoryChunks(Array((header + "\n").utf8)))
        var record = Record()
        #expect(try !reader.next(into: &record))
        #expect(reader.columns == columns)
    }

    @Test func `a dBase header stays as it is unless asked for`() throws {
        let definition = try SourceDefinition(parsing: yaml())
        var reader = RecordReader(definition, chunks: MemoryChunks(Array("\"ID,N,6,0\"\n".utf8)))
        var record = Record()
        #expect(try !reader.next(into: &record))
        #expect(reader.columns == ["ID,N,6,0"])
    }

    @Test func `records know the line and byte at which they begin`() throws {
        let definition = try SourceDefinition(parsing: yaml(more: "csv: {skipLines: 1}"))
        let text = "title\r\nid,b\r\n\"x\r\ny\",1\r\n\r\nz,2\r\n"
        for chunkByteCount in 1...8 {
            var reader = RecordReader(definition, chunks: MemoryChunks(Array(text.utf8), chunkByteCount: chunkByteCount))
            var record = Record()
            #expect(try reader.next(into: &record))
            #expect((record.line, record.byteOffset) == (3, 13))
            #expect(try reader.next(into: &record))
            #expect((record.line, record.byteOffset) == (6, 25))
        }
    }

    @Test(arguments: UInt64(0)..<200)
    func `a table survives writing and parsing in pieces of any size`(seed: UInt64) throws {
        var random = Lehmer(seed: seed)
        let width = Int.random(in: 1...6, using: &random)
        let alphabet: [String] = ["a", "é", "漢", "\"", ",", "\n", "\r", "\r\n", " ", ";", "'", "🚲", "0"]
        let table = (0..<Int.random(in: 0...12, using: &random)).map { _ in
            (0..<width).map { _ in
                (0..<Int.random(in: 0...8, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "" }.joined()
            }
        }
        let lineBreak = ["\n", "\r\n", "\r"].randomElement(using: &random) ?? "\n"
        let header = (0..<width).map { "c\($0)" }
        // Every field quoted, so that a row of one empty field is not a blank line.
        let text = ([header] + table).map { row in
            row.map { "\"" + $0.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\"" }.joined(
                separator: ",")
        }.joined(separator: lineBreak)
        let chunkByteCount = Int.random(in: 1...40, using: &random)
        let found = try rows(text, chunkByteCount: chunkByteCount)
        #expect(found.map { $0.map { Array($0.utf8) } } == table.map { $0.map { Array($0.utf8) } }, "seed \(seed)")
    }

    @Test(arguments: UInt64(0)..<200)
    func `bytes at random are read or refused, in pieces of any size alike`(seed: UInt64) throws {
        var random = Lehmer(seed: seed)
        let alphabet = Array("ab,\"\"\n\r;".utf8) + [0, 0xC3, 0xA9, 0xFF]
        let bytes =
            Array("id,b\n".utf8)
            + (0..<Int.random(in: 0...60, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
        let whole = try rows(bytes, chunkByteCount: 1000)
        for chunkByteCount in 1...7 { #expect(try rows(bytes, chunkByteCount: chunkByteCount) == whole, "seed \(seed)") }
    }
}

/// A small generator whose sequence a seed fixes.
struct Lehmer: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678_9ABC_DEF1 }
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
