internal import Crypto
internal import Foundation
internal import GRDB

/// Opens what is sealed for the statements of one connection, as SQL functions:
///
/// - `opened(bytes)`: a document, a chunk, summaries;
/// - `opened_value(value)`, `opened_unit(value)`, `opened_rest(value)`: what a sealed record holds.
///
/// Each is NULL where the key is gone. They are asked only of what is sealed (`Opened`), so that all else costs a comparison.
///
/// `@unchecked`: it belongs to a connection, which one thread uses at a time.
final class Opener: @unchecked Sendable {
    private let keys: ResidentKeys
    private var key: (id: KeyID, secret: SymmetricKey, destructionCount: Int)?
    /// The last record: its value, unit and rest are asked for one after the other.
    private var record: (sealed: Data, content: SealedRecord?)?

    private init(_ keys: ResidentKeys) { self.keys = keys }

    static func add(to db: Database, _ keys: ResidentKeys) {
        let opener = Opener(keys)
        func add(_ name: String, _ body: @escaping @Sendable (Data) throws -> (any DatabaseValueConvertible)?) {
            db.add(
                function: DatabaseFunction(name, argumentCount: 1, pure: false) { values in
                    guard case .blob(let bytes) = values[0].storage else { return values[0] }
                    return try body(bytes)
                })
        }
        add("opened") { try opener.open($0) }
        add("opened_value") { try opener.content($0)?.value }
        add("opened_unit") { try opener.content($0)?.unit }
        add("opened_rest") { try opener.content($0)?.rest.map { Data($0) } }
    }

    private func open(_ bytes: Data) throws -> Data? {
        guard let id = bytes.withUnsafeBytes(SealedBytes.key) else { return bytes }
        guard let secret = try secret(id) else { return nil }
        return try SealedBytes.open(bytes, with: secret)
    }

    private func content(_ bytes: Data) throws -> SealedRecord? {
        let destructionCount = keys.destructionCount
        if let record, record.sealed == bytes, key?.destructionCount == destructionCount { return record.content }
        let content = try open(bytes).map { try $0.withUnsafeBytes { try SealedRecord(parsing: $0) } }
        record = (bytes, content)
        return content
    }

    private func secret(_ id: KeyID) throws -> SymmetricKey? {
        let destructionCount = keys.destructionCount
        if let key, key.id == id, key.destructionCount == destructionCount { return key.secret }
        let secret = try keys.secret(id)
        key = secret.map { (id, $0, destructionCount) }
        return secret
    }
}

/// Columns as statements read them: opened where they are sealed.
enum Opened {
    /// The condition that a column holds sealed bytes. Blobs come after numbers and texts.
    static func isSealed(_ column: String) -> String { "(\(column) >= x'F5' AND \(column) < x'F6')" }

    static func bytes(_ column: String) -> String { "CASE WHEN \(isSealed(column)) THEN opened(\(column)) ELSE \(column) END" }

    /// Columns of `instance`.
    static let value = "CASE WHEN \(isSealed("value")) THEN opened_value(value) ELSE value END"
    static let unit = "CASE WHEN \(isSealed("value")) THEN opened_unit(value) ELSE unit END"
    static let rest = "CASE WHEN \(isSealed("value")) THEN opened_rest(value) ELSE rest END"
}
