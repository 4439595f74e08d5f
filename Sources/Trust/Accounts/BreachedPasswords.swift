internal import Crypto
internal import Foundation

/// Passwords that became known, in a file of one line each: the SHA-1 of a password in hexadecimal, `:`, how often it was seen; in order of the
/// hashes. That is what Have I Been Pwned publishes, some 40 GB, of which a look-up reads some thousand bytes.
struct BreachedPasswords: Sendable {
    let path: String

    /// A line is 40 digits, a colon and a count of 10 digits at most.
    private static let lineByteCountMax: UInt64 = 64

    /// The file can't be used: it is not there, or it has a line that is none of such a list.
    struct Unusable: Error, CustomStringConvertible {
        let path: String
        var description: String { "\(path) is no list of SHA-1 hashes in order, one a line" }
    }

    func contains(_ password: String) throws -> Bool {
        let wanted = Array(Self.sha1(password).utf8)
        guard let file = FileHandle(forReadingAtPath: path) else { throw Unusable(path: path) }
        defer { try? file.close() }
        var (low, high) = (UInt64(0), try file.seekToEnd())
        // Lines that begin at `low` or later and before `high` are left.
        while low < high {
            let middle = low + (high - low) / 2
            guard let (start, next, hash) = try line(atOrAfter: middle, low, file), start < high else {
                high = middle
                continue
            }
            if hash == wanted { return true }
            if hash.lexicographicallyPrecedes(wanted) { low = next } else { high = min(middle, start) }
        }
        return false
    }

    /// Whether the file is there and begins as such a list does.
    func check() throws {
        guard let file = FileHandle(forReadingAtPath: path) else { throw Unusable(path: path) }
        defer { try? file.close() }
        guard try line(atOrAfter: 0, 0, file) != nil else { throw Unusable(path: path) }
    }

    /// In capital hexadecimal digits. SHA-1 is what such lists are written in; nothing here rests on its strength.
    static func sha1(_ password: String) -> String {
        let bytes = Insecure.SHA1.hash(data: Array(password.utf8)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    /// The first line that begins at `place` or after it; nil when there is none.
    /// - Parameter begin: where a line is known to begin.
    private func line(atOrAfter place: UInt64, _ begin: UInt64, _ file: FileHandle) throws -> (start: UInt64, next: UInt64, hash: [UInt8])? {
        // A line begins after the end of another one; so the byte before is looked at too.
        let from = place > begin ? place - 1 : begin
        try file.seek(toOffset: from)
        let bytes = Array(try file.read(upToCount: Int(2 * Self.lineByteCountMax)) ?? Data())
        var rest = bytes[...]
        if place > begin {
            guard let end = rest.firstIndex(of: 0x0A) else {
                guard rest.count < Int(Self.lineByteCountMax) else { throw Unusable(path: path) }
                return nil
            }
            rest = rest[(end + 1)...]
        }
        guard !rest.isEmpty else { return nil }
        let hash = rest.prefix(40).map { $0 >= UInt8(ascii: "a") ? $0 - 32 : $0 }
        let isHash = hash.count == 40 && hash.allSatisfy { (48...57).contains($0) || (65...70).contains($0) }
        guard isHash, rest.dropFirst(40).first.map({ $0 == UInt8(ascii: ":") || $0 == 0x0D || $0 == 0x0A }) ?? true else { throw Unusable(path: path) }
        let end = rest.firstIndex(of: 0x0A).map { $0 + 1 } ?? bytes.count
        return (from + UInt64(rest.startIndex), from + UInt64(end), hash)
    }
}
