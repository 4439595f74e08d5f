/// A column of a table in Arrow's memory layout.
struct ArrowColumn {
    enum Values {
        /// Microseconds since 1970, shown in a zone.
        case moments([Int64?], zone: String)
        case numbers([Double?])
        case texts([String?])
    }

    let name: String
    let values: Values

    init(_ name: String, _ values: Values) { (self.name, self.values) = (name, values) }

    fileprivate var count: Int {
        switch values {
        case .moments(let values, _): values.count
        case .numbers(let values): values.count
        case .texts(let values): values.count
        }
    }
}

/// Writes Arrow's IPC stream (Apache Arrow columnar format 1.5, "Serialization and Interprocess Communication"): a schema, record batches,
/// and the mark of the end. Metadata is version 5; nothing is compressed; numbers are little-endian.
enum ArrowStream {
    private static let batchRowCountMax = 65_536
    private static let continuation = UInt32.max

    /// - Parameter columns: all of the same length.
    static func bytes(_ columns: [ArrowColumn]) -> [UInt8] {
        var bytes = message(.schema, bodyCount: 0) { $0.schema(columns) }
        let count = columns.first?.count ?? 0
        for start in stride(from: 0, to: count, by: batchRowCountMax) {
            let batch = ArrowBatch(columns, start..<min(start + batchRowCountMax, count))
            bytes += message(.recordBatch, bodyCount: batch.body.count) { $0.recordBatch(batch) }
            bytes += batch.body
        }
        bytes.write(continuation)
        bytes.write(0 as UInt32)
        return bytes
    }

    fileprivate enum Header: UInt8 { case schema = 1, recordBatch = 3 }

    private static func message(_ header: Header, bodyCount: Int, _ make: (inout FlatBuffer) -> FlatBuffer.Offset) -> [UInt8] {
        var buffer = FlatBuffer()
        let content = make(&buffer)
        let root = buffer.table { table in
            table.field(3, Int64(bodyCount))
            table.field(2, referringTo: content)
            table.field(1, header.rawValue)
            table.field(0, Int16(4))
        }
        let metadata = buffer.bytes(root: root)
        var bytes: [UInt8] = []
        bytes.write(continuation)
        bytes.write(UInt32(metadata.count))
        return bytes + metadata
    }
}

/// Rows of a table: buffers one after the other, each at a multiple of 8 bytes.
private struct ArrowBatch {
    let rowCount: Int
    private(set) var nodes: [(Int64, Int64)] = []
    private(set) var buffers: [(Int64, Int64)] = []
    private(set) var body: [UInt8] = []

    init(_ columns: [ArrowColumn], _ rows: Range<Int>) {
        rowCount = rows.count
        for column in columns {
            switch column.values {
            case .moments(let values, _): add(values[rows])
            case .numbers(let values): add(values[rows].map { $0?.bitPattern }[...])
            case .texts(let values): add(values[rows])
            }
        }
    }

    private mutating func add(_ values: ArraySlice<(some FixedWidthInteger)?>) {
        addValidity(values.map { $0 != nil })
        var bytes: [UInt8] = []
        bytes.reserveCapacity(values.count * 8)
        for value in values { bytes.write(value ?? 0) }
        add(bytes)
    }

    private mutating func add(_ texts: ArraySlice<String?>) {
        addValidity(texts.map { $0 != nil })
        var (offsets, bytes): ([UInt8], [UInt8]) = ([], [])
        offsets.write(0 as UInt32)
        for text in texts {
            bytes += Array((text ?? "").utf8)
            offsets.write(UInt32(bytes.count))
        }
        add(offsets)
        add(bytes)
    }

    /// One bit for each value, the first in the lowest.
    private mutating func addValidity(_ isThere: [Bool]) {
        let nullCount = isThere.count { !$0 }
        nodes.append((Int64(isThere.count), Int64(nullCount)))
        var bits = [UInt8](repeating: 0, count: nullCount == 0 ? 0 : (isThere.count + 7) / 8)
        if nullCount > 0 { for (index, isThere) in isThere.enumerated() where isThere { bits[index / 8] |= 1 << (index % 8) } }
        add(bits)
    }

    private mutating func add(_ bytes: [UInt8]) {
        buffers.append((Int64(body.count), Int64(bytes.count)))
        body += bytes
        while body.count % 8 != 0 { body.append(0) }
    }
}

extension FlatBuffer {
    fileprivate mutating func schema(_ columns: [ArrowColumn]) -> Offset {
        let fields = columns.map { field(of: $0) }
        let all = vector(of: fields)
        return table { $0.field(1, referringTo: all) }
    }

    private mutating func field(of column: ArrowColumn) -> Offset {
        let name = text(column.name)
        let children = vector(of: [] as [Offset])
        let (kind, type) = type(of: column.values)
        return table { table in
            table.field(5, referringTo: children)
            table.field(3, referringTo: type)
            table.field(0, referringTo: name)
            table.field(2, kind)
            table.field(1, 1 as UInt8)
        }
    }

    /// The number of the type in Arrow's union, and its table.
    private mutating func type(of values: ArrowColumn.Values) -> (UInt8, Offset) {
        switch values {
        case .numbers: return (3, table { $0.field(0, 2 as Int16) })
        case .texts: return (5, table { _ in })
        case .moments(_, let zone):
            let name = text(zone)
            return (10, table { table in
                table.field(1, referringTo: name)
                table.field(0, 2 as Int16)
            })
        }
    }

    fileprivate mutating func recordBatch(_ batch: ArrowBatch) -> Offset {
        let (buffers, nodes) = (vector(of: batch.buffers), vector(of: batch.nodes))
        return table { table in
            table.field(0, Int64(batch.rowCount))
            table.field(2, referringTo: buffers)
            table.field(1, referringTo: nodes)
        }
    }
}

extension [UInt8] {
    fileprivate mutating func write(_ value: some FixedWidthInteger) { Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) } }
}
