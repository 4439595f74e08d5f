internal import CityModel
internal import Crypto

/// The secret of an authenticator app as the municipality's file keeps it: sealed (AES-GCM) with a key that lies outside of the file, for this account of this
/// municipality. Files of earlier versions have it as it is; it is sealed when it is first used.
struct SealedSecret {
    private let key: SymmetricKey
    private let context: [UInt8]

    /// - Parameter personal: the municipality's key for what is personal. A key for this use alone is derived from it.
    init(personal: [UInt8], municipality: MunicipalityName, account: String) {
        let info = Array("conurb second factor 1".utf8)
        key = HKDF<SHA256>.deriveKey(inputKeyMaterial: SymmetricKey(data: personal), info: info, outputByteCount: 32)
        context = Array("\(municipality.city.text)\n\(account)".utf8)
    }

    static func isSealed(_ stored: [UInt8]) -> Bool { stored.count > OneTimeCode.secretByteCount }

    func seal(_ secret: [UInt8]) throws -> [UInt8] {
        guard let combined = try AES.GCM.seal(secret, using: key, authenticating: context).combined else {
            throw CityError.internalFault("the secret of a second factor can't be sealed")
        }
        return Array(combined)
    }

    /// - Throws: `internalFault` for what was sealed with another key, or for another account.
    func open(_ stored: [UInt8]) throws -> [UInt8] {
        guard Self.isSealed(stored) else { return stored }
        guard let box = try? AES.GCM.SealedBox(combined: stored), let secret = try? AES.GCM.open(box, using: key, authenticating: context) else {
            throw CityError.internalFault("the secret of a second factor was sealed with another key than the one in the folder of keys")
        }
        return Array(secret)
    }
}
