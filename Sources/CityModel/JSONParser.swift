internal import CJSONTape
internal import OrderedCollections

/// Why a text is not acceptable JSON.
public enum JSONError: Error, Hashable, Sendable {
    /// Not JSON: simdjson's English reason.
    case malformed(String)
    /// Arrays and objects nest deeper than the limit.
    case tooDeep(depthMax: Int)
}

/// Parses JSON texts with simdjson. A parser keeps its buffers between texts: use one again where you can, from one
/// thread at a time.
public struct JSONParser: ~Copyable {
    /// The nesting limit where nothing else is configured.
    public static let depthMaxDefault = 64

    private let handle: OpaquePointer
    private let depthMax: Int

    /// - Parameter depthMax: the deepest nesting of arrays and objects that is accepted.
    public init(depthMax: Int = JSONParser.depthMaxDefault) {
        guard let created = conurb_json_parser_create(depthMax + 1) else { preconditionFailure("out of memory") }
        handle = created
        self.depthMax = depthMax
    }

    deinit { conurb_json_parser_destroy(handle) }

    /// The one value that `bytes` holds, UTF-8 without byte order mark.
    public func parse(_ bytes: some Sequence<UInt8>) throws(JSONError) -> JSON {
        let inPlace = bytes.withContiguousStorageIfAvailable { buffer in
            Result { () throws(JSONError) in try parse(buffer: buffer) }
        }
        if let inPlace { return try inPlace.get() }
        let contiguous = Array(bytes)
        return try contiguous.withUnsafeBufferPointer { buffer throws(JSONError) in try parse(buffer: buffer) }
    }

    private func parse(buffer: UnsafeBufferPointer<UInt8>) throws(JSONError) -> JSON {
        let tape = conurb_json_parse(handle, buffer.baseAddress, buffer.count)
        guard tape.error == nil, let words = tape.words, let strings = tape.strings else {
            if tape.too_deep == 1 { throw .tooDeep(depthMax: depthMax) }
            throw .malformed(tape.error.map { String(cString: $0) } ?? "no value")
        }
        var reader = TapeReader(words: words, strings: strings, index: 1)
        return reader.value()
    }
}

extension JSON {
    /// Parses a JSON text with the default nesting limit.
    public init(parsing bytes: some Sequence<UInt8>) throws(JSONError) { self = try JSONParser().parse(bytes) }
    /// Parses a JSON text with the default nesting limit.
    public init(parsing text: String) throws(JSONError) { self = try JSONParser().parse(text.utf8) }
}

/// Walks simdjson's tape (layout: CJSONTape.h). The tape was validated by the parser, so nothing here can fail.
private struct TapeReader {
    let words: UnsafePointer<UInt64>
    let strings: UnsafePointer<UInt8>
    var index: Int

    mutating func value() -> JSON {
        let word = words[index]
        index += 1
        switch UInt8(truncatingIfNeeded: word >> 56) {
        case UInt8(ascii: "\""): return .string(string(at: word))
        case UInt8(ascii: "l"): return .integer(Int64(bitPattern: payload()))
        case UInt8(ascii: "u"):
            let unsigned = payload()
            return Int64(exactly: unsigned).map(JSON.integer) ?? .number(Double(unsigned))
        case UInt8(ascii: "d"): return .number(Double(bitPattern: payload()))
        case UInt8(ascii: "t"): return .bool(true)
        case UInt8(ascii: "f"): return .bool(false)
        case UInt8(ascii: "["): return array(count: word)
        case UInt8(ascii: "{"): return object(count: word)
        default: return .null
        }
    }

    private mutating func payload() -> UInt64 {
        defer { index += 1 }
        return words[index]
    }

    private func string(at word: UInt64) -> String {
        let start = strings + Int(word & 0x00FF_FFFF_FFFF_FFFF)
        let count = UnsafeRawPointer(start).loadUnaligned(as: UInt32.self)
        return String(decoding: UnsafeBufferPointer(start: start + 4, count: Int(count)), as: UTF8.self)
    }

    /// Bits 32 to 55 of a container's opening word hold its element count, saturated.
    private func capacity(_ word: UInt64) -> Int { Int((word >> 32) & 0xFF_FFFF) }

    private mutating func array(count word: UInt64) -> JSON {
        var elements: [JSON] = []
        elements.reserveCapacity(capacity(word))
        while UInt8(truncatingIfNeeded: words[index] >> 56) != UInt8(ascii: "]") { elements.append(value()) }
        index += 1
        return .array(elements)
    }

    private mutating func object(count word: UInt64) -> JSON {
        var members = JSONObject(minimumCapacity: capacity(word))
        while UInt8(truncatingIfNeeded: words[index] >> 56) != UInt8(ascii: "}") {
            let name = string(at: words[index])
            index += 1
            members[name] = value()
        }
        index += 1
        return .object(members)
    }
}
