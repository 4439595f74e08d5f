/// A text and who signed it (C2SP signed-note). What it says counts only once `verify` has said who vouches for it.
public struct SignedNote: Hashable, Sendable {
    /// Ends with a line break.
    public let text: String
    public private(set) var signatures: [NoteSignature]

    /// The most signatures of one note: the specification asks for 16 at least.
    public static let signatureCountMax = 100
    public static let byteCountMax = 1 << 16

    /// - Throws: `malformed` for a text that a note can't have.
    public init(text: String) throws(LedgerError) {
        guard text.utf8.count <= Self.byteCountMax else { throw .malformed("a note has at most \(Self.byteCountMax) bytes") }
        guard text.utf8.last == Self.lineBreak, text.utf8.allSatisfy({ $0 >= 0x20 || $0 == Self.lineBreak }) else {
            throw .malformed("a note's text ends with a line break and has no other control characters")
        }
        (self.text, signatures) = (text, [])
    }

    /// - Throws: `malformed`.
    public init(parsing bytes: some Sequence<UInt8>) throws(LedgerError) {
        let bytes = Array(bytes.prefix(Self.byteCountMax + 1))
        guard bytes.count <= Self.byteCountMax else { throw .malformed("a note has at most \(Self.byteCountMax) bytes") }
        guard let whole = String(validating: bytes, as: UTF8.self) else { throw .malformed("the note is not UTF-8") }
        // The last empty line parts text and signatures: a text may have empty lines of its own.
        guard let end = bytes.indices.dropLast().last(where: { bytes[$0] == Self.lineBreak && bytes[$0 + 1] == Self.lineBreak }) else {
            throw .malformed("the note has no empty line before its signatures")
        }
        guard whole.utf8.last == Self.lineBreak, end + 2 < bytes.count else { throw .malformed("the note has no signature that ends with a line break") }
        try self.init(text: String(decoding: bytes[...end], as: UTF8.self))
        let lines = String(decoding: bytes[(end + 2)..<(bytes.count - 1)], as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count <= Self.signatureCountMax else { throw .malformed("the note has more than \(Self.signatureCountMax) signatures") }
        for line in lines { signatures.append(try NoteSignature(line: line)) }
    }

    private static let lineBreak = UInt8(ascii: "\n")

    /// Adds a signature, unless the same key has one there.
    public mutating func add(_ signature: NoteSignature) {
        if !signatures.contains(where: { $0.name == signature.name && $0.keyID == signature.keyID }) { signatures.append(signature) }
    }

    public var description: String { text + "\n" + signatures.map(\.line).joined() }

    /// Which of these keys signed it, each once, in the order of the signatures. Those of others are passed over.
    /// - Throws: `badSignature` when a signature that says it is by one of the keys is not, `notSigned` when none of them signed.
    public func verify(_ keys: [VerifierKey]) throws(LedgerError) -> [VerifiedSignature] {
        var verified: [VerifiedSignature] = []
        for signature in signatures {
            guard let key = keys.first(where: { $0.name == signature.name && $0.id == signature.keyID }) else { continue }
            guard let time = key.check(signature.bytes, over: text) else { throw .badSignature(name: key.name) }
            if !verified.contains(where: { $0.key == key }) { verified.append(VerifiedSignature(key: key, time: time)) }
        }
        guard !verified.isEmpty else { throw .notSigned }
        return verified
    }
}

/// A signature that was checked.
public struct VerifiedSignature: Hashable, Sendable {
    public let key: VerifierKey
    /// When a witness made it, in seconds since 1970; 0 for a signature without a time.
    public let time: UInt64
}

/// One signature line of a note.
public struct NoteSignature: Hashable, Sendable {
    /// The key's name.
    public let name: String
    public let keyID: UInt32
    public let bytes: [UInt8]

    public init(name: String, keyID: UInt32, bytes: [UInt8]) { (self.name, self.keyID, self.bytes) = (name, keyID, bytes) }

    /// - Parameter line: without its line break.
    /// - Throws: `malformed`.
    public init(line: some StringProtocol) throws(LedgerError) {
        let parts = line.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "\u{2014}", let decoded = Base64.decode(parts[2]), decoded.count >= 5 else {
            throw .malformed("a signature line is a dash, a name and base64, with a space between them")
        }
        guard KeyName.isValid(parts[1]) else { throw .malformed("the name of a key is not empty and has neither spaces nor +") }
        self.init(name: String(parts[1]), keyID: decoded[..<4].reduce(0) { $0 << 8 | UInt32($1) }, bytes: Array(decoded[4...]))
    }

    /// With its line break.
    public var line: String { "\u{2014} \(name) \(Base64.encode(KeyName.bytes(of: keyID) + bytes))\n" }
}

/// The names that keys of notes can have.
public enum KeyName {
    public static let byteCountMax = 255

    public static func isValid(_ text: some StringProtocol) -> Bool {
        (1...byteCountMax).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy { !$0.properties.isWhitespace && $0 != "+" && $0.value >= 0x20 && $0.value != 0x7F }
    }

    static func bytes(of id: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: id >> (24 - 8 * $0)) } }
}
