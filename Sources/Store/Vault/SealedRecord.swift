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

    init(parsing bytes: UnsafeRawBufferPointer) throws {
        var offset = 0
        func next() throws -> (kind: Kind, content: UnsafeRawBufferPointer) {
            let corrupt = CorruptRow(table: "instance", reason: "a sealed record that is none")
            guard offset + 5 <= bytes.count, let kind = Kind(rawValue: bytes[offset]) else { throw corrupt }
            let count = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 1, as: UInt32.self)))
            let isNumber = kind == .integer || kind == .number
            guard offset + 5 + count <= bytes.count, !isNumber || count == 8 else { throw corrupt }
            defer { offset += 5 + count }
            return (kind, UnsafeRawBufferPointer(rebasing: bytes[(offset + 5)..<(offset + 5 + count)]))
        }
        let (kind, content) = try next()
        switch kind {
        case .none: value = .null
        case .integer: value = Int64(littleEndian: content.loadUnaligned(as: Int64.self)).databaseValue
        case .number: value = Double(bitPattern: UInt64(littleEndian: content.loadUnaligned(as: UInt64.self))).databaseValue
        case .text: value = String(decoding: content, as: UTF8.self).databaseValue
        case .bytes: value = Data(content).databaseValue
        }
        let (unit, rest) = (try next(), try next())
        self.unit = unit.kind == .text ? String(decoding: unit.content, as: UTF8.self) : nil
        self.rest = rest.kind == .bytes ? [UInt8](rest.content) : nil
    }
}
