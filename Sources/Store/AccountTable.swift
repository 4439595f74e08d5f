package import CityModel
internal import GRDB

/// Who can sign in to a municipality, and what proves it. Secrets that a person knows are kept as hashes; the secret of one-time codes
/// has to be known to check them.
enum AccountTable {
    static let schema = """
        CREATE TABLE account (
            id TEXT PRIMARY KEY,
            login TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            language TEXT,
            roles TEXT NOT NULL,
            ends_us INTEGER,
            disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
            password TEXT,
            code_secret BLOB,
            code_step INTEGER NOT NULL,
            created_us INTEGER NOT NULL,
            signed_in_us INTEGER
        ) WITHOUT ROWID, STRICT;

        CREATE TABLE account_link (
            issuer TEXT NOT NULL,
            subject TEXT NOT NULL,
            account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            PRIMARY KEY (issuer, subject)
        ) WITHOUT ROWID, STRICT;
        CREATE INDEX account_link_account ON account_link (account);

        CREATE TABLE account_secret (
            digest TEXT PRIMARY KEY,
            account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            purpose TEXT NOT NULL CHECK (purpose IN ('invitation', 'recovery')),
            expires_us INTEGER
        ) WITHOUT ROWID, STRICT;
        CREATE INDEX account_secret_account ON account_secret (account, purpose);

        CREATE TABLE session (
            digest TEXT PRIMARY KEY,
            account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            waits_for_code INTEGER NOT NULL CHECK (waits_for_code IN (0, 1)),
            created_us INTEGER NOT NULL,
            used_us INTEGER NOT NULL,
            agent TEXT NOT NULL
        ) WITHOUT ROWID, STRICT;
        CREATE INDEX session_account ON session (account);
        CREATE INDEX session_used ON session (used_us);
        """

    /// Migration `0020-sealed-accounts`: who somebody is lies in `personal`, sealed with a key of theirs, and `login` holds what only whoever has the
    /// municipality's keys can tell a login by (`SealedAccounts`).
    static let sealed = """
        ALTER TABLE account ADD COLUMN key BLOB;
        ALTER TABLE account ADD COLUMN personal BLOB;
        CREATE INDEX account_key ON account (key) WHERE key IS NOT NULL;
        """

    static let columns = """
        account.id, login, name, language, roles, ends_us, disabled, password, code_secret, code_step, account.created_us, signed_in_us,
        \(Opened.bytes("personal"))
        """
}

/// An account of a municipality.
package struct AccountRecord: Hashable, Sendable {
    package let id: String
    /// An e-mail address or a user name, in small letters. No two accounts of a municipality have the same.
    package var login: String
    /// What the person or the department is called.
    package var name: String
    /// The code of a language of the pages.
    package var language: String?
    package var roles: [String]
    /// From when on it counts for nothing.
    package var endsAt: Instant?
    package var isDisabled = false
    /// A hash with its parameters; nil until one is set.
    package var password: String?
    /// The shared secret of one-time codes; nil without a second factor.
    package var codeSecret: [UInt8]?
    /// The step of the last code that was used: it and those before it are not taken again.
    package var codeStep: Int64 = 0
    package let createdAt: Instant
    package var signedInAt: Instant?

    package init(id: String, login: String, name: String, roles: [String], endsAt: Instant? = nil, createdAt: Instant) {
        (self.id, self.login, self.name, self.roles, self.endsAt, self.createdAt) = (id, login, name, roles, endsAt, createdAt)
    }
}

/// A session: somebody who signed in, on one device.
package struct SessionRecord: Hashable, Sendable {
    /// The digest of what the device holds. Names the session in lists too.
    package let digest: String
    package let account: String
    /// Whether the password was right and the code of the second factor is still to come. Such a session allows nothing else.
    package let waitsForCode: Bool
    package let createdAt: Instant
    package let usedAt: Instant
    /// What the browser called itself, shortened.
    package let agent: String

    package init(digest: String, account: String, waitsForCode: Bool, createdAt: Instant, agent: String) {
        (self.digest, self.account, self.waitsForCode, self.createdAt, usedAt, self.agent) = (digest, account, waitsForCode, createdAt, createdAt, agent)
    }
}

