internal import CityModel
internal import GRDB

/// The ledger in a municipality's file that is not served from here: a backup, a copy, or the file itself. It is only read.
package struct LedgerArchive {
    private let queue: DatabaseQueue

    /// - Throws: `StoreError.notAMunicipality`; `cannotUse` for a file from before there were ledgers.
    package init(path: String) throws {
        try MunicipalityFile.checkIsMunicipality(path: path)
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        queue = try DatabaseQueue(path: path, configuration: configuration)
        guard try queue.read({ try $0.tableExists("ledger_entry") }) else { throw StoreError.cannotUse(path: path, reason: "it has no ledger yet") }
    }

    /// Reads the checkpoints, then each act in its order, all of one moment.
    /// - Parameter body: is given the bytes of the leaf, and what it commits to unless that was erased.
    package func read<Value>(
        _ begin: ([CheckpointRow]) throws -> Value, _ body: (inout Value, [UInt8], LedgerText?) throws -> Void
    ) throws -> Value {
        try queue.read { db in
            let terms = try TermTable(db)
            let snapshot = ReadSnapshot(db: db, terms: terms, decoders: DecoderPool(terms: terms), vault: .none)
            var value = try begin(try snapshot.checkpoints())
            let cursor = try snapshot.rows("SELECT leaf, salt, entry FROM ledger_entry ORDER BY position")
            while let row = try cursor.next() {
                var text: LedgerText?
                if let salt = try row.bytes(atIndex: 1), let entry = try row.bytes(atIndex: 2) { text = LedgerText(salt: salt, entry: entry) }
                try body(&value, try row.bytes(atIndex: 0) ?? [], text)
            }
            return value
        }
    }
}
