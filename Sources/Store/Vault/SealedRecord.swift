internal import Foundation
internal import GRDB

/// What a sealed record of history holds: value, unit and rest, which are columns of their own where nothing is sealed.
struct SealedRecord {
    let value: DatabaseValue
    let unit: String?
    let rest: [UInt8]?

    private enum Kind: UInt8 { case none, integer, number, text, bytes }

    /// Three parts, each a kind, a length in four bytes and as many bytes.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        func append(_ kind: Kind, _ content: some Collection<UInt8>) {
            bytes.append(kind.rawValue)
            withUnsafeBytes(of: UInt32(content.count).littleEndian) { bytes += $0 }
            bytes += content
        }
        func append(_ value: DatabaseValue) {
            switch value.storage {
            case .null: append(.none, [])
            case .int64(let number): append(.integer, withUnsafeBytes(of: number.littleEndian) { Array($0) })
            case .double(let number): append(.number, withUnsafeBytes(of: number.bitPattern.littleEndian) { Array($0) })
            case .string(let text): append(.text, Array(text.utf8))
            case .blob(let data): append(.bytes, data)
            }
        }
        append(value)
        append(unit?.databaseValue ?? .null)
        append(rest?.databaseBlob ?? .null)
        return bytes
    }

    init(value: DatabaseValue, unit: String?, rest: [UInt8]?) { (self.value, self.unit, self.rest) = (value, unit, rest) }

    init(parsing bytes: [UInt8]) throws {
        var rest = bytes[...]
        func next() throws -> DatabaseValue {
            let corrupt = CorruptRow(table: "instance", reason: "a sealed record that is none")
            guard rest.count >= 5, let kind = rest.first.flatMap(Kind.init) else { throw corrupt }
            let count = Int(rest.dropFirst().prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
            let content = rest.dropFirst(5).prefix(count)
            guard content.count == count else { throw corrupt }
            rest = rest.dropFirst(5 + count)
            func bits() throws -> UInt64 {
                guard count == 8 else { throw corrupt }
                return content.reversed().reduce(0) { $0 << 8 | UInt64($1) }
            }
            switch kind {
            case .none: return .null
            case .integer: return Int64(bitPattern: try bits()).databaseValue
            case .number: return Double(bitPattern: try bits()).databaseValue
            case .text: return String(decoding: content, as: UTF8.self).databaseValue
            case .bytes: return Data(content).databaseValue
            }
        }
        value = try next()
        unit = String.fromDatabaseValue(try next())
        self.rest = Data.fromDatabaseValue(try next()).map { [UInt8]($0) }
    }
}
