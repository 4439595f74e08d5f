import CityModel
import Crypto
import CryptoExtras
import Foundation
import OrderedCollections
import Store
import Synchronization
import Testing
@testable import Trust

@Suite struct IdentityTests {
    private static let issuer = "https://id.example"
    private let now = Instant(seconds: 1_795_000_000)

    /// Keys of an issuer that change, and how often it was asked for them.
    private final class Provider: Sendable {
        private let state = Mutex((keys: [JSON](), asked: 0, isAway: false))
        let posted = Mutex<[[String: String]]>([])
        let idToken = Mutex("")

        var asked: Int { state.withLock { $0.asked } }
        func set(_ keys: [JSON]) { state.withLock { $0.keys = keys } }
        func goAway() { state.withLock { $0.isAway = true } }

        var client: IssuerClient {
            IssuerClient(
                get: { [self] address in
                    if address.hasSuffix("/.well-known/openid-configuration") {
                        return [
                            "issuer": .string(IdentityTests.issuer), "jwks_uri": .string(IdentityTests.issuer + "/keys"),
                            "authorization_endpoint": .string(IdentityTests.issuer + "/authorize"), "token_endpoint": .string(IdentityTests.issuer + "/token"),
                        ]
                    }
                    return try state.withLock { state in
                        state.asked += 1
                        guard !state.isAway else { throw CityError.sourceFailed("away") }
                        return ["keys": .array(state.keys)]
                    }
                },
                post: { [self] _, form, _ in
                    posted.withLock { $0.append(Dictionary(form.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })) }
                    return ["id_token": .string(idToken.withLock { $0 })]
                })
        }
    }

    private struct Key {
        let key = Curve25519.Signing.PrivateKey()
        let id: String

        var json: JSON {
            ["kty": "OKP", "crv": "Ed25519", "kid": .string(id), "x": .string(Base64.url.encode(Array(key.publicKey.rawRepresentation)))]
        }

        func token(_ claims: JSONObject, header: JSONObject = [:]) throws -> String {
            var head: JSONObject = ["alg": "EdDSA", "typ": "at+jwt", "kid": .string(id)]
            for (name, value) in header { head[name] = value == .null ? nil : value }
            let signed = [JSON.object(head), .object(claims)].map { Base64.url.encode(Array($0.description.utf8)) }.joined(separator: ".")
            return signed + "." + Base64.url.encode(Array(try key.signature(for: Array(signed.utf8))))
        }
    }

    private func claims(_ changes: JSONObject = [:]) -> JSONObject {
        var claims: JSONObject = [
            "iss": .string(Self.issuer), "aud": "city", "sub": "7", "iat": .integer(now.seconds), "exp": .integer(now.seconds + 300),
        ]
        for (name, value) in changes { claims[name] = value == .null ? nil : value }
        return claims
    }

    private func fault(_ claims: JSONObject, _ change: (inout TokenExpectation) -> Void = { _ in }) throws -> String? {
        var expectation = TokenExpectation(issuer: Self.issuer, audience: "city")
        change(&expectation)
        let token = try SignedToken(try Key(id: "a").token(claims))
        do throws(TokenFault) { _ = try expectation.check(token, at: now) } catch { return String(error.reason.prefix { $0 != ":" }) }
        return nil
    }

    @Test(arguments: [
        (["iss": "https://id.example/"], "iss"), (["iss": .null], "iss"), (["aud": "cit"], "aud"), (["aud": ["a", "b"]], "aud"), (["aud": .null], "aud"),
        (["aud": ["a", "city"]], nil), (["exp": .null], "exp"), (["exp": 1_794_999_970], "exp"), (["exp": 1_794_999_971], nil), (["exp": "soon"], "exp"),
        (["exp": 1_795_604_801], "exp"), (["nbf": 1_795_000_030], nil), (["nbf": 1_795_000_031], "nbf"), (["iat": 1_795_000_031], "iat"), (["sub": ""], "sub"), (["sub": 7], "sub"),
    ] as [(JSONObject, String?)])
    func `a token says whose it is, whom it is for, and how long it counts`(changes: JSONObject, fault: String?) throws {
        #expect(try self.fault(claims(changes)) == fault)
    }

    @Test(arguments: [
        ([:], nil), (["aud": ["city", "other"]], "azp"), (["aud": ["city", "other"], "azp": "city"], nil), (["azp": "other"], "azp"), (["azp": 1], "azp"),
        (["iat": .null], "iat"), (["nonce": "other"], "nonce"), (["nonce": .null], "nonce"),
    ] as [(JSONObject, String?)])
    func `an ID token answers one request of one client`(changes: JSONObject, fault: String?) throws {
        var all = claims(["nonce": "mine"])
        for (name, value) in changes { all[name] = value == .null ? nil : value }
        #expect(try self.fault(all) { ($0.nonce, $0.isIDToken) = ("mine", true) } == fault)
    }

    @Test(arguments: ["none", "None", "HS256", "HS512", "RS512", "", "ES256K"]) func `other algorithms are not even read`(algorithm: String) throws {
        let key = Key(id: "a")
        #expect(throws: TokenFault.self) { try SignedToken(try key.token(claims(), header: ["alg": .string(algorithm)])) }
        #expect(throws: TokenFault.self) { try SignedToken(try key.token(claims(), header: ["alg": .null])) }
        #expect(throws: TokenFault.self) { try SignedToken(try key.token(claims(), header: ["crit": ["x"]])) }
    }

    /// RFC 8037, appendix A.4 and RFC 7515, appendix A.3.
    @Test func `signatures of the RFCs are valid, and no longer when a letter changes`() throws {
        let edwards = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        let parts = edwards.split(separator: ".")
        let key = try Curve25519.Signing.PublicKey(rawRepresentation: try #require(Base64.url.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")))
        #expect(key.isValidSignature(try #require(Base64.url.decode(parts[2])), for: Array("\(parts[0]).\(parts[1])".utf8)))

        let text = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
        let keys = try KeySet(["keys": [["kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"]]])
        #expect(keys.verdict(try SignedToken(text)) == .valid)
        #expect(keys.verdict(try SignedToken(text.replacing("DtEhU3", with: "DtEhU4"))) == .invalid)
        #expect(try KeySet(["keys": []]).verdict(try SignedToken(text)) == .invalid)
    }

    @Test func `weak keys, and keys for something else, are passed over`() throws {
        let weak = Base64.url.encode([0xC1] + [UInt8](repeating: 7, count: 127))
        #expect(VerificationKey(["kty": "RSA", "n": .string(weak), "e": "AQAB"]) == nil)
        #expect(VerificationKey(["kty": "oct", "k": "c2VjcmV0"]) == nil)
        let key = Key(id: "a")
        var object = try #require(key.json.objectValue)
        object["use"] = "enc"
        #expect(try KeySet(["keys": [.object(object)]]).verdict(try SignedToken(try key.token(claims()))) == .unknownKey)
        (object["use"], object["alg"]) = ("sig", "RS256")
        #expect(try KeySet(["keys": [.object(object)]]).verdict(try SignedToken(try key.token(claims()))) == .invalid)
    }

    @Test func `a new key is looked for once, then the issuer rests`() async throws {
        let provider = Provider()
        let (old, new, foreign) = (Key(id: "old"), Key(id: "new"), Key(id: "foreign"))
        provider.set([old.json])
        let issuer = IdentityIssuer(Self.issuer, provider.client)
        func isValid(_ key: Key, after seconds: Double) async throws -> Bool {
            do { try await issuer.check(try SignedToken(try key.token(claims())), at: now.adding(seconds: seconds)) } catch is TokenFault { return false }
            return true
        }
        #expect(try await isValid(old, after: 0))
        provider.set([old.json, new.json])
        for second in 1..<20 { #expect(try await !isValid(foreign, after: Double(second))) }
        #expect(provider.asked == 1)
        #expect(try await isValid(new, after: 31))
        #expect(provider.asked == 2)
        provider.set([new.json])
        #expect(try await isValid(old, after: 62), "what is known counts for an hour")
        #expect(try await !isValid(old, after: 62 + 3600))
        provider.goAway()
        #expect(try await isValid(new, after: 3 * 3600), "and longer while the issuer is away")
        #expect(try await !isValid(old, after: 4 * 3600))
    }

    @Test func `an issuer that was never reached is an error of its own`() async throws {
        let provider = Provider()
        provider.goAway()
        let issuer = IdentityIssuer(Self.issuer, provider.client)
        let token = try SignedToken(try Key(id: "a").token(claims()))
        for second in 0..<5 { await #expect(throws: CityError.self) { try await issuer.check(token, at: now.adding(seconds: Double(second))) } }
        #expect(provider.asked == 1)
    }

    @Test(arguments: [
        (["roles": ["steward", "x", "steward"]], ["steward"]), (["roles": "steward analyst"], ["steward", "analyst"]), (["roles": ["boss"]], ["administrator"]), (["roles": []], []),
        ([:], nil), (["roles": ["operator", "token-administrator"]], []),
    ] as [(JSONObject, [String]?)])
    func `roles are those of the claim that there are`(claims: JSONObject, roles: [String]?) {
        #expect(RoleClaim(roles: ["boss": "administrator"]).roles(in: claims) == roles)
    }

    @Test func `a claim may lie within another one`() {
        #expect(RoleClaim(path: "realm_access.roles").roles(in: ["realm_access": ["roles": ["auditor"]]]) == ["auditor"])
        #expect(RoleClaim.roles("a=steward,auditor") == nil)
        #expect(RoleClaim.roles("a=steward, b = auditor") == ["a": "steward", "b": "auditor"])
        #expect(RoleClaim.roles("a=king") == nil)
    }

    // MARK: Signing in

    private func errand(_ provider: Provider, _ signIn: SignInProvider) async throws -> (errand: String, query: [String: String]) {
        let (errand, address) = try await signIn.begin(redirect: "https://city.example/back", target: "/about", at: now)
        let query = try #require(URLComponents(string: address)?.queryItems)
        return (errand, Dictionary(query.map { ($0.name, $0.value ?? "") }, uniquingKeysWith: { first, _ in first }))
    }

    @Test func `an answer lets in once, with the verifier of its challenge, and links the account for good`() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "conurb-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let store = try Store(directory: path)
        let name = try #require(MunicipalityName("alder"))
        _ = try store.file(name, creating: true)
        let (accounts, provider, key) = (Accounts(store: store), Provider(), Key(id: "a"))
        provider.set([key.json])
        let signIn = SignInProvider(ProviderSettings(issuer: Self.issuer, clientID: "city", municipality: name), accounts: accounts, client: provider.client)
        let visitor = Visitor(address: "203.0.113.7")

        func finish(_ errand: String?, _ answer: SignInProvider.Return, _ claims: JSONObject, after seconds: Double = 1) async throws -> AccountRecord {
            provider.idToken.withLock { [token = try? key.token(claims, header: ["typ": "JWT"])] in $0 = token ?? "" }
            let done = try await signIn.finish(answer, errand: errand, redirect: "https://city.example/back", from: visitor, at: now.adding(seconds: seconds))
            guard case .signedIn(let session, _) = done.outcome, done.target == "/about" else { throw CityError.forbidden("\(done)") }
            return try #require(try await accounts.signedIn(session, at: now)).account
        }
        func answer(_ query: [String: String], code: String? = "c", issuer: String? = nil, error: String? = nil) -> SignInProvider.Return {
            .init(code: code, state: query["state"], issuer: issuer, error: error)
        }
        let (first, query) = try await errand(provider, signIn)
        let good = claims(["nonce": .string(query["nonce"] ?? ""), "email": "marie@alder.example", "roles": ["steward"]])
        let account = try await finish(first, answer(query), good)
        #expect(account.roles == ["steward"] && account.login == "marie@alder.example")
        let verifier = try #require(provider.posted.withLock { $0.first?["code_verifier"] })
        #expect(Base64.url.encode(Array(SHA256.hash(data: Array(verifier.utf8)))) == query["code_challenge"])
        await #expect(throws: SignInProvider.Refused.self, "replayed") { try await finish(first, answer(query), good) }

        let (second, other) = try await errand(provider, signIn)
        await #expect(throws: SignInProvider.Refused.self, "another browser's") { try await finish(nil, answer(other), good) }
        await #expect(throws: SignInProvider.Refused.self, "another state") { try await finish(second, answer(query), good) }
        await #expect(throws: SignInProvider.Refused.self, "too late") { try await finish(second, answer(other), good, after: 601) }
        await #expect(throws: SignInProvider.Refused.self, "another nonce") { try await finish(second, answer(other), good) }
        for refused in [answer(other, issuer: "https://evil.example"), answer(other, code: nil, error: "access_denied")] {
            let (errand, query) = try await errand(provider, signIn)
            let given = SignInProvider.Return(code: refused.code, state: query["state"], issuer: refused.issuer, error: refused.error)
            await #expect(throws: SignInProvider.Refused.self) { try await finish(errand, given, good) }
        }
        let (third, last) = try await errand(provider, signIn)
        let again = try await finish(third, answer(last), claims(["nonce": .string(last["nonce"] ?? ""), "roles": ["analyst"], "email": "new@alder.example"]))
        #expect(again.id == account.id && again.roles == ["analyst"])
        // Somebody else who says that he has the same address gets no account that is in use.
        let (fourth, stranger) = try await errand(provider, signIn)
        await #expect(throws: SignInProvider.Refused.self) {
            try await finish(
                fourth, answer(stranger), claims(["nonce": .string(stranger["nonce"] ?? ""), "sub": "8", "email": "marie@alder.example", "email_verified": true]))
        }
    }
}
