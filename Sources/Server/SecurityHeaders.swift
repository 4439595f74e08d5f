internal import Door
internal import HTTPTypes

/// What every answer tells browsers, beside what its door says itself.
enum SecurityHeaders {
    static func add(to headers: inout HTTPFields, isHTTPS: Bool) {
        func set(_ name: HTTPField.Name, _ value: String) { if headers[name] == nil { headers[name] = value } }
        set(.xContentTypeOptions, "nosniff")
        // An answer that is no page runs nothing and stands in no frame, even where a browser shows it as one.
        set(.contentSecurityPolicy, "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
        // What somebody was shown stays in no cache, unless its door says that anybody may have it.
        set(.cacheControl, "no-store")
        set(.crossOriginResourcePolicy, "same-origin")
        set(.referrerPolicy, "same-origin")
        if isHTTPS { set(.strictTransportSecurity, "max-age=31536000") }
    }
}

extension HTTPField.Name {
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
}
