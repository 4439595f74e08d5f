internal import GRDB
internal import GRDBSQLite

extension Database {
    /// Runs `body` in a transaction that is begun and committed by statements that stay compiled, as those of GRDB's `inTransaction` do not.
    func transact(_ body: () throws -> Void) throws {
        try cachedStatement(sql: "BEGIN IMMEDIATE TRANSACTION").execute()
        do {
            try body()
            try cachedStatement(sql: "COMMIT TRANSACTION").execute()
        } catch {
            // Some faults have ended it already.
            if isInsideTransaction { try rollback() }
            throw error
        }
    }

    /// Runs `body` inside a savepoint of the transaction. Its statements stay compiled, as those of GRDB's `inSavepoint` do not.
    /// - Parameter body: returns whether what it did is kept; when it throws, it is not.
    func attempt(_ body: () throws -> Bool) throws {
        try perform("SAVEPOINT attempt")
        let isKept = Result(catching: body)
        if case .success(true) = isKept { return try perform("RELEASE attempt") }
        // Some faults end the whole transaction, and with it the savepoint: who wrote it hears of that at its end.
        if sqlite3_get_autocommit(sqliteConnection) == 0 {
            try perform("ROLLBACK TO attempt")
            try perform("RELEASE attempt")
        }
        _ = try isKept.get()
    }

    private func perform(_ sql: String) throws { while try RowCursor(self, sql, []).next() != nil {} }
}
