package import CityModel
internal import Crypto
internal import Store

/// A bearer token as the municipality's file keeps it: never its text, only the text's digest.
///
/// The text carries 256 random bits, so that a plain SHA-256 digest cannot be reversed by guessing.
package struct Token: Hashable, Sendable {
    /// Names the token in lists and logs; says nothing about its text.
    package let id: String
    package let name: String
    package let right: Right
    package let createdAt: Instant
    let digest: String

    init(id: String, name: String, right: Right, createdAt: Instant, digest: String) {
        (self.id, self.name, self.right, self.createdAt, self.digest) = (id, name, right, createdAt, digest)
    }

    init?(_ document: Document) {
        guard let id = document.body["id"]?.stringValue, let name = document.body["name"]?.stringValue,
            let right = document.body["right"]?.stringValue.flatMap(Right.init(name:)),
            let createdAt = document.body["createdAt"]?.stringValue.flatMap({ Instant($0) })
        else { return nil }
        self.init(id: id, name: name, right: right, createdAt: createdAt, digest: document.id)
    }

    var json: JSON {
        ["id": .string(id), "name": .string(name), "right": .string(right.name), "createdAt": .string(createdAt.description)]
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
