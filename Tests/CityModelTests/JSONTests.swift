import CityModel
import Testing

@Suite struct JSONTests {
    @Test(arguments: [
        "null", "true", "[]", "{}", "[1,-2,3.5,1e+300]", #"{"a":{"b":["x\"\\\n\u0001é€😀"]},"c":9223372036854775807}"#,
    ])
    func `a JSON text survives parsing and writing`(text: String) throws {
        #expect(try JSON(parsing: text).description == text)
    }

    /// Clause 4.6.4.
    @Test(arguments: ["", "{", "[1,]", "nul", "{\"a\":1}x", "\"\u{1}\"", "01"])
    func `what is not JSON is refused`(text: String) {
        #expect(throws: JSONError.self) { try JSON(parsing: text) }
    }

    /// Eight bytes are looked at together: what has to be escaped may be any of them, beside bytes that look like it.
    @Test(arguments: ["\"", "\\", "\u{0}", "\u{1f}", "\n", " ", "!", "#", "[", "]", "\u{7f}", "\u{a2}", "\u{dc}", "é", "\u{1F600}"])
    func `a text is written with its escapes wherever they are`(mark: String) throws {
        for length in 0..<20 {
            for place in 0...length {
                for other in ["a", mark, "\u{9f}", "\u{80}"] {
                    let text = String(repeating: other, count: place) + mark + String(repeating: other, count: length - place)
                    var writer = JSONWriter()
                    writer.write(text)
                    let mayNotStand = writer.bytes.dropFirst().dropLast().contains { $0 < 0x20 }
                    #expect(try !mayNotStand && JSON(parsing: writer.text) == .string(text))
                    let escaped = text.unicodeScalars.reduce(0) { $0 + ($1 == "\"" || $1 == "\\" ? 1 : $1 == "\n" ? 1 : $1.value < 0x20 ? 5 : 0) }
                    #expect(writer.bytes.count == text.utf8.count + escaped + 2, "nothing else is escaped")
                }
            }
        }
    }

    @Test func `nesting may be as deep as the limit and no deeper`() throws {
        let parser = JSONParser(depthMax: 4)
        _ = try parser.parse("[[[[1]]]]".utf8)
        #expect(throws: JSONError.tooDeep(depthMax: 4)) { try parser.parse("[[[[[1]]]]]".utf8) }
    }

    @Test func `of repeated names the last value counts`() throws {
        #expect(try JSON(parsing: #"{"a":1,"a":2}"#) == ["a": 2])
    }
}
