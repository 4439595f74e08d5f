internal import CityModel
package import HTTPTypes

/// The cookies by which a browser shows who it is (RFC 6265bis). Over HTTPS their names begin with `__Host-`, so that no other host, and nobody
/// without TLS, can set them. Without HTTPS there are none, but on the machine itself.
package struct BrowserCookie: Sendable {
    private let secureName: String
    private let plainName: String
    private let secondsMax: Int?

    /// Who is signed in.
    package static let session = BrowserCookie(secureName: "__Host-conurb", plainName: "conurb-session", secondsMax: nil)
    /// That somebody signed in from this browser before.
    package static let device = BrowserCookie(secureName: "__Host-conurb-device", plainName: "conurb-device", secondsMax: 31_536_000)
    /// That this browser began to sign in elsewhere.
    package static let errand = BrowserCookie(secureName: "__Host-conurb-errand", plainName: "conurb-errand", secondsMax: 600)

    package func value(_ headers: HTTPFields, authority: String?) -> String? {
        guard headers.contains(.cookie), let name = name(headers, authority) else { return nil }
        for header in headers[values: .cookie] {
            for pair in header.split(separator: ";").prefix(50) {
                let sides = pair.split(separator: "=", maxSplits: 1)
                if sides.count == 2, String(sides[0]).trimmingSpaces == name { return String(sides[1]).trimmingSpaces }
            }
        }
        return nil
    }

    /// The field that sets it, or takes it away; nil where there are no cookies.
    package func field(_ value: String?, for headers: HTTPFields, authority: String?) -> HTTPField? {
        guard let name = name(headers, authority) else { return nil }
        let lifetime = value == nil ? "; Max-Age=0" : secondsMax.map { "; Max-Age=\($0)" } ?? ""
        let secure = headers.cameByHTTPS ? "; Secure" : ""
        return HTTPField(name: .setCookie, value: "\(name)=\(value ?? ""); Path=/; HttpOnly\(secure); SameSite=Lax\(lifetime)")
    }

    private func name(_ headers: HTTPFields, _ authority: String?) -> String? {
        if headers.cameByHTTPS { return secureName }
        return Self.isLoopback(authority) ? plainName : nil
    }

    /// Whether a browser may be given a session: over HTTPS, or on the machine itself.
    package static func isPossible(_ headers: HTTPFields, authority: String?) -> Bool { headers.cameByHTTPS || isLoopback(authority) }

    /// By what the browser calls the host: browsers take these names for the machine itself.
    private static func isLoopback(_ authority: String?) -> Bool {
        guard let authority = authority?.lowercased() else { return false }
        if authority.hasPrefix("[::1]") { return true }
        let host = authority.prefix { $0 != ":" }
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
        return host == "localhost" || numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy { UInt8($0) != nil }
    }
}

extension HTTPFields {
    /// Whether the client's connection is an HTTPS one, as the proxy before this program says.
    package var cameByHTTPS: Bool { self[.forwardedProto]?.lowercased() == "https" }
}

/// Whether a request that a browser sent was sent by a page of this program. A cookie comes along whatever page has the request sent; these
/// headers, which no page can forge, say which one it was.
package enum RequestOrigin {
    package enum Verdict: Sendable { case own, foreign, unknown }

    /// Whether a page elsewhere had a browser send the request. Browsers that do not say are given the benefit of the doubt: for what changes
    /// something ask `verdict`.
    package static func isForeignPage(_ headers: HTTPFields) -> Bool { headers[.secFetchSite].map { $0 != "same-origin" && $0 != "none" } ?? false }

    /// `Sec-Fetch-Site` decides where it is there (W3C Fetch Metadata), else `Origin` (RFC 6454, section 7).
    package static func verdict(_ headers: HTTPFields, authority: String?) -> Verdict {
        if let site = headers[.secFetchSite] { return site == "same-origin" ? .own : .foreign }
        guard let origin = headers[.origin] else { return .unknown }
        guard let authority, let separator = origin.range(of: "://") else { return .foreign }
        let scheme = origin[..<separator.lowerBound].lowercased()
        let isScheme = headers.cameByHTTPS ? scheme == "https" : scheme == "http"
        return isScheme && origin[separator.upperBound...].lowercased() == authority.lowercased() ? .own : .foreign
    }
}

extension HTTPField.Name {
    package static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
    package static let forwardedFor = HTTPField.Name("X-Forwarded-For")!
}

extension String {
    fileprivate func range(of separator: String) -> Range<Index>? { ranges(of: separator).first }
}
