internal import GRDB
internal import GRDBSQLite

/// Rows of one table that are inserted by as few statements as can be: a third of what a row takes is the beginning and the end of its statement.
///
/// A row that can't be inserted fails its statement, and those before it stay: whoever inserts undoes what he did so far, as every write does that throws. So
/// SQLite need not keep what each statement changes, which takes as long as is saved.
struct RowInsertion {
    /// For one row, for two and so on.
    private let statements: [String]

    private static let rowCountMax = 8

    /// - Parameter table: its name with those of the columns, as SQL has them.
    init(into table: String, columnCount: Int) {
        let row = "(" + Array(repeating: "?", count: columnCount).joined(separator: ", ") + ")"
        statements = (1...Self.rowCountMax).map { "INSERT OR FAIL INTO \(table) VALUES " + Array(repeating: row, count: $0).joined(separator: ", ") }
    }

    /// - Parameter bind: binds the values of a row, in the order of the columns.
    func insert<Row>(_ rows: [Row], _ db: Database, bind: (Row, inout ValueBinder) throws -> Void) throws {
        var rest = rows[...]
        while !rest.isEmpty {
            let some = rest.prefix(Self.rowCountMax)
            rest = rest.dropFirst(some.count)
            try db.run(statements[some.count - 1]) { values in
                for row in some { try bind(row, &values) }
            }
        }
    }
}

/// Binds values to the parameters of a statement, one after the other.
struct ValueBinder {
    private let statement: OpaquePointer
    private(set) var count = 0
    private(set) var code = SQLITE_OK

    init(_ statement: OpaquePointer) { self.statement = statement }

    mutating func bind(_ value: some Bindable) {
        count += 1
        if code == SQLITE_OK { code = value.bind(to: statement, at: CInt(count)) }
    }
}
