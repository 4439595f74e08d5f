/// Pulls records out of a source of bytes.
public struct RecordReader<Chunks: ChunkSource> {
    private var decoder: RecordDecoder
    /// Where the bytes come from; its counters may be looked at while reading.
    public private(set) var chunks: Chunks
    private var isFinished = false

    public init(_ definition: SourceDefinition, chunks: Chunks, limits: RecordLimits = RecordLimits()) {
        decoder = RecordDecoder(definition, limits: limits)
        self.chunks = chunks
    }

    /// The names of the columns of a table, once a first record was asked for.
    public var columns: [String]? { decoder.columns }

    /// Fills `record` with the next record.
    /// - Returns: false at the end.
    public mutating func next(into record: inout Record) throws(SourceError) -> Bool {
        while true {
            if try decoder.next(into: &record) { return true }
            if isFinished { return false }
            if let bytes = try chunks.next() {
                decoder.feed(bytes)
            } else {
                isFinished = true
                decoder.finish()
            }
        }
    }
}
