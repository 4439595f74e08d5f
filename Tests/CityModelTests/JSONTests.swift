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

    @Test func `nesting may be as deep as the limit and no deeper`() throws {
        let parser = JSONParser(depthMax: 4)
        _ = try parser.parse("[[[[1]]]]".utf8)
        #expect(throws: JSONError.tooDeep(depthMax: 4)) { try parser.parse("[[[[[1]]]]]".utf8) }
    }

    @Test func `of repeated names the last value counts`() throws {
        #expect(try JSON(parsing: #"{"a":1,"a":2}"#) == ["a": 2])
    }
}