/// What a secret that is kept beside an account is good for. Raw values are stored and never change.
package enum AccountSecretPurpose: String, Sendable { case invitation, recovery }

extension ReadSnapshot {
    /// All accounts, by login.
    package func accounts() throws -> [AccountRecord] {
        let cursor = try rows("SELECT \(AccountTable.columns) FROM account")
        var records: [AccountRecord] = []
        while let row = try cursor.next() { records.append(try AccountRecord(row)) }
        return records.sorted { $0.login < $1.login }
    }

    package func account(_ id: String) throws -> AccountRecord? {
        try row("SELECT \(AccountTable.columns) FROM account WHERE id = ?", [id]).map { try AccountRecord($0) }
    }

    package func account(login: String) throws -> AccountRecord? {
        try row("SELECT \(AccountTable.columns) FROM account WHERE login = ?", [vault.digest(ofLogin: login)]).map { try AccountRecord($0) }
    }

    /// The account that a subject of an identity provider signs in to.
    package func account(issuer: String, subject: String) throws -> AccountRecord? {
        try row(
            "SELECT \(AccountTable.columns) FROM account_link JOIN account ON account.id = account_link.account WHERE issuer = ? AND subject = ?",
            [issuer, subject]
        ).map { try AccountRecord($0) }
    }

    /// Whose invitation or recovery code a secret with this digest is, unless its time has passed.
    package func account(secret digest: String, _ purpose: AccountSecretPurpose, at now: Instant) throws -> AccountRecord? {
        try row(
            """
            SELECT \(AccountTable.columns) FROM account_secret JOIN account ON account.id = account_secret.account
            WHERE digest = ? AND purpose = ? AND ifnull(expires_us > ?, 1)
            """, [digest, purpose.rawValue, now.microseconds]
        ).map { try AccountRecord($0) }
    }

    package func secretCount(of account: String, _ purpose: AccountSecretPurpose) throws -> Int {
        try row("SELECT count(*) FROM account_secret WHERE account = ? AND purpose = ?", [account, purpose.rawValue])?.decode(Int.self, atIndex: 0) ?? 0
    }

    package func session(_ digest: String) throws -> SessionRecord? {
        try row("SELECT digest, account, waits_for_code, created_us, used_us, agent FROM session WHERE digest = ?", [digest]).map(SessionRecord.init)
    }

    /// The sessions of an account, the one used last first.
    package func sessions(of account: String) throws -> [SessionRecord] {
        let cursor = try rows(
            "SELECT digest, account, waits_for_code, created_us, used_us, agent FROM session WHERE account = ? ORDER BY used_us DESC, digest", [account])
        var records: [SessionRecord] = []
        while let row = try cursor.next() { records.append(try SessionRecord(row)) }
        return records
    }
}

extension WriteTransaction {
    /// Puts an account in place of the one with its identifier, if there is one.
    package func put(_ account: AccountRecord) throws {
        let sealed = try seal(account)
        try execute(
            """
            INSERT INTO account (id, login, name, language, roles, ends_us, disabled, password, code_secret, code_step, created_us, signed_in_us, key, personal)
            VALUES (?, ?, '', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET
                login = excluded.login, name = excluded.name, language = excluded.language, roles = excluded.roles, ends_us = excluded.ends_us,
                disabled = excluded.disabled, password = excluded.password, code_secret = excluded.code_secret, code_step = excluded.code_step,
                signed_in_us = excluded.signed_in_us, key = excluded.key, personal = excluded.personal
            """,
            [
                account.id, sealed.login, account.language, account.roles.joined(separator: " "), account.endsAt?.microseconds,
                account.isDisabled ? 1 : 0, account.password, account.codeSecret?.databaseBlob, account.codeStep, account.createdAt.microseconds,
                account.signedInAt?.microseconds, sealed.key.blob, sealed.personal.databaseBlob,
            ])
    }

    /// - Returns: whether there was one.
    package func removeAccount(_ id: String) throws -> Bool {
        try execute("DELETE FROM account WHERE id = ?", [id])
        return db.changesCount > 0
    }

    package func link(_ account: String, issuer: String, subject: String) throws {
        try execute("INSERT INTO account_link (issuer, subject, account) VALUES (?, ?, ?)", [issuer, subject, account])
    }

