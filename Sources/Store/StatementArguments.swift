internal import Foundation
internal import GRDB
internal import GRDBSQLite

/// Values for the parameters of a statement, in their order.
struct StatementArguments: ExpressibleByArrayLiteral {
    private(set) var values: [(any Bindable)?]

    init(arrayLiteral elements: (any Bindable)?...) { values = elements }
    init(_ values: some Sequence<some Bindable>) { self.values = values.map { $0 } }
    init(_ values: [(any Bindable)?]) { self.values = values }

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
            let code = value?.bind(to: statement, at: CInt(index + 1)) ?? sqlite3_bind_null(statement, CInt(index + 1))
            guard code == SQLITE_OK else { return code }
        }
        return SQLITE_OK
    }
}

/// What a parameter of a statement can be.
protocol Bindable {
    /// - Returns: SQLite's result code.
    func bind(to statement: OpaquePointer, at index: CInt) -> CInt
}

/// Tells SQLite to make a copy.
private var isCopied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

extension Int64: Bindable {
    func bind(to statement: OpaquePointer, at index: CInt) -> CInt { sqlite3_bind_int64(statement, index, self) }
}

extension Int: Bindable {
    func bind(to statement: OpaquePointer, at index: CInt) -> CInt { sqlite3_bind_int64(statement, index, Int64(self)) }
}

extension Bool: Bindable {
    func bind(to statement: OpaquePointer, at index: CInt) -> CInt { sqlite3_bind_int64(statement, index, self ? 1 : 0) }
}

extension Double: Bindable {
    func bind(to statement: OpaquePointer, at index: CInt) -> CInt { sqlite3_bind_double(statement, index, self) }
}

extension String: Bindable {
    func bind(to statement: OpaquePointer, at index: CInt) -> CInt {
        var text = self
        return text.withUTF8 { bytes in
            // An empty text has no address, and a null pointer would be NULL.
            bytes.baseAddress.map { start in
                start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                    sqlite3_bind_text(statement, index, $0, CInt(bytes.count), isCopied)
                }
            } ?? sqlite3_bind_text(statement, index, "", 0, isCopied)
        }
    }
}

extension Data: Bindable {
    func bind(to statement: OpaquePointer, at index: CInt) -> CInt { withUnsafeBytes { $0.bind(to: statement, at: index) } }
}

extension [UInt8]: Bindable {
    func bind(to statement: OpaquePointer, at index: CInt) -> CInt { withUnsafeBytes { $0.bind(to: statement, at: index) } }
}

extension UnsafeRawBufferPointer {
    fileprivate func bind(to statement: OpaquePointer, at index: CInt) -> CInt {
        isEmpty ? sqlite3_bind_zeroblob(statement, index, 0) : sqlite3_bind_blob(statement, index, baseAddress, CInt(count), isCopied)
    }
}

extension DatabaseValue: Bindable {
    func bind(to statement: OpaquePointer, at index: CInt) -> CInt {
        switch storage {
        case .null: sqlite3_bind_null(statement, index)
        case .int64(let number): number.bind(to: statement, at: index)
        case .double(let number): number.bind(to: statement, at: index)
        case .string(let text): text.bind(to: statement, at: index)
        case .blob(let data): data.bind(to: statement, at: index)
        }
    }
}

extension Optional: Bindable where Wrapped: Bindable {
    func bind(to statement: OpaquePointer, at index: CInt) -> CInt { self?.bind(to: statement, at: index) ?? sqlite3_bind_null(statement, index) }
}
