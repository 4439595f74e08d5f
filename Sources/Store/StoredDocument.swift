internal import CityModel
internal import LinkedData

/// An entity as the file keeps it: its normalized representation as JSON text in which marks stand where names and
/// system members go. To answer a read the text is copied and the marks are replaced; nothing is parsed.
///
/// A mark is a byte below 0x20, which JSON text cannot hold unescaped: `name` is followed by the term's number as a
/// LEB128 varint, `systemBegin` and `systemEnd` enclose the members that only `sysAttrs` asks for.
package struct StoredDocument: Hashable, Sendable {
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }

    enum Mark {
        static let name: UInt8 = 1
        static let systemBegin: UInt8 = 2
        static let systemEnd: UInt8 = 3
    }

    /// - Parameter number: the number of a name; it may be called more than once for one name.
    init(_ entity: Entity, number: (IRI) -> Int64) {
        bytes = withoutActuallyEscaping(number) { number in
            var writer = JSONWriter(byteCapacity: 512)
            EntityWriter(names: MarkWriter(number: number), format: .normalized).write(entity, to: &writer)
            return writer.bytes
        }
    }

    /// Appends the JSON text of the document to a buffer.
    /// - Parameter name: appends the JSON string of a term, with its quotes.
    package func render(includesSystemMembers: Bool, to buffer: inout RenderBuffer, name: (Int64, inout RenderBuffer) -> Void) {
        bytes.withUnsafeBufferPointer { source in
            StoredDocument.render(source, 0..<source.count, includesSystemMembers: includesSystemMembers, to: &buffer, name: name)
        }
    }

    /// The same for a part of a document, in which each mark is whole.
    static func render<Sink: TextSink & ~Copyable>(
        _ whole: UnsafeBufferPointer<UInt8>, _ part: Range<Int>, includesSystemMembers: Bool, to sink: inout Sink, name: (Int64, inout Sink) -> Void
    ) {
        let source = UnsafeBufferPointer(rebasing: whole[part])
        var start = 0
        while let mark = mark(source, from: start) {
            sink.append(UnsafeBufferPointer(rebasing: source[start..<mark]))
            start = mark + 1
            if source[mark] == Mark.name {
                name(varint(source, at: &start), &sink)
            } else if source[mark] == Mark.systemBegin, !includesSystemMembers {
                while let next = StoredDocument.mark(source, from: start) {
                    start = next
                    if source[next] == Mark.systemEnd { break }
                    start += 1
                }
            }
        }
        sink.append(UnsafeBufferPointer(rebasing: source[start...]))
    }

    /// The place of the first mark at or after `start`. Looks at eight bytes at once, for most of a document is text.
    @inline(__always) private static func mark(_ source: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var index = start
        while index + 8 <= source.count {
            let word = UInt64(littleEndian: UnsafeRawPointer(source.baseAddress!).loadUnaligned(fromByteOffset: index, as: UInt64.self))
            // The highest bit of each byte that is below 4; only above the first of them it may be set for others too.
            let low = (word &- 0x0404_0404_0404_0404) & ~word & 0x8080_8080_8080_8080
            if low != 0 { return index + low.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < source.count {
            if source[index] <= Mark.systemEnd { return index }
            index += 1
        }
        return nil
    }

    static func varint(_ source: UnsafeBufferPointer<UInt8>, at index: inout Int) -> Int64 {
        var number: Int64 = 0
        var shift: Int64 = 0
        while index < source.count {
            let byte = source[index]
            index += 1
            number |= Int64(byte & 0x7F) << shift
            if byte < 0x80 { break }
            shift += 7
        }
        return number
    }
}

/// Writes marks in place of names and around system members.
private struct MarkWriter: NameWriting {
    let number: (IRI) -> Int64

    func write(name: IRI, to writer: inout JSONWriter) {
        writer.raw(StoredDocument.Mark.name)
        var rest = UInt64(bitPattern: number(name))
        while rest >= 0x80 {
            writer.raw(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        writer.raw(UInt8(truncatingIfNeeded: rest))
    }

    func writeSystemMembers(to writer: inout JSONWriter, _ body: (inout JSONWriter) -> Void) {
        writer.raw(StoredDocument.Mark.systemBegin)
        body(&writer)
        writer.raw(StoredDocument.Mark.systemEnd)
    }
}
