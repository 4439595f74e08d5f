/// Bytes in, UTF-8 text out: recognises gzip by its first two bytes, drops a byte order mark, decodes the encoding.
/// The mark of UTF-8 outweighs the declared encoding: programs that write it mean it.
/// Packed input is unpacked only as far as text is asked for.
struct TextInput {
    /// The most text that one `pull` appends, before decoding.
    static let pieceByteCount = 64 << 10

    private var transcoder: Transcoder?
    private var queue: [UInt8] = []
    private var position = 0
    private var isFinished = false
    private var inflater: Inflater?
    private var isPackingKnown = false
    /// The first bytes of the text until it is known whether they are a byte order mark.
    private var head: [UInt8]? = []

    init(_ encoding: TextEncoding) {
        transcoder = Transcoder(encoding)
    }

    mutating func push(_ bytes: [UInt8]) {
        if position == queue.count {
            queue = bytes
            position = 0
        } else {
            queue.removeFirst(position)
            position = 0
            queue.append(contentsOf: bytes)
        }
    }

    mutating func finish() { isFinished = true }

    /// Appends the next piece of text.
    /// - Returns: false when there is none until more bytes are pushed, or none at all once the input is finished.
    mutating func pull(into text: inout [UInt8]) throws(SourceError) -> Bool {
        if !isPackingKnown {
            guard queue.count - position >= 2 || isFinished else { return false }
            isPackingKnown = true
            if queue.count - position >= 2, queue[position] == 0x1F, queue[position + 1] == 0x8B { inflater = try Inflater() }
        }
        if let inflater { return try pull(from: inflater, into: &text) }
        guard position < queue.count else { return isFinished ? try flushHead(into: &text) : false }
        let end = min(position + Self.pieceByteCount, queue.count)
        try decode(queue[position..<end], into: &text)
        position = end
        return true
    }

    private mutating func pull(from inflater: Inflater, into text: inout [UInt8]) throws(SourceError) -> Bool {
        var piece: [UInt8] = []
        let before = position
        try inflater.inflate(queue, from: &position, to: &piece, countMax: Self.pieceByteCount)
        if piece.isEmpty {
            if position > before || position < queue.count { return true }
            guard isFinished else { return false }
            guard inflater.mayEnd else { throw .input(line: 1, reason: "the gzip stream is cut off") }
            return try flushHead(into: &text)
        }
        try decode(piece[...], into: &text)
        return true
    }

    private mutating func decode(_ bytes: ArraySlice<UInt8>, into text: inout [UInt8]) throws(SourceError) {
        guard var gathered = head else { return append(bytes, to: &text) }
        gathered.append(contentsOf: bytes)
        head = gathered
        if gathered.count >= 3 { _ = try flushHead(into: &text) }
    }

    /// Decides about the byte order mark. Returns whether there was anything to decide about.
    private mutating func flushHead(into text: inout [UInt8]) throws(SourceError) -> Bool {
        guard let gathered = head, !gathered.isEmpty else { return false }
        head = nil
        if gathered.starts(with: [0xFF, 0xFE]) || gathered.starts(with: [0xFE, 0xFF]) {
            throw .input(line: 1, reason: "the file is UTF-16; save it as UTF-8")
        }
        guard gathered.starts(with: [0xEF, 0xBB, 0xBF]) else {
            append(gathered[...], to: &text)
            return true
        }
        transcoder = nil
        append(gathered[3...], to: &text)
        return true
    }

    private func append(_ bytes: ArraySlice<UInt8>, to text: inout [UInt8]) {
        if let transcoder { transcoder.append(bytes, to: &text) } else { text.append(contentsOf: bytes) }
    }
}
