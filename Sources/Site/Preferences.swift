internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird

/// What a reader chose: language and colours, kept in two cookies.
struct Preferences: Sendable {
    let language: Language
    /// `light`, `dark` or `auto`.
    let theme: String

    static let themes: Set<String> = ["light", "dark"]

    init(_ request: DoorRequest, _ languages: Languages) {
        let cookies = Cookies(request.headers)
        language = cookies["lang"].flatMap { languages[$0] } ?? languages.best(request.headers[.acceptLanguage])
        theme = cookies["theme"].flatMap { Self.themes.contains($0) ? $0 : nil } ?? "auto"
    }

    /// Where `return` may lead: to a page of ours. A browser reads `//` and `/\` as the beginning of another host.
    static func safeReturn(_ text: String?) -> String {
        guard let text, text.utf8.first == UInt8(ascii: "/"), text.utf8.count <= 4000 else { return "/" }
        let second = text.utf8.dropFirst().first
        guard second != UInt8(ascii: "/"), second != UInt8(ascii: "\\") else { return "/" }
        return escaped(text)
    }

    /// What may not stand in a header field as it is becomes an escape.
    private static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            let isPlain = byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "<")
                && byte != UInt8(ascii: ">") && byte != UInt8(ascii: "\\")
            bytes += isPlain ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The cookies of a request (RFC 6265, section 4.2); of a repeated name the first counts.
struct Cookies {
    private var values: [Substring: Substring] = [:]

    init(_ headers: HTTPFields) {
        for header in headers[values: .cookie] {
            for pair in header.split(separator: ";").prefix(50) {
                let sides = pair.split(separator: "=", maxSplits: 1)
                guard sides.count == 2 else { continue }
                let name = sides[0].drop { $0 == " " }
                if values[name] == nil { values[name] = sides[1] }
            }
        }
    }

    subscript(name: String) -> String? { values[name[...]].map(String.init) }
}

extension SiteDoor {
    /// `GET /preferences`: keeps what it is given and leads back.
    func preferences(_ request: DoorRequest) async throws -> Response {
        var headers: HTTPFields = [.location: Preferences.safeReturn(request.query["return"]), .cacheControl: "no-store"]
        var cookies: [String] = []
        if let code = request.query["lang"], languages[code] != nil { cookies.append("lang=\(code)") }
        if let theme = request.query["theme"], Preferences.themes.contains(theme) { cookies.append("theme=\(theme)") }
        let secure = request.headers.cameByHTTPS ? "; Secure" : ""
        for cookie in cookies {
            headers.append(HTTPField(name: .setCookie, value: "\(cookie); Path=/; Max-Age=31536000; SameSite=Lax\(secure)"))
        }
        return Response(status: .seeOther, headers: headers)
    }
}
