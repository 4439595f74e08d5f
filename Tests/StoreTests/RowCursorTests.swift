import Foundation
import GRDB
@testable import Store
import Testing

/// Rows that are read in place.
@Suite struct RowCursorTests {
    private static let kinds = """
        SELECT 7 AS whole, 2.5 AS number, 'schön' AS text, '' AS empty, x'00ff' AS bytes, x'' AS no_bytes, NULL AS missing
        """

    @Test func `values are what SQLite holds, and nothing is made of what is another kind`() async throws {
        let folder = try TemporaryStore()
        defer { withExtendedLifetime(folder) {} }
        try await folder.file().read { snapshot in
            let row = try #require(try snapshot.row(Self.kinds))
            #expect(try row.decode(Int64.self, atIndex: 0) == 7 && row.decode(Int.self, atIndex: 0) == 7 && row.decode(Bool.self, atIndex: 0))
            #expect(try row.decode(Double.self, atIndex: 0) == 7 && row.decode(Double.self, atIndex: 1) == 2.5)
            #expect(try row.decode(String.self, atIndex: 2) == "schön" && row.decode(String.self, atIndex: 3) == "")
            #expect(try row.decode(Data.self, atIndex: 4) == Data([0, 255]) && row.decode(Data.self, atIndex: 5).isEmpty)
            #expect(try row.decode(Int64?.self, atIndex: 6) == nil && row.decode(String?.self, atIndex: 2) == "schön")
            #expect(try row.withUnsafeData(atIndex: 4) { $0.map(Array.init) } == [0, 255])
            #expect(try row.withUnsafeData(atIndex: 6) { $0 == nil })
            let values = try (0..<7).map { try row.decode(DatabaseValue.self, atIndex: $0) }
            #expect(values.map(\.isNull) == [false, false, false, false, false, false, true])
            #expect(throws: CorruptRow.self) { try row.decode(Int64.self, atIndex: 1) }
            #expect(throws: CorruptRow.self) { try row.decode(Int64.self, atIndex: 6) }
            #expect(throws: CorruptRow.self) { try row.decode(String.self, atIndex: 0) }
            #expect(throws: CorruptRow.self) { try row.decode(Double.self, atIndex: 2) }
        }
    }

    @Test func `what is bound is what is read`() async throws {
        let folder = try TemporaryStore()
        defer { withExtendedLifetime(folder) {} }
        try await folder.file().read { snapshot in
            let values: [DatabaseValue] = [
                Int64.min.databaseValue, (-0.0).databaseValue, "".databaseValue, "a\u{0}b".databaseValue, Data().databaseValue,
                Data([0]).databaseValue, .null,
            ]
            let marks = values.map { _ in "?" }.joined(separator: ", ")
            let row = try #require(try snapshot.row("SELECT \(marks)", StatementArguments(values)))
            for (index, value) in values.enumerated() {
                #expect(try row.decode(DatabaseValue.self, atIndex: index) == value)
                #expect(try snapshot.row("SELECT typeof(?)", [value])?.decode(String.self, atIndex: 0) == ["integer", "real", "text", "text", "blob", "blob", "null"][index])
            }
            #expect(throws: DatabaseError.self) { try snapshot.row("SELECT ?", []) }
            #expect(throws: DatabaseError.self) { try snapshot.row("SELECT ?", [1, 2]) }
        }
    }

    @Test func `cursors of the same statement do not disturb each other`() async throws {
        let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n"
        let folder = try TemporaryStore()
        defer { withExtendedLifetime(folder) {} }
        try await folder.file().read { snapshot in
            var pairs: [[Int]] = []
            let outer = try snapshot.rows(sql)
            while let left = try outer.next() {
                let inner = try snapshot.rows(sql)
                while let right = try inner.next() { pairs.append([try left.decode(Int.self, atIndex: 0), try right.decode(Int.self, atIndex: 0)]) }
                #expect(try inner.next() == nil)
            }
            #expect(pairs == (1...3).flatMap { left in (1...3).map { [left, $0] } })
            // A row keeps its statement as long as it is held.
            let row = try #require(try snapshot.row(sql))
            #expect(try snapshot.row(sql)?.decode(Int.self, atIndex: 0) == 1)
            #expect(try row.decode(Int.self, atIndex: 0) == 1)
        }
    }

    @Test func `a fault says what SQLite says`() async throws {
        let folder = try TemporaryStore()
        defer { withExtendedLifetime(folder) {} }
        try await folder.file().write { transaction in
            try transaction.execute("INSERT INTO term (id, iri) VALUES (900, 'a:b')")
            let error = #expect(throws: DatabaseError.self) { try transaction.execute("INSERT INTO term (id, iri) VALUES (900, 'a:c')") }
            #expect(error?.resultCode == .SQLITE_CONSTRAINT && error?.message?.contains("UNIQUE") ?? false)
            try transaction.execute("INSERT INTO term (id, iri) VALUES (901, 'a:c')")
        }
    }

    @Test func `nothing is written after a fault that ended the transaction`() async throws {
        let folder = try TemporaryStore()
        defer { withExtendedLifetime(folder) {} }
        let file = try folder.file()
        await #expect(throws: (any Error).self) {
            try await file.write { transaction in
                // As SQLite does when a disk is full.
                #expect(throws: DatabaseError.self) {
                    try transaction.execute("INSERT OR ROLLBACK INTO term (id, iri) VALUES (900, 'a:b'), (900, 'a:c')")
                }
                let error = #expect(throws: DatabaseError.self) { try transaction.execute("INSERT INTO term (id, iri) VALUES (901, 'a:d')") }
                #expect(error?.resultCode == .SQLITE_ABORT)
            }
        }
        #expect(try await file.read { try $0.row("SELECT 1 FROM term WHERE id >= 900") == nil })
    }
}
