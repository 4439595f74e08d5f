package import CityModel

/// Something abnormal about a distributed reading (table 6.3.17-1).
package struct SourceWarning: Hashable, Sendable {
    package enum Code: Int, Sendable { case stale = 110, invalid = 111, noResponse = 199, errorResponse = 299 }

    package let code: Code
    package let registration: IRI
    package let text: String

    init(_ code: Code, _ registration: IRI, _ text: String) { (self.code, self.registration, self.text) = (code, registration, text) }

    private static let countMax = 8
    private static let textCountMax = 200

    /// What a source warned of that it asked others (table 6.3.17-1). Whoever asked here knows its registration, not theirs.
    static func handedOn(_ headers: [(name: String, value: String)], _ registration: IRI) -> [SourceWarning] {
        headers.filter { $0.name.lowercased() == "ngsild-warning" }.prefix(countMax).compactMap { _, value in
            guard let code = Int(value.prefix(3)).flatMap(Code.init) else { return nil }
            let quoted = value.split(separator: "\"", maxSplits: 2, omittingEmptySubsequences: false)
            return SourceWarning(code, registration, String((quoted.count == 3 ? quoted[1] : "the source warns").prefix(textCountMax)))
        }
    }

    /// The value of `NGSILD-Warning` (RFC 7234, section 5.5).
    package var header: String {
        let safe = text.unicodeScalars.map { $0.isASCII && $0.value >= 0x20 && $0 != "\"" && $0 != "\\" && $0.value != 0x7F ? Character($0) : "?" }
        return "\(code.rawValue) \(registration) \"\(String(safe))\""
    }
}
