internal import CZlib

/// Unpacks gzip in pieces of bounded size, whatever the compression ratio. Concatenated members are one stream.
final class Inflater {
    private let stream: UnsafeMutablePointer<z_stream>
    private var isBetweenMembers = false

    init() throws(SourceError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard conurb_gunzip_init(stream) == Z_OK else {
            stream.deallocate()
            throw .input(line: 1, reason: "gzip: out of memory")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Unpacks from `input`, advancing `position`, and appends at most `countMax` bytes to `output`.
    func inflate(_ input: [UInt8], from position: inout Int, to output: inout [UInt8], countMax: Int) throws(SourceError) {
        if isBetweenMembers { try beginMember(input, from: &position) }
        guard position < input.count else { return }
        let (code, consumed, piece) = step(input, from: position, countMax: countMax)
        position += consumed
        output.append(contentsOf: piece)
        switch code {
        case Z_STREAM_END: isBetweenMembers = true
        case Z_OK, Z_BUF_ERROR: break
        default: throw .input(line: 1, reason: "the gzip stream is damaged: \(message(code))")
        }
    }

    /// Whether the input may end here.
    var mayEnd: Bool { isBetweenMembers }

    private func step(_ input: [UInt8], from position: Int, countMax: Int) -> (code: Int32, consumed: Int, piece: [UInt8]) {
        var code = Z_OK
        var consumed = 0
        let piece = [UInt8](unsafeUninitializedCapacity: countMax) { buffer, initializedCount in
            input.withUnsafeBufferPointer { input in
                let available = min(input.count - position, 1 << 30)
                stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress?.advanced(by: position))
                stream.pointee.avail_in = UInt32(available)
                stream.pointee.next_out = buffer.baseAddress
                stream.pointee.avail_out = UInt32(buffer.count)
                code = CZlib.inflate(stream, Z_NO_FLUSH)
                consumed = available - Int(stream.pointee.avail_in)
                initializedCount = buffer.count - Int(stream.pointee.avail_out)
            }
        }
        return (code, consumed, piece)
    }

    /// After a member comes another one, zero padding, or the end.
    private func beginMember(_ input: [UInt8], from position: inout Int) throws(SourceError) {
        while position < input.count, input[position] == 0 { position += 1 }
        guard position < input.count else { return }
        guard input[position] == 0x1F else {
            throw .input(line: 1, reason: "something that is not gzip follows the end of the gzip stream")
        }
        inflateReset(stream)
        isBetweenMembers = false
    }

    private func message(_ code: Int32) -> String {
        stream.pointee.msg.map { String(cString: $0) } ?? "zlib code \(code)"
    }
}
