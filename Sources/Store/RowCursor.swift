internal import Foundation
internal import GRDB
internal import GRDBSQLite

/// The rows that a statement yields, one after the other. The statement is the connection's own for this SQL, or another where that is
/// in use; it is free again with the last row, or when nobody holds the cursor or a row of it any more.
///
/// Rows are read in place: what GRDB makes of each (a copy, its columns by name) takes longer than the look-up does.
final class RowCursor {
    private let db: Database
    private let statement: Statement
    fileprivate let handle: OpaquePointer
    /// Whether the first row was found and not been given yet.
    private var isWaiting = false
    private var isDone = false

    /// Finds the first row.
    init(_ db: Database, _ sql: String, _ arguments: StatementArguments) throws {
        self.db = db
        statement = try db.freeStatement(sql)
        handle = statement.sqliteStatement
        try statement.expect(arguments.count)
        let code = arguments.bind(to: handle)
        guard code == SQLITE_OK else { throw db.fault(code, of: statement) }
        isWaiting = try step()
    }

    deinit { if !isDone { sqlite3_reset(handle) } }

    /// The next row, which takes the place of the one before.
    func next() throws -> Row? {
        guard !isDone else { return nil }
        if isWaiting { isWaiting = false } else if try !step() { return nil }
        return Row(self)
    }

    private func step() throws -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        isDone = true
        let error = code == SQLITE_DONE ? nil : db.fault(code, of: statement)
        sqlite3_reset(handle)
        if let error { throw error }
        return false
    }

}

extension Database {
    /// Runs a statement that yields nothing, with values that are put into no list on their way: for what runs with every change.
    func run<each Value: Bindable>(_ sql: String, _ values: repeat each Value) throws {
        try run(sql) { binder in
            for value in repeat each values { binder.bind(value) }
        }
    }

    /// - Parameter bind: binds a value to each parameter.
    func run(_ sql: String, bind: (inout ValueBinder) throws -> Void) throws {
        let statement = try freeStatement(sql)
        let handle = statement.sqliteStatement
        var binder = ValueBinder(handle)
        try bind(&binder)
        try statement.expect(binder.count)
        var code = binder.code
        guard code == SQLITE_OK else { throw fault(code, of: statement) }
        repeat { code = sqlite3_step(handle) } while code == SQLITE_ROW
        let error = code == SQLITE_DONE ? nil : fault(code, of: statement)
        sqlite3_reset(handle)
        if let error { throw error }
    }

    /// The connection's own statement for this SQL, or another where that is in use.
    fileprivate func freeStatement(_ sql: String) throws -> Statement {
        let known = try cachedStatement(sql: sql)
        let statement = sqlite3_stmt_busy(known.sqliteStatement) == 0 ? known : try makeStatement(sql: sql)
        // Some faults end a transaction: what follows would be kept one by one.
        let isLoose = sqlite3_stmt_readonly(statement.sqliteStatement) == 0 && sqlite3_get_autocommit(sqliteConnection) != 0
        guard !isLoose else { throw DatabaseError(resultCode: .SQLITE_ABORT, message: "the transaction was rolled back", sql: sql) }
        return statement
    }

    fileprivate func fault(_ code: CInt, of statement: Statement) -> any Error {
        // Nobody interrupts a statement but whoever asked for it.
        if code == SQLITE_INTERRUPT { return CancellationError() }
        return DatabaseError(resultCode: ResultCode(rawValue: code), message: sqliteConnection.flatMap(sqlite3_errmsg).map { String(cString: $0) }, sql: statement.sql)
    }
}

extension Statement {
    /// - Throws: for another number of parameters than there are values, which would run with what was bound before.
    fileprivate func expect(_ valueCount: Int) throws {
        guard sqlite3_bind_parameter_count(sqliteStatement) == CInt(valueCount) else {
            throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "\(valueCount) arguments", sql: sql)
        }
    }
}

/// A row of a cursor, to be read before the next is asked for.
struct Row {
    private let cursor: RowCursor

