internal import Door
internal import HTTPTypes

/// What every answer tells browsers, beside what its door says itself.
enum SecurityHeaders {
    static func add(to headers: inout HTTPFields, isHTTPS: Bool) {
        for field in always where !headers.contains(field.name) { headers.append(field) }
        if isHTTPS, !headers.contains(transport.name) { headers.append(transport) }
    }

    private static let always = [
        HTTPField(name: .xContentTypeOptions, value: "nosniff"),
        // An answer that is no page runs nothing and stands in no frame, even where a browser shows it as one.
        HTTPField(name: .contentSecurityPolicy, value: "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
        // What somebody was shown stays in no cache, unless its door says that anybody may have it.
        HTTPField(name: .cacheControl, value: "no-store"),
        HTTPField(name: .crossOriginResourcePolicy, value: "same-origin"),
        HTTPField(name: .referrerPolicy, value: "same-origin"),
    ]
    private static let transport = HTTPField(name: .strictTransportSecurity, value: "max-age=31536000")
}

extension HTTPField.Name {
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
}
