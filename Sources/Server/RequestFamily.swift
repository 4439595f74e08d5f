internal import Door
internal import NIOCore

/// Requests that have all bytes in common but the last part of their path, such as those for one entity each.
struct RequestFamily: Hashable {
    private let request: ByteBuffer
    private let start: Int
    private let end: Int

    /// - Parameter request: a whole one of the method `GET`.
    /// - Returns: nil where the last part has anything in it but letters, digits and `:-._~`, which stand for themselves in a path.
    init?(_ request: ByteBuffer) {
        let range = request.withUnsafeReadableBytes { bytes -> Range<Int>? in
            var start = 0
            for (offset, byte) in bytes.enumerated().dropFirst("GET ".utf8.count) {
                switch byte {
                case UInt8(ascii: "/"): start = offset + 1
                case UInt8(ascii: " "), UInt8(ascii: "?"): return start > 0 && start < offset ? start..<offset : nil
                case UInt8(ascii: "0")...UInt8(ascii: ":"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): break
                case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): break
                default: return nil
                }
            }
            return nil
        }
        guard let range else { return nil }
        (self.request, start, end) = (request, range.lowerBound, range.upperBound)
    }

    /// The last part of the path.
    var part: String { request.getString(at: request.readerIndex + start, length: end - start) ?? "" }

    /// The same with bytes of its own.
    var copy: Self? { Self(ByteBuffer(bytes: request.readableBytesView)) }

    /// Of what they have in common.
    var byteCount: Int { request.readableBytes - (end - start) }

    private func withCommonBytes<Result>(_ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Result) -> Result {
        request.withUnsafeReadableBytes { body(.init(rebasing: $0[..<start]), .init(rebasing: $0[end...])) }
    }

    func hash(into hasher: inout Hasher) {
        withCommonBytes { before, after in
            hasher.combine(bytes: before)
            hasher.combine(bytes: after)
        }
    }

    static func == (one: Self, other: Self) -> Bool {
        one.withCommonBytes { before, after in
            other.withCommonBytes { before.elementsEqual($0) && after.elementsEqual($1) }
        }
    }
}

/// How all requests of a family are answered, as its door has worked it out for one of them.
struct FamilyAnswer: Sendable {
    /// The head up to the length of the body, and what follows that.
    private let head: (before: ByteBuffer, after: ByteBuffer)
    private let body: AnswerReuse.Siblings.Body
    /// Whether they are still answered so.
    let isCurrent: AnswerReuse.Condition
    /// The template of the route, for the figures.
    let route: String

    /// - Parameter head: that of the answer to one of them, with the empty line at its end.
    init?(head: ByteBufferView, _ allowance: AnswerReuse.Allowance, route: String) {
        let name = "\r\ncontent-length: "
        let text = String(decoding: head, as: UTF8.self).lowercased()
        guard let siblings = allowance.siblings, let field = text.firstRange(of: name), text.utf8.count == head.count else { return nil }
        let start = head.startIndex + text.utf8.distance(from: text.startIndex, to: field.upperBound)
        let end = head[start...].firstIndex { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? head.endIndex
        self.head = (ByteBuffer(bytes: head[..<start]), ByteBuffer(bytes: head[end...]))
        (body, isCurrent, self.route) = (siblings.body, siblings.areCurrent, route)
    }

    private var headByteCount: Int { head.before.readableBytes + head.after.readableBytes }
    func byteCount(_ family: RequestFamily) -> Int { family.byteCount + headByteCount }

    /// - Returns: nil where the request has to be answered for itself.
    func answer(to family: RequestFamily) -> Microcache.Answer? {
        guard let body = body(family.part), isCurrent() else { return nil }
        var bytes = head.before
        bytes.reserveCapacity(headByteCount + 20 + body.bytes.readableBytes)
        bytes.writeString(String(body.bytes.readableBytes))
        bytes.writeImmutableBuffer(head.after)
        bytes.writeImmutableBuffer(body.bytes)
        return Microcache.Answer(bytes: bytes, isCurrent: body.isCurrent, route: route)
    }
}
