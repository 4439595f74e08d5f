package import CityModel

/// What a case is called by people: eight digits and letters that sound and look different (Crockford's base 32), such as `K7QM2P4D`; 40 random bits, so that
/// nobody can count cases or tell which one comes next.
package struct CaseReference: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    private static let digits = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    static let count = 8

    package static func random(using generator: inout some RandomNumberGenerator) -> CaseReference {
        CaseReference(known: String((0..<count).map { _ in digits[Int.random(in: 0..<32, using: &generator)] }))
    }

    package static func random() -> CaseReference {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    private init(known text: String) { self.text = text }

    /// - Parameter text: as people write it: in small letters, with hyphens or spaces, with O for 0 and I or L for 1.
    package init?(_ text: String) {
        guard text.utf8.count <= 24 else { return nil }
        let written = text.uppercased().filter { $0 != "-" && $0 != " " }.map { Self.misread[$0] ?? $0 }
        guard written.count == Self.count, written.allSatisfy(Self.digits.contains) else { return nil }
        self.text = String(written)
    }

    private static let misread: [Character: Character] = ["O": "0", "I": "1", "L": "1"]

    /// In two halves, as it is read out.
    package var shown: String { "\(text.prefix(4))-\(text.suffix(4))" }
    package var description: String { text }

    package var request: IRI { CaseType.request.id(text) }
    package var file: IRI { CaseType.file.id(text) }
    package var dossier: IRI { CaseType.dossier.id(text) }
    /// How whoever reported it is reached.
    package var reporter: IRI { CaseType.contact.id(text) }
}
