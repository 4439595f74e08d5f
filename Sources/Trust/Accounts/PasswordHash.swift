internal import CryptoExtras
internal import Foundation

/// How much work a password costs whoever tries it (scrypt, RFC 7914): 128 × 2^`rounds` × `blockSize` bytes of memory, `parallelism` times.
package struct PasswordCost: Hashable, Sendable {
    package var roundsExponent: Int
    package var blockSize: Int
    package var parallelism: Int

    /// 128 MiB.
    package init(roundsExponent: Int = 17, blockSize: Int = 8, parallelism: Int = 1) {
        (self.roundsExponent, self.blockSize, self.parallelism) = (roundsExponent, blockSize, parallelism)
    }

    /// Whether a hash with this cost is one that this program would compute.
    var isBounded: Bool {
        (1...20).contains(roundsExponent) && (1...32).contains(blockSize) && (1...4).contains(parallelism)
            && (128 << roundsExponent) * blockSize * parallelism <= 512 << 20
    }
}

/// The hash of a password with all that is needed to check one: `$scrypt$ln=17,r=8,p=1$salt$hash`, both in base64 without padding (the PHC
/// string format).
package struct PasswordHash: Hashable, Sendable {
    let cost: PasswordCost
    let salt: [UInt8]
    let key: [UInt8]

    private static let (saltByteCount, keyByteCount) = (16, 32)

    /// - Parameter password: not empty.
    init(of password: String, cost: PasswordCost) throws {
        let salt = Secret.bytes(Self.saltByteCount)
        self.init(cost: cost, salt: salt, key: try Self.derive(password, cost, salt))
    }

    /// One that no password has, and that costs as much as any to find that out.
    static func decoy(cost: PasswordCost) -> PasswordHash {
        PasswordHash(cost: cost, salt: Secret.bytes(saltByteCount), key: Secret.bytes(keyByteCount))
    }

    private init(cost: PasswordCost, salt: [UInt8], key: [UInt8]) { (self.cost, self.salt, self.key) = (cost, salt, key) }

    /// Nil for what is no such hash, or would cost more than this program spends on one.
    package init?(_ text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt", let cost = Self.cost(parts[2]), cost.isBounded,
            let salt = Base64.standard.decode(parts[3]), (8...64).contains(salt.count), let key = Base64.standard.decode(parts[4]),
            (16...64).contains(key.count)
        else { return nil }
        self.init(cost: cost, salt: salt, key: key)
    }

    package var text: String {
        "$scrypt$ln=\(cost.roundsExponent),r=\(cost.blockSize),p=\(cost.parallelism)$\(Base64.standard.encode(salt))$\(Base64.standard.encode(key))"
    }

    /// Takes the same time for a right password and a wrong one.
    func matches(_ password: String) -> Bool {
        guard let derived = try? Self.derive(password.isEmpty ? "\u{0}" : password, cost, salt, byteCount: key.count) else { return false }
        return Secret.areEqual(derived, key) && !password.isEmpty
    }

    private static func cost(_ text: Substring) -> PasswordCost? {
        var values: [Int] = []
        for (name, part) in zip(["ln=", "r=", "p="], text.split(separator: ",", omittingEmptySubsequences: false)) {
            guard part.hasPrefix(name), let value = Int(part.dropFirst(name.count)), String(value) == part.dropFirst(name.count) else { return nil }
            values.append(value)
        }
        guard values.count == 3, text.count(where: { $0 == "," }) == 2 else { return nil }
        return PasswordCost(roundsExponent: values[0], blockSize: values[1], parallelism: values[2])
    }

    /// Composed characters and their compatible forms count as one: a password is the same on every keyboard (NIST SP 800-63B, 3.1.1.2).
    static func derive(_ password: String, _ cost: PasswordCost, _ salt: [UInt8], byteCount: Int = keyByteCount) throws -> [UInt8] {
        let bytes = Array(password.precomposedStringWithCompatibilityMapping.utf8)
        return try KDF.Scrypt.deriveKey(
            from: bytes, salt: salt, outputByteCount: byteCount, rounds: 1 << cost.roundsExponent, blockSize: cost.blockSize,
            parallelism: cost.parallelism
        ).withUnsafeBytes { Array($0) }
    }
}
