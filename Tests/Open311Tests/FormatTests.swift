import CityModel
@testable import Open311
import Testing

struct FormatTests {
    @Test(arguments: [("a.json", "a", "json"), ("a.b.xml", "a.b", "xml"), ("a", nil, nil), ("a.csv", nil, nil), (".json", "", "json"), ("a.JSON", nil, nil)] as [(String, String?, String?)])
    func `the format is what a path ends with`(path: String, name: String?, format: String?) {
        let found = Open311Format.split(path)
        #expect(found?.name == name)
        #expect(found?.format.rawValue == format)
    }

    @Test func `an answer in XML has the members of the one in JSON, and lists their elements`() {
        let value: JSON = [["service_request_id": "1", "lat": 43.5, "status_notes": .null, "photos": ["a", "b"]], ["metadata": true, "order": 7]]
        let body = "<service_requests><request><service_request_id>1</service_request_id><lat>43.5</lat><status_notes/><photos><photo>a</photo><photo>b</photo></photos></request>"
            + "<request><metadata>true</metadata><order>7</order></request></service_requests>"
        #expect(XMLDocument.text("service_requests", value) == "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n" + body + "\n")
    }

    /// Production Char of XML 1.0; C1 controls besides.
    @Test func `no character gets into XML that means something there, or nothing`() throws {
        let scalars = (UInt32(0)...0x10FFFF).lazy.compactMap(Unicode.Scalar.init)
        for scalar in scalars where scalar.value < 0x3000 || scalar.value > 0xFFF0 && scalar.value < 0x10010 {
            let text = Array(XMLDocument.text("a", .string(String(scalar))).unicodeScalars).dropFirst(39 + 3).dropLast(5)
            let expected: String? =
                switch scalar {
                case "<": "&lt;"
                case ">": "&gt;"
                case "&": "&amp;"
                case "\"": "&quot;"
                case "\r": "&#13;"
                default: nil
                }
            let isLeftOut = scalar.value < 0x20 && scalar != "\t" && scalar != "\n" && scalar != "\r" || (0x7F...0x9F).contains(scalar.value) || (0xFFFE...0xFFFF).contains(scalar.value)
            #expect(text.elementsEqual((expected ?? (isLeftOut ? "" : String(scalar))).unicodeScalars), "U+\(String(scalar.value, radix: 16))")
        }
    }
}
