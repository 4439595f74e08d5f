import CityModel
import Broker
import Door
import HTTPTypes
import Ledger
import Mail
import OrderedCollections
import Subscriptions
import Trust

/// What stands in headers, forms, tokens and notes.
extension FuzzEntry {
    static let messages: [FuzzEntry] = [
        FuzzEntry(
            "multipart",
            tokens: [
                "--b\r\n", "--b--\r\n", "\r\n\r\n", "Content-Disposition: form-data; name=\"a\"", "; filename=\"x.jpg\"", "; filename*=UTF-8''x",
                "Content-Type: image/jpeg", "\r\n",
            ]
        ) { bytes in
            guard let form = try? MultipartForm(bytes, boundary: "b") else { return }
            for part in form.parts { try hold(part.bytes.count <= bytes.count, "a part has \(part.bytes.count) bytes of \(bytes.count)") }
        },
        FuzzEntry(
            "headers",
            tokens: [
                "*/*", "application/ld+json", "text/csv", ";q=0.5", "q=nan", ", ", "<https://example.org/c>",
                "; rel=\"http://www.w3.org/ns/json-ld#context\"", "ngsi-ld=1.5", "fr-FR", "%41", "%", "+", "a=b&c", "[]", "count=true",
            ]
        ) { bytes in
            let parts = lines(bytes, 6)
            let offers = ["application/json", "application/ld+json", "text/csv"]
            if let choice = Acceptance.choose(parts[0], offers: offers) { try hold(offers.contains(choice), choice) }
            var headers = HTTPFields()
            headers[.link] = parts[1]
            _ = try? LinkHeader.contextURL(headers)
            if let text = parts[2] { _ = try? LanguagePreference(text).choose(["fr": "a", "en-GB": "b", "@none": "c"]) }
            if let text = parts[3] { _ = (PreferredVersion([text]), PreferredVersion(conformance: text)) }
            if let text = parts[4] {
                if let query = try? QueryParameters(Substring(text)) {
                    for name in ["limit", "offset"] { _ = try? query.integer(name, in: 0...1000) }
                    _ = (try? query.bool("count"), try? query.instant("timeAt"), query.list("attrs"))
                }
                try hold(PercentEncoding.decode(PercentEncoding.encode(text)[...]) == text, "\(text) is not what it was")
            }
            if let text = parts[5] {
                _ = PercentEncoding.decode(text[...], plusIsSpace: true)
                if let name = MunicipalityName(text) { try hold(name.text == text && !text.contains("/"), text) }
                if let iri = IRI(text) { try hold(iri.text == text, text) }
                if let scope = Scope(text) { try hold(Scope(scope.text) == scope, text) }
                _ = Acceptance.choose(text, offers: ["text/html", "text/plain"])
            }
        },
        FuzzEntry(
            "note",
            tokens: [
                "\n\n", "\u{2014} ", "old 0\n", "c2sp.org/tlog-proof@v1\n", "extra ", "index 1\n", "example.org/log\n", "+", "AAAA", "=", "\n",
                "9223372036854775807", "tile/0/x001/234.p/5",
            ]
        ) { bytes in
            let text = text(bytes)
            if let note = try? SignedNote(parsing: bytes) { try hold(try SignedNote(parsing: note.description.utf8) == note, "\(note)") }
            if let checkpoint = try? Checkpoint(parsing: text) { try hold(try Checkpoint(parsing: checkpoint.text).text == checkpoint.text, checkpoint.text) }
            if let proof = try? LedgerProof(parsing: bytes) { try hold(try LedgerProof(parsing: Array(proof.description.utf8)).description == proof.description, "\(proof)") }
            if let asked = try? AddCheckpoint(parsing: bytes) { try hold(try AddCheckpoint(parsing: Array(asked.description.utf8)) == asked, "\(asked)") }
            if let entries = try? EntryBundle.parse(bytes) { try hold(try EntryBundle.write(entries) == bytes, "entries are written otherwise") }
            _ = (try? LedgerLeaf(parsing: bytes), Tile(path: text), try? VerifierKey(parsing: text), try? WitnessAnswer.signatures(text), WitnessAnswer.size(text))
        },
        FuzzEntry(
            "token",
            tokens: [
                "eyJhbGciOiJFUzI1NiJ9", ".", "eyJpc3MiOiJhIn0", "AAAA", "$scrypt$ln=17,r=8,p=1$", "{\"keys\": [", "\"kty\": \"RSA\"",
                "\"crv\": \"P-256\"", "\"n\":", "\"e\": \"AQAB\"", "conurb_alder_", "alder.",
            ]
        ) { bytes in
            let text = text(bytes)
            if let hash = PasswordHash(text) { try hold(PasswordHash(hash.text) == hash, text) }
            if let session = SessionText(text) { try hold(session.text == text, text) }
            // A set of keys, and after it a token that one of them may have signed.
            let parts = lines(bytes, 2)
            guard let token = try? SignedToken(parts[0] ?? "") else { return }
            guard let keys = parts[1].flatMap({ try? JSON(parsing: $0) }).flatMap({ try? KeySet($0) }) else { return }
            _ = keys.verdict(token)
        },
        FuzzEntry(
            "address",
            tokens: [
                "@", "\"", "\\", ".example", "xn--", "mqtt://", "mqtts://", "http://", "https://", "[::1]", ":1883", "user:pass@", "/topic", "?", "#",
                "\r\n",
            ]
        ) { bytes in
            let text = text(bytes)
            if let address = try? MailAddress(text) { try hold(!"\(address)".utf8.contains { $0 == 10 || $0 == 13 }, text) }
            _ = MQTTAddress(text)
        },
    ]
}
