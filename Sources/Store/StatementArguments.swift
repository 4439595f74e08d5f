internal import Foundation
internal import GRDB
internal import GRDBSQLite

/// Values for the parameters of a statement, in their order.
struct StatementArguments: ExpressibleByArrayLiteral {
    private(set) var values: [DatabaseValue]

    init(arrayLiteral elements: (any DatabaseValueConvertible)?...) { values = elements.map { $0?.databaseValue ?? .null } }
    init(_ values: some Sequence<some DatabaseValueConvertible>) { self.values = values.map(\.databaseValue) }
    init(_ values: [(any DatabaseValueConvertible)?]) { self.values = values.map { $0?.databaseValue ?? .null } }

    var count: Int { values.count }

    static func + (left: Self, right: Self) -> Self {
        var all = left
        all += right
        return all
    }

    static func += (left: inout Self, right: Self) { left.values += right.values }

    /// Binds all of them to a statement, which reads them until it is bound anew.
    func bind(to statement: OpaquePointer) -> CInt {
        for (index, value) in values.enumerated() {
            let code = value.bind(to: statement, at: CInt(index + 1))
            guard code == SQLITE_OK else { return code }
        }
        return SQLITE_OK
    }
}

extension DatabaseValue {
    /// Tells SQLite to make a copy.
    private static var isCopied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    fileprivate func bind(to statement: OpaquePointer, at index: CInt) -> CInt {
        switch storage {
        case .null: sqlite3_bind_null(statement, index)
        case .int64(let number): sqlite3_bind_int64(statement, index, number)
        case .double(let number): sqlite3_bind_double(statement, index, number)
        case .string(var text):
            text.withUTF8 { bytes in
                // An empty text has no address, and a null pointer would be NULL.
                bytes.baseAddress.map { start in
                    start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                        sqlite3_bind_text(statement, index, $0, CInt(bytes.count), Self.isCopied)
                    }
                } ?? sqlite3_bind_text(statement, index, "", 0, Self.isCopied)
            }
        case .blob(let data):
            data.withUnsafeBytes { bytes in
                bytes.isEmpty
                    ? sqlite3_bind_zeroblob(statement, index, 0)
                    : sqlite3_bind_blob(statement, index, bytes.baseAddress, CInt(bytes.count), Self.isCopied)
            }
        }
    }
}
