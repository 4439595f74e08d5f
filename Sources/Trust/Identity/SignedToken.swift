internal import CityModel
internal import OrderedCollections

/// What is wrong with a token. The text goes to whoever showed it and says nothing that he does not know.
package struct TokenFault: Error, Hashable { let reason: String }

/// How a token may be signed. There is no `none`, and nothing whose key is a shared secret: a public key can't be taken for one.
enum SignatureAlgorithm: String, CaseIterable { case rs256 = "RS256", ps256 = "PS256", es256 = "ES256", edDSA = "EdDSA" }

/// A signed JSON Web Token in its compact form (RFC 7515, section 7.1), read and not believed yet.
package struct SignedToken {
    let algorithm: SignatureAlgorithm
    let keyID: String?
    /// The header's `typ`, in small letters and without `application/`.
    let type: String?
    let claims: JSONObject
    let signature: [UInt8]
    /// What was signed.
    let signed: [UInt8]

    static let byteCountMax = 16 << 10

    package init(_ text: String) throws(TokenFault) {
        guard text.utf8.count <= Self.byteCountMax else { throw TokenFault(reason: "it is longer than \(Self.byteCountMax) bytes") }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]), let claims = Self.object(parts[1]), let signature = Base64.url.decode(parts[2]) else {
            throw TokenFault(reason: "it is no signed JSON Web Token")
        }
        guard let name = header["alg"]?.stringValue, let algorithm = SignatureAlgorithm(rawValue: name) else {
            throw TokenFault(reason: "alg: one of \(SignatureAlgorithm.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        // What has to be understood (section 4.1.11) is nothing that is known here.
        guard header["crit"] == nil else { throw TokenFault(reason: "crit: it asks for extensions that are not known here") }
        (self.algorithm, self.claims, self.signature) = (algorithm, claims, signature)
        (keyID, signed) = (header["kid"]?.stringValue, Array("\(parts[0]).\(parts[1])".utf8))
        type = header["typ"]?.stringValue.map { $0.lowercased() }.map { $0.hasPrefix("application/") ? String($0.dropFirst("application/".count)) : $0 }
    }

    private static func object(_ part: Substring) -> JSONObject? {
        Base64.url.decode(part).flatMap { try? JSON(parsing: $0) }?.objectValue
    }

    /// Whether a text is to be read as one, rather than as a token of this program.
    static func isPossible(_ text: String) -> Bool { text.utf8.count { $0 == UInt8(ascii: ".") } == 2 && !text.hasPrefix("conurb_") }
}

/// What a token has to say to be taken for what it should be.
struct TokenExpectation {
    let issuer: String
    let audience: String
    /// Types that the header may have; nil: any, or none.
    var types: Set<String>?
    /// What was sent with the request that it answers; nil where there was none.
    var nonce: String?
    /// Whether it is an ID token, which says when it was made and whom it was made for (OpenID Connect Core 1.0, section 3.1.3.7).
    var isIDToken = false

    /// Clocks differ.
    static let leewaySeconds = 30.0
    static let lifetimeSecondsMax = 86_400.0 * 7

    /// - Returns: the subject.
    func check(_ token: SignedToken, at now: Instant) throws(TokenFault) -> String {
        let claims = token.claims
        if let types, !types.contains(token.type ?? "") { throw TokenFault(reason: "typ: it is no access token") }
        guard claims["iss"]?.stringValue == issuer else { throw TokenFault(reason: "iss: it is not from the issuer that is trusted here") }
        let audiences = claims["aud"]?.stringValue.map { [$0] } ?? claims["aud"]?.arrayValue?.compactMap(\.stringValue) ?? []
        guard audiences.contains(audience) else { throw TokenFault(reason: "aud: it was made for somebody else") }
        try checkTimes(claims, at: now)
        if isIDToken {
            let party = claims["azp"]?.stringValue
            guard party == audience || party == nil && claims["azp"] == nil && audiences.count == 1 else { throw TokenFault(reason: "azp: it was made for somebody else") }
            guard claims["iat"]?.doubleValue != nil else { throw TokenFault(reason: "iat: it does not say when it was made") }
        }
        if let nonce {
            guard let given = claims["nonce"]?.stringValue, Secret.areEqual(Array(given.utf8), Array(nonce.utf8)) else {
                throw TokenFault(reason: "nonce: it answers another request")
            }
        }
        guard let subject = claims["sub"]?.stringValue, (1...255).contains(subject.utf8.count) else { throw TokenFault(reason: "sub: it says nothing of whom it is about") }
        return subject
    }

    private func checkTimes(_ claims: JSONObject, at now: Instant) throws(TokenFault) {
        let seconds = Double(now.microseconds) / 1_000_000
        func moment(_ name: String) throws(TokenFault) -> Double? {
            guard let value = claims[name] else { return nil }
            guard let number = value.doubleValue, number.isFinite, number >= 0 else { throw TokenFault(reason: "\(name): it is no moment") }
            return number
        }
        guard let end = try moment("exp") else { throw TokenFault(reason: "exp: it has no end") }
        guard end + Self.leewaySeconds > seconds else { throw TokenFault(reason: "exp: it has ended") }
        if let start = try moment("nbf"), start > seconds + Self.leewaySeconds { throw TokenFault(reason: "nbf: it does not count yet") }
        if let made = try moment("iat") {
            guard made <= seconds + Self.leewaySeconds else { throw TokenFault(reason: "iat: it is from the future") }
            guard end - made <= Self.lifetimeSecondsMax else { throw TokenFault(reason: "exp: it counts for longer than a week") }
        }
    }
}