    fileprivate init(_ cursor: RowCursor) { self.cursor = cursor }

    /// - Throws: `CorruptRow` for a value of another type.
    func decode<Value: ColumnValue>(_ type: Value.Type, atIndex index: Int) throws -> Value {
        try withExtendedLifetime(cursor) { try Value.read(cursor.handle, CInt(index)) }
    }

    /// The bytes of a text or a blob, to be read while `body` runs; nil for NULL.
    func withUnsafeData<Value>(atIndex index: Int, _ body: (UnsafeRawBufferPointer?) throws -> Value) throws -> Value {
        try withExtendedLifetime(cursor) {
            guard sqlite3_column_type(cursor.handle, CInt(index)) != SQLITE_NULL else { return try body(nil) }
            let start = sqlite3_column_blob(cursor.handle, CInt(index))
            return try body(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(cursor.handle, CInt(index)))))
        }
    }
}

/// What can be read from a column.
protocol ColumnValue { static func read(_ statement: OpaquePointer, _ index: CInt) throws -> Self }

extension Optional: ColumnValue where Wrapped: ColumnValue {
    static func read(_ statement: OpaquePointer, _ index: CInt) throws -> Self {
        sqlite3_column_type(statement, index) == SQLITE_NULL ? nil : try Wrapped.read(statement, index)
    }
}

extension Int64: ColumnValue {
    static func read(_ statement: OpaquePointer, _ index: CInt) throws -> Self {
        guard sqlite3_column_type(statement, index) == SQLITE_INTEGER else { throw CorruptRow(statement, index, "no whole number") }
        return sqlite3_column_int64(statement, index)
    }
}

extension Int: ColumnValue {
    static func read(_ statement: OpaquePointer, _ index: CInt) throws -> Self { Int(try Int64.read(statement, index)) }
}

extension Bool: ColumnValue {
    static func read(_ statement: OpaquePointer, _ index: CInt) throws -> Self { try Int64.read(statement, index) != 0 }
}

extension Double: ColumnValue {
    static func read(_ statement: OpaquePointer, _ index: CInt) throws -> Self {
        switch sqlite3_column_type(statement, index) {
        case SQLITE_FLOAT, SQLITE_INTEGER: return sqlite3_column_double(statement, index)
        default: throw CorruptRow(statement, index, "no number")
        }
    }
}

extension String: ColumnValue {
    static func read(_ statement: OpaquePointer, _ index: CInt) throws -> Self {
        guard sqlite3_column_type(statement, index) == SQLITE_TEXT, let start = sqlite3_column_text(statement, index) else {
            throw CorruptRow(statement, index, "no text")
        }
        return String(decoding: UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, index))), as: UTF8.self)
    }
}

extension Data: ColumnValue {
    static func read(_ statement: OpaquePointer, _ index: CInt) throws -> Self {
        guard sqlite3_column_type(statement, index) == SQLITE_BLOB else { throw CorruptRow(statement, index, "no bytes") }
        let count = Int(sqlite3_column_bytes(statement, index))
        return sqlite3_column_blob(statement, index).map { Data(bytes: $0, count: count) } ?? Data()
    }
}

extension DatabaseValue: ColumnValue {
    static func read(_ statement: OpaquePointer, _ index: CInt) throws -> Self {
        switch sqlite3_column_type(statement, index) {
        case SQLITE_INTEGER: sqlite3_column_int64(statement, index).databaseValue
        case SQLITE_FLOAT: sqlite3_column_double(statement, index).databaseValue
        case SQLITE_TEXT: try String.read(statement, index).databaseValue
        case SQLITE_BLOB: try Data.read(statement, index).databaseValue
        default: .null
        }
    }
}

extension CorruptRow {
    fileprivate init(_ statement: OpaquePointer, _ index: CInt, _ reason: String) {
        let table = sqlite3_column_table_name(statement, index).map { String(cString: $0) } ?? ""
        let column = sqlite3_column_name(statement, index).map { String(cString: $0) } ?? "\(index)"
        self.init(table: table, reason: "\(column): \(reason)")
    }
}
