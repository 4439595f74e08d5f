package import CityModel
internal import Crypto
internal import OrderedCollections
internal import Store

/// A bearer token as the municipality's file keeps it: never its text, only the text's digest.
///
/// The text carries 256 random bits, so that a plain SHA-256 digest cannot be reversed by guessing.
package struct Token: Hashable, Sendable {
    /// Names the token in lists and logs; says nothing about its text.
    package let id: String
    package let name: String
    package let scope: TokenScope
    package let createdAt: Instant
    /// From when on it counts for nothing; nil for one without an end.
    package let expiresAt: Instant?
    /// The account whose own token it is: it acts as that account does, and counts for nothing without it. Nil for one of the municipality.
    package let owner: String?
    /// Who made it, as the ledger says it; nil for one from before this was kept.
    package let madeBy: String?
    /// The day (UTC) on which it was shown last, such as `2026-11-26`; noted a little later.
    package private(set) var lastUsedOn: String?
    let digest: String

    package var right: Right { scope.right }

    init(_ order: TokenOrder, id: String, owner: String?, madeBy: String, createdAt: Instant, digest: String) {
        (self.id, name, scope, expiresAt) = (id, order.name, order.scope, order.expiresAt)
        (self.owner, self.madeBy, self.createdAt, self.digest) = (owner, madeBy, createdAt, digest)
    }

    init?(_ document: Document) {
        let body = document.body
        guard let id = body["id"]?.stringValue, let name = body["name"]?.stringValue, let scope = TokenScope(body),
            let createdAt = body["createdAt"]?.stringValue.flatMap({ Instant($0) })
        else { return nil }
        (self.id, self.name, self.scope, self.createdAt, digest) = (id, name, scope, createdAt, document.id)
        // One whose end can't be read has ended.
        expiresAt = body["expiresAt"].map { $0.stringValue.flatMap { Instant($0) } ?? createdAt }
        (owner, madeBy, lastUsedOn) = (body["owner"]?.stringValue, body["madeBy"]?.stringValue, body["lastUsedOn"]?.stringValue)
    }

    package var json: JSON {
        var members = scope.json
        members["id"] = .string(id)
        members["name"] = .string(name)
        members["createdAt"] = .string(createdAt.description)
        if let expiresAt { members["expiresAt"] = .string(expiresAt.description) }
        if let owner { members["owner"] = .string(owner) }
        if let madeBy { members["madeBy"] = .string(madeBy) }
        if let lastUsedOn { members["lastUsedOn"] = .string(lastUsedOn) }
        return .object(members)
    }

    func used(on day: String) -> Token {
        var token = self
        token.lastUsedOn = day
        return token
    }

    package func isOver(at now: Instant) -> Bool { expiresAt.map { $0 <= now } ?? false }

    /// What is accountable of it.
    func act(_ kind: ActKind) -> Act {
        var details = scope.json
        details["name"] = .string(name)
        if let owner { details["owner"] = .string(owner) }
        if let expiresAt { details["expiresAt"] = .string(expiresAt.description) }
        return Act(kind, id, details: .object(details))
    }

    static func randomText(municipality: MunicipalityName) -> String { "conurb_\(municipality)_\(randomHexadecimal(byteCount: 32))" }
    /// The municipality that a token's text names. It says nothing yet of whether the token is valid there.
    static func municipality(in text: String) -> MunicipalityName? {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0] == "conurb" else { return nil }
        return MunicipalityName(parts[1..<(parts.count - 1)].joined(separator: "_"))
    }

    static func randomID() -> String { randomHexadecimal(byteCount: 6) }

    static func digest(of text: String) -> String { hexadecimal(SHA256.hash(data: Array(text.utf8))) }

    private static func randomHexadecimal(byteCount: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return hexadecimal((0..<byteCount).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
