package import CityModel
package import HTTPTypes

/// The `Link` header that names a JSON-LD context (JSON-LD 1.1, section 6.2).
package enum LinkHeader {
    private static let relation = "http://www.w3.org/ns/json-ld#context"

    /// - Throws: `badRequestData` for a context link that is malformed.
    package static func contextURL(_ headers: HTTPFields) throws(CityError) -> String? {
        for header in headers[values: .link] {
            for link in header.split(separator: ",") where link.contains(relation) {
                guard let start = link.firstIndex(of: "<"), let end = link.firstIndex(of: ">"), start < end else {
                    throw .badRequestData("Link: \(link) is not <URL>; rel=\"\(relation)\"")
                }
                return String(link[link.index(after: start)..<end])
            }
        }
        return nil
    }

    package static func value(_ url: String) -> String { "<\(url)>; rel=\"\(relation)\"; type=\"application/ld+json\"" }
}
