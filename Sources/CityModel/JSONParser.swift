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

    private func parse(buffer: UnsafeBufferPointer<UInt8>) throws(JSONError) -> JSON { try view(buffer).value }

    /// The one value that `buffer` holds, to be looked at in place. It is valid until the parser's next use.
    private func view(_ buffer: UnsafeBufferPointer<UInt8>) throws(JSONError) -> JSONView {
        let tape = conurb_json_parse(handle, buffer.baseAddress, buffer.count)
        guard tape.error == nil, let words = tape.words, let strings = tape.strings else {
            if tape.too_deep == 1 { throw .tooDeep(depthMax: depthMax) }
            throw .malformed(tape.error.map { String(cString: $0) } ?? "no value")
        }
        return JSONView(words: words, strings: strings, index: 1)
    }

    /// Runs `body` on the one value that `bytes` holds, without making a `JSON` of it. The view may not leave `body`.
    package func withView<Result>(of bytes: [UInt8], _ body: (JSONView) throws -> Result) throws -> Result {
        try bytes.withUnsafeBufferPointer { buffer in try body(view(buffer)) }
    }
}

extension JSON {
    /// Parses a JSON text with the default nesting limit.
    public init(parsing bytes: some Sequence<UInt8>) throws(JSONError) { self = try JSONParser().parse(bytes) }
    /// Parses a JSON text with the default nesting limit.
    public init(parsing text: String) throws(JSONError) { self = try JSONParser().parse(text.utf8) }
}