    package func putSecret(_ digest: String, of account: String, _ purpose: AccountSecretPurpose, until: Instant? = nil) throws {
        try execute(
            "INSERT INTO account_secret (digest, account, purpose, expires_us) VALUES (?, ?, ?, ?)",
            [digest, account, purpose.rawValue, until?.microseconds])
    }

    /// - Returns: whether there was one: whoever comes second finds none.
    package func removeSecret(_ digest: String) throws -> Bool {
        try execute("DELETE FROM account_secret WHERE digest = ?", [digest])
        return db.changesCount > 0
    }

    package func removeSecrets(of account: String, _ purpose: AccountSecretPurpose) throws {
        try execute("DELETE FROM account_secret WHERE account = ? AND purpose = ?", [account, purpose.rawValue])
    }

    /// Removes sessions that nobody can use any more, and keeps of one account the `countMax` used last, with this one.
    package func put(_ session: SessionRecord, usedAfter: Instant, createdAfter: Instant, countMax: Int) throws {
        try execute("DELETE FROM session WHERE used_us < ? OR created_us < ?", [usedAfter.microseconds, createdAfter.microseconds])
        try execute(
            "DELETE FROM session WHERE digest IN (SELECT digest FROM session WHERE account = ? ORDER BY used_us DESC, digest LIMIT -1 OFFSET ?)",
            [session.account, countMax - 1])
        try execute(
            "INSERT INTO session (digest, account, waits_for_code, created_us, used_us, agent) VALUES (?, ?, ?, ?, ?, ?)",
            [
                session.digest, session.account, session.waitsForCode ? 1 : 0, session.createdAt.microseconds, session.usedAt.microseconds, session.agent,
            ])
    }

    package func noteUse(ofSession digest: String, at now: Instant) throws {
        try execute("UPDATE session SET used_us = ? WHERE digest = ?", [now.microseconds, digest])
    }

    /// - Returns: whether there was one.
    package func removeSession(_ digest: String) throws -> Bool {
        try execute("DELETE FROM session WHERE digest = ?", [digest])
        return db.changesCount > 0
    }

    /// - Parameter kept: the digest of the one that stays.
    package func removeSessions(of account: String, but kept: String? = nil) throws {
        try execute("DELETE FROM session WHERE account = ? AND digest IS NOT ?", [account, kept])
    }
}

extension AccountRecord {
    init(_ row: Row) throws {
        id = try row.decode(String.self, atIndex: 0)
        // Plain in files of before, until they are opened; without the key of whom it is, nobody.
        let personal = try row.bytes(atIndex: 12).map { try JSON(parsing: $0) }
        login = try personal?["login"]?.stringValue ?? row.decode(String.self, atIndex: 1)
        name = try personal?["name"]?.stringValue ?? row.decode(String.self, atIndex: 2)
        language = try row.decode(String?.self, atIndex: 3)
        roles = try row.decode(String.self, atIndex: 4).split(separator: " ").map(String.init)
        endsAt = try row.decode(Int64?.self, atIndex: 5).map { Instant(microseconds: $0) }
        isDisabled = try row.decode(Int64.self, atIndex: 6) == 1
        password = try row.decode(String?.self, atIndex: 7)
        codeSecret = try row.withUnsafeData(atIndex: 8) { data in data.map { Array($0) } }
        codeStep = try row.decode(Int64.self, atIndex: 9)
        createdAt = Instant(microseconds: try row.decode(Int64.self, atIndex: 10))
        signedInAt = try row.decode(Int64?.self, atIndex: 11).map { Instant(microseconds: $0) }
    }
}

extension SessionRecord {
    fileprivate init(_ row: Row) throws {
        digest = try row.decode(String.self, atIndex: 0)
        account = try row.decode(String.self, atIndex: 1)
        waitsForCode = try row.decode(Int64.self, atIndex: 2) == 1
        createdAt = Instant(microseconds: try row.decode(Int64.self, atIndex: 3))
        usedAt = Instant(microseconds: try row.decode(Int64.self, atIndex: 4))
        agent = try row.decode(String.self, atIndex: 5)
    }
}
