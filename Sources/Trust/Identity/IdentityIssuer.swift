package import CityModel

/// How an issuer is asked: the two effects that the room above performs, within time, bytes and the rules for outbound requests.
package struct IssuerClient: Sendable {
    /// The JSON at an address.
    package let get: @Sendable (String) async throws -> JSON
    /// Sends a form, with a user and a password if there are any, and gives the JSON of a successful answer.
    package let post: @Sendable (_ address: String, _ form: [(name: String, value: String)], _ credentials: (user: String, password: String)?) async throws -> JSON

    package init(
        get: @escaping @Sendable (String) async throws -> JSON,
        post: @escaping @Sendable (String, [(name: String, value: String)], (user: String, password: String)?) async throws -> JSON
    ) {
        (self.get, self.post) = (get, post)
    }
}

/// Where an issuer's operations are (OpenID Connect Discovery 1.0, section 3).
struct IssuerMetadata: Sendable {
    let authorization: String?
    let token: String?
    let keys: String

    /// - Throws: `TokenFault` for what is not the issuer's description, or leads away from HTTPS where the issuer has it.
    init(_ json: JSON, of issuer: String) throws(TokenFault) {
        guard json["issuer"]?.stringValue == issuer else { throw TokenFault(reason: "the issuer's description is that of another one") }
        func address(_ name: String) throws(TokenFault) -> String? {
            guard let text = json[name]?.stringValue else { return nil }
            guard text.hasPrefix("https://") || issuer.hasPrefix("http://") && text.hasPrefix("http://") else { throw TokenFault(reason: "\(name): it is no https address") }
            return text
        }
        guard let keys = try address("jwks_uri") else { throw TokenFault(reason: "jwks_uri: the issuer does not say where its keys are") }
        (authorization, token, self.keys) = (try address("authorization_endpoint"), try address("token_endpoint"), keys)
    }
}

/// What is known of an issuer, kept for an hour. A key that is not known is looked for anew, so that keys may change at any moment; but so seldom that
/// nobody can have the issuer asked again and again by showing tokens with keys that there are not.
actor IdentityIssuer {
    let issuer: String
    private let client: IssuerClient
    private var known: (metadata: IssuerMetadata, keys: KeySet, at: Instant)?
    private var askedAt: Instant?
    private var asking: Task<(metadata: IssuerMetadata, keys: KeySet), any Error>?

    static let keptSeconds = 3600.0
    /// Between two attempts.
    static let restSeconds = 30.0

    init(_ issuer: String, _ client: IssuerClient) { (self.issuer, self.client) = (issuer, client) }

    /// - Throws: `sourceFailed` when the issuer can't be had and nothing is known of it.
    func metadata(at now: Instant) async throws -> IssuerMetadata { try await current(at: now).metadata }

    /// - Throws: `TokenFault` when the signature is not one of the issuer; `sourceFailed` when its keys can't be had.
    func check(_ token: SignedToken, at now: Instant) async throws {
        var verdict = try await current(at: now).keys.verdict(token)
        if verdict == .unknownKey { verdict = try await current(at: now, asksAnew: true).keys.verdict(token) }
        guard verdict == .valid else {
            throw TokenFault(reason: verdict == .unknownKey ? "kid: the issuer has no such key" : "the signature is not one of the issuer's")
        }
    }

    private func current(at now: Instant, asksAnew: Bool = false) async throws -> (metadata: IssuerMetadata, keys: KeySet) {
        let isFresh = known.map { $0.at.adding(seconds: Self.keptSeconds) > now } ?? false
        if let known, isFresh && !asksAnew || rests(at: now) && asking == nil { return (known.metadata, known.keys) }
        if known == nil, asking == nil, rests(at: now) { throw unreachable }
        let task = asking ?? ask(at: now)
        do {
            let (metadata, keys) = try await task.value
            return (metadata, keys)
        } catch {
            // What was known goes on to count while the issuer is away.
            guard let known else { throw unreachable }
            return (known.metadata, known.keys)
        }
    }

    private func ask(at now: Instant) -> Task<(metadata: IssuerMetadata, keys: KeySet), any Error> {
        askedAt = now
        // It ends with the client's own limits; whoever asks meanwhile waits for the same one.
        let task = Task { try await self.load(at: now) }
        asking = task
        return task
    }

    private func load(at now: Instant) async throws -> (metadata: IssuerMetadata, keys: KeySet) {
        defer { asking = nil }
        let base = issuer.last == "/" ? String(issuer.dropLast()) : issuer
        let metadata = try IssuerMetadata(try await client.get(base + "/.well-known/openid-configuration"), of: issuer)
        let keys = try KeySet(try await client.get(metadata.keys))
        known = (metadata, keys, now)
        return (metadata, keys)
    }

    private func rests(at now: Instant) -> Bool { askedAt.map { $0.adding(seconds: Self.restSeconds) > now } ?? false }

    private var unreachable: CityError { .sourceFailed("the identity provider can't be reached") }
}
