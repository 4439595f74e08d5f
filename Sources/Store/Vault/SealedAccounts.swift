internal import CityModel
internal import GRDB
internal import OrderedCollections

/// Accounts as the file keeps them: what somebody is called and signs in with is sealed with a key of theirs, so that it goes with that key, in
/// backups too.
extension WriteTransaction {
    /// What of an account is not for whoever gets hold of the file.
    func seal(_ account: AccountRecord) throws -> (login: String, key: KeyID, personal: [UInt8]) {
        let key = try vault.key(of: AccountTable.subject(account.id))
        let personal: JSON = ["login": .string(account.login), "name": .string(account.name)]
        return (try vault.digest(ofLogin: account.login), key.id, try SealedBytes.seal(Array(personal.description.utf8), with: key))
    }

    /// Seals accounts of a version that did not.
    /// - Returns: whether there were any.
    func sealPlainAccounts() throws -> Bool {
        let cursor = try rows("SELECT \(AccountTable.columns) FROM account WHERE key IS NULL")
        var plain: [AccountRecord] = []
        while let row = try cursor.next() { plain.append(try AccountRecord(row)) }
        for account in plain { try put(account) }
        return !plain.isEmpty
    }

    /// Removes the accounts of those whose keys are destroyed.
    func purgeAccounts(_ keys: [KeyID]) throws {
        for key in keys { try execute("DELETE FROM account WHERE key = ?", [key.blob]) }
    }
}

extension AccountTable {
    /// What an account is called as the one whom entities are about (`dataSubject`).
    static func subject(_ account: String) -> String { "account:\(account)" }
}
