/// One column of up to a block's numbers, written in whichever way is the shortest: as they are, as the steps from each to the
/// next, or as places on a grid of equal steps with what is over.
enum IntegerColumn {
    private enum Way: UInt8 { case plain, steps, grid }

    /// - Parameter mayBeGrid: whether to look for a grid; only times lie on one.
    static func encode(_ values: [Int64], mayBeGrid: Bool = false, to writer: inout ByteWriter) {
        var candidates = [plain(values)]
        if values.contains(where: { $0 != values[0] }) {
            candidates.append(steps(values))
            if mayBeGrid, let grid = Grid(of: values) { candidates.append(encoded(values, on: grid)) }
        }
        writer.append(candidates.min { $0.bytes.count < $1.bytes.count }?.bytes ?? [])
    }

    private static func plain(_ values: [Int64]) -> ByteWriter {
        var writer = ByteWriter()
        writer.byte(Way.plain.rawValue)
        PackedIntegers.encode(values, to: &writer)
        return writer
    }

    private static func steps(_ values: [Int64]) -> ByteWriter {
        var writer = ByteWriter()
        writer.byte(Way.steps.rawValue)
        writer.signed(values[0])
        PackedIntegers.encode(zip(values.dropFirst(), values).map { $0 &- $1 }, to: &writer)
        return writer
    }

    private static func encoded(_ values: [Int64], on grid: Grid) -> ByteWriter {
        var writer = ByteWriter()
        writer.byte(Way.grid.rawValue)
        writer.signed(grid.origin)
        writer.varint(UInt64(grid.step))
        let slots = values.map(grid.slot)
        PackedIntegers.encode(zip(slots.dropFirst(), slots).map { $0 - $1 }, to: &writer)
        PackedIntegers.encode(zip(values, slots).map { $0 - grid.origin - $1 * grid.step }, to: &writer)
        return writer
    }

    /// - Parameter output: has room for `count` numbers, `count` at most a block's.
    static func decode(_ reader: inout ByteReader, count: Int, into output: UnsafeMutablePointer<Int64>) throws(SeriesError) {
        guard count > 0 else { return }
        switch Way(rawValue: try reader.byte()) {
        case .plain?: try PackedIntegers.decode(&reader, count: count, into: output)
        case .steps?:
            output[0] = try reader.signed()
            try PackedIntegers.decode(&reader, count: count - 1, into: output + 1)
            addUp(output, count, times: 1)
        case .grid?: try decodeGrid(&reader, count, output)
        case nil: throw .malformed("a column of no known way")
        }
    }

    private static func decodeGrid(_ reader: inout ByteReader, _ count: Int, _ output: UnsafeMutablePointer<Int64>) throws(SeriesError) {
        output[0] = try reader.signed()
        let step = Int64(bitPattern: try reader.varint())
        try PackedIntegers.decode(&reader, count: count - 1, into: output + 1)
        addUp(output, count, times: step)
        try withScratch(count) { scratch throws(SeriesError) in
            try PackedIntegers.decode(&reader, count: count, into: scratch)
            for index in 0..<count { output[index] &+= scratch[index] }
        }
    }

    /// Replaces each number but the first by its predecessor and so many times itself.
    private static func addUp(_ output: UnsafeMutablePointer<Int64>, _ count: Int, times factor: Int64) {
        var sum = output[0]
        for index in 1..<max(count, 1) {
            sum &+= output[index] &* factor
            output[index] = sum
        }
    }
}

/// Room for numbers that are needed for the length of a call, on the stack where it is there.
func withScratch(_ count: Int, _ body: (UnsafeMutablePointer<Int64>) throws(SeriesError) -> Void) throws(SeriesError) {
    var fault: SeriesError?
    withUnsafeTemporaryAllocation(of: Int64.self, capacity: max(count, 1)) { buffer in
        guard let start = buffer.baseAddress else { return }
        start.initialize(repeating: 0, count: max(count, 1))
        do throws(SeriesError) { try body(start) } catch { fault = error }
    }
    if let fault { throw fault }
}
