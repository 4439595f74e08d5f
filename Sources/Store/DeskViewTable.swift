package import CityModel
internal import GRDB

/// What members of staff call their narrowings of the queue of cases: one document for each account. It is theirs, and may name people: it is sealed with
/// their key, and gone with their account.
enum DeskViewTable {
    static let schema = """
        CREATE TABLE desk_views (
            account TEXT PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
            body BLOB NOT NULL
        ) WITHOUT ROWID, STRICT;
        """
}

extension ReadSnapshot {
    /// Nil for an account that has none.
    package func deskViews(of account: String) throws -> JSON? {
        guard let row = try row("SELECT body FROM desk_views WHERE account = ?", [account]) else { return nil }
        return try row.bytes(atIndex: 0).flatMap(vault.open).map { try JSON(parsing: $0) }
    }
}

extension WriteTransaction {
    /// - Parameter views: nil takes them away. The account is there.
    package func putDeskViews(_ views: JSON?, of account: String) throws {
        guard let views else { return try execute("DELETE FROM desk_views WHERE account = ?", [account]) }
        let sealed = try SealedBytes.seal(Array(views.description.utf8), with: vault.key(of: AccountTable.subject(account)))
        try execute(
            "INSERT INTO desk_views (account, body) VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET body = excluded.body", [account, sealed.databaseBlob])
    }
}
