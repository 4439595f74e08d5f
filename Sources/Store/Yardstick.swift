package import Foundation
internal import CityModel
internal import GRDBSQLite

/// What writes are measured by: what the disk takes to keep some bytes, and what SQLite itself takes to keep the same documents.
package enum Yardstick {
    package struct Inserts: Sendable {
        package let documentCount: Int
        package let seconds: Double
        /// Of the processor.
        package let processorSeconds: Double
    }

    private static let flushCount = 101, flushByteCount = 4096

    /// Inserts documents in one transaction, flushed to disk at its end. The table is made before the clock starts, and the key is the number of the document in 12
    /// digits: inserted in order, which is the cheapest for SQLite.
    /// - Parameter path: of a file that is not there yet.
    package static func insert(_ documents: [Data], at path: String) throws -> Inserts {
        var (database, insert) = (OpaquePointer?.none, OpaquePointer?.none)
        func check(_ code: CInt, _ good: CInt = SQLITE_OK) throws {
            guard code == good else { throw CityError.internalFault("\(path): \(String(cString: sqlite3_errmsg(database)))") }
        }
        defer {
            sqlite3_finalize(insert)
            sqlite3_close(database)
        }
        try check(sqlite3_open(path, &database))
        try check(sqlite3_exec(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", nil, nil, nil))
        try check(sqlite3_exec(database, "CREATE TABLE entity (identifier TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID", nil, nil, nil))
        try check(sqlite3_prepare_v2(database, "INSERT INTO entity VALUES (?, ?)", -1, &insert, nil))
        let (start, processorStart) = (ContinuousClock.now, processorSeconds)
        try check(sqlite3_exec(database, "BEGIN IMMEDIATE", nil, nil, nil))
        for (number, document) in documents.enumerated() {
            try document.withUnsafeBytes { bytes in
                var key = Self.key(number)
                try key.withUTF8 { key in
                    try check(sqlite3_bind_text(insert, 1, UnsafeRawPointer(key.baseAddress)?.assumingMemoryBound(to: CChar.self), CInt(key.count), nil))
                    try check(sqlite3_bind_text(insert, 2, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), CInt(bytes.count), nil))
                    try check(sqlite3_step(insert), SQLITE_DONE)
                    try check(sqlite3_reset(insert))
                }
            }
        }
        try check(sqlite3_exec(database, "COMMIT", nil, nil, nil))
        return Inserts(documentCount: documents.count, seconds: (ContinuousClock.now - start) / .seconds(1), processorSeconds: processorSeconds - processorStart)
    }

    private static func key(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 12 - digits.count)) + digits
    }

    private static var processorSeconds: Double {
        var now = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    /// The median of what appending 4,096 bytes to a file and flushing them takes.
    package static func flushMicroseconds(at path: String) throws -> Double {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { throw CityError.internalFault("\(path): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        let page = [UInt8](repeating: 0, count: flushByteCount)
        let times = try (0..<flushCount).map { _ in
            let start = ContinuousClock.now
            guard write(file, page, page.count) == page.count, fdatasync(file) == 0 else { throw CityError.internalFault("\(path): \(String(cString: strerror(errno)))") }
            return (ContinuousClock.now - start) / .microseconds(1)
        }
        return times.sorted()[flushCount / 2]
    }
}
