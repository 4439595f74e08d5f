package import CityModel

/// Something abnormal about a distributed reading (table 6.3.17-1).
package struct SourceWarning: Hashable, Sendable {
    package enum Code: Int, Sendable { case stale = 110, invalid = 111, noResponse = 199, errorResponse = 299 }

    package let code: Code
    package let registration: IRI
    package let text: String

    init(_ code: Code, _ registration: IRI, _ text: String) { (self.code, self.registration, self.text) = (code, registration, text) }

    /// The value of `NGSILD-Warning` (RFC 7234, section 5.5).
    package var header: String {
        let safe = text.unicodeScalars.map { $0.isASCII && $0.value >= 0x20 && $0 != "\"" && $0 != "\\" && $0.value != 0x7F ? Character($0) : "?" }
        return "\(code.rawValue) \(registration) \"\(String(safe))\""
    }
}
