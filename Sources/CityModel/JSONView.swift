internal import OrderedCollections

/// A value of a parsed JSON text, looked at in place on simdjson's tape (layout: CJSONTape.h): nothing is made of what is
/// passed over. The tape was validated by the parser, so nothing here can fail. Valid until the parser's next use.
package struct JSONView {
    private let words: UnsafePointer<UInt64>
    private let strings: UnsafePointer<UInt8>
    private let index: Int

    init(words: UnsafePointer<UInt64>, strings: UnsafePointer<UInt8>, index: Int) {
        (self.words, self.strings, self.index) = (words, strings, index)
    }

    private var tag: UInt8 { UInt8(truncatingIfNeeded: words[index] >> 56) }
    private func at(_ index: Int) -> JSONView { JSONView(words: words, strings: strings, index: index) }

    package var isArray: Bool { tag == UInt8(ascii: "[") }
    package var isObject: Bool { tag == UInt8(ascii: "{") }

    /// The bytes of a string; nil for every other value.
    package var utf8: UnsafeBufferPointer<UInt8>? {
        guard tag == UInt8(ascii: "\"") else { return nil }
        let start = strings + Int(words[index] & 0x00FF_FFFF_FFFF_FFFF)
        let count = UnsafeRawPointer(start).loadUnaligned(as: UInt32.self)
        return UnsafeBufferPointer(start: start + 4, count: Int(count))
    }

    package var text: String? { utf8.map { String(decoding: $0, as: UTF8.self) } }

    /// Visits the members of an object in order; none of any other value.
    package func forEachMember(_ visit: (_ name: UnsafeBufferPointer<UInt8>, _ value: JSONView) throws -> Void) rethrows {
        guard isObject else { return }
        var position = at(index + 1)
        while let name = position.utf8 {
            let value = at(position.index + 1)
            try visit(name, value)
            position = at(value.next)
        }
    }

    /// Visits the elements of an array in order; any other value alone.
    package func forEachElement(_ visit: (JSONView) throws -> Void) rethrows {
        guard isArray else { return try visit(self) }
        var position = at(index + 1)
        while position.tag != UInt8(ascii: "]") {
            try visit(position)
            position = at(position.next)
        }
    }

    /// Where the value after this one stands. A container's opening word says where its end is.
    private var next: Int {
        switch tag {
        case UInt8(ascii: "["), UInt8(ascii: "{"): Int(words[index] & 0xFFFF_FFFF)
        case UInt8(ascii: "l"), UInt8(ascii: "u"), UInt8(ascii: "d"): index + 2
        default: index + 1
        }
    }
}

extension JSONView {
    /// The value with all that is in it.
    package var value: JSON {
        switch tag {
        case UInt8(ascii: "\""): .string(text ?? "")
        case UInt8(ascii: "l"): .integer(Int64(bitPattern: words[index + 1]))
        case UInt8(ascii: "u"): Int64(exactly: words[index + 1]).map(JSON.integer) ?? .number(Double(words[index + 1]))
        case UInt8(ascii: "d"): .number(Double(bitPattern: words[index + 1]))
        case UInt8(ascii: "t"): .bool(true)
        case UInt8(ascii: "f"): .bool(false)
        case UInt8(ascii: "["): .array(elements)
        case UInt8(ascii: "{"): .object(members)
        default: .null
        }
    }

    /// Bits 32 to 55 of a container's opening word hold its element count, saturated.
    private var count: Int { Int((words[index] >> 32) & 0xFF_FFFF) }

    private var elements: [JSON] {
        var elements: [JSON] = []
        elements.reserveCapacity(count)
        forEachElement { elements.append($0.value) }
        return elements
    }

    private var members: JSONObject {
        var members = JSONObject(minimumCapacity: count)
        forEachMember { name, value in members[String(decoding: name, as: UTF8.self)] = value.value }
        return members
    }
}
