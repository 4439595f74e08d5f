/// Writes compact JSON into a byte array. The caller writes structure (`{`, `,`, `:`) itself, so that hot paths can
/// splice; `write(_:)` writes whole values.
public struct JSONWriter: Sendable {
    public var bytes: [UInt8]

    public init(byteCapacity: Int = 256) {
        bytes = []
        bytes.reserveCapacity(byteCapacity)
    }

    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Appends text as it is: structure or an already escaped fragment.
    @inline(__always)
    public mutating func raw(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inline(__always)
    public mutating func raw(_ byte: UInt8) { bytes.append(byte) }

    @inline(__always)
    public mutating func raw(_ fragment: UnsafeBufferPointer<UInt8>) { bytes.append(contentsOf: fragment) }

    public mutating func raw(_ fragment: some Sequence<UInt8>) { bytes.append(contentsOf: fragment) }

    /// Appends a string value with its quotes, escaped as RFC 8259 section 7 asks and no more.
    public mutating func write(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            var start = 0
            while let index = Self.escaped(utf8, from: start) {
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start..<index]))
                escape(utf8[index])
                start = index + 1
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start...]))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// The place of the first byte at or after `start` that can't stand for itself: a control, a quote or a backslash. Looks at eight bytes at once.
    private static func escaped(_ utf8: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        func zeroBytes(_ word: UInt64) -> UInt64 { (word &- 0x0101_0101_0101_0101) & ~word }
        let bytes = UnsafeRawBufferPointer(utf8)
        var index = start
        while index + 8 <= utf8.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let control = (word &- 0x2020_2020_2020_2020) & ~word
            let found = (control | zeroBytes(word ^ 0x2222_2222_2222_2222) | zeroBytes(word ^ 0x5C5C_5C5C_5C5C_5C5C)) & 0x8080_8080_8080_8080
            // Only above the first of them a bit may be set for others too.
            if found != 0 { return index + found.trailingZeroBitCount / 8 }
            index += 8
        }
        return utf8[index...].firstIndex { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
    }

    public mutating func write(_ value: Int64) { bytes.append(contentsOf: String(value).utf8) }

    /// Appends the shortest text that reads back as the same double. Not-a-number and infinities have no JSON form
    /// and are written as null.
    public mutating func write(_ value: Double) {
        bytes.append(contentsOf: (value.isFinite ? value.description : "null").utf8)
    }

    public mutating func write(_ value: JSON) {
        switch value {
        case .null: raw("null")
        case .bool(let flag): raw(flag ? "true" : "false")
        case .integer(let value): write(value)
        case .number(let value): write(value)
        case .string(let text): write(text)
        case .array(let elements):
            raw("[")
            for (index, element) in elements.enumerated() {
                if index > 0 { raw(",") }
                write(element)
            }
            raw("]")
        case .object(let members):
            raw("{")
            for (index, member) in members.enumerated() {
                if index > 0 { raw(",") }
                write(member.key)
                raw(":")
                write(member.value)
            }
            raw("}")
        }
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): raw("\\\"")
        case UInt8(ascii: "\\"): raw("\\\\")
        case 0x0A: raw("\\n")
        case 0x0D: raw("\\r")
        case 0x09: raw("\\t")
        case 0x08: raw("\\b")
        case 0x0C: raw("\\f")
        default:
            raw("\\u00")
            bytes.append(Self.hexadecimal(byte >> 4))
            bytes.append(Self.hexadecimal(byte & 15))
        }
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8 { digit < 10 ? 48 + digit : 87 + digit }
}
