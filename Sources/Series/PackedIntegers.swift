/// Numbers as multiples of a unit from a base on, bit-packed as wide as nearly all of them need; the few that need more are
/// told apart (frame of reference with exceptions).
enum PackedIntegers {
    private static let exceptionBit: UInt8 = 0x80
    /// Bytes of an exception in the reckoning that chooses the width: its position and what is over.
    private static let exceptionByteCount = 3

    static func encode(_ values: [Int64], to writer: inout ByteWriter) {
        guard let least = values.min(), let greatest = values.max() else { return }
        guard least < greatest else {
            writer.byte(0)
            writer.signed(least)
            return writer.varint(1)
        }
        let unit = unit(of: values, from: least, to: greatest)
        let spread = UInt64(bitPattern: greatest &- least)
        // Where the spread passes what a signed number holds, there are neither units nor exceptions.
        let isPlain = spread > UInt64(Int64.max)
        let distances = values.map { UInt64(bitPattern: $0 &- least) }
        let codes = unit == 1 ? distances : distances.map { $0 / UInt64(unit) }
        let frame = isPlain ? Frame(base: 0, width: 64, exceptionCount: 0) : Frame(of: codes)
        let base = isPlain ? least : least + Int64(frame.base) * unit
        writer.byte(UInt8(frame.width) | (frame.exceptionCount > 0 ? exceptionBit : 0))
        writer.signed(base)
        writer.varint(UInt64(unit))
        let isException: (UInt64) -> Bool = { frame.width < 64 && ($0 < frame.base || ($0 - frame.base) >> UInt64(frame.width) != 0) }
        if frame.exceptionCount > 0 { writeExceptions(codes, frame, isException, to: &writer) }
        BitPacking.pack(codes.map { isException($0) ? 0 : $0 - frame.base }, width: frame.width, to: &writer)
    }

    private static func writeExceptions(_ codes: [UInt64], _ frame: Frame, _ isException: (UInt64) -> Bool, to writer: inout ByteWriter) {
        writer.varint(UInt64(frame.exceptionCount))
        var last = 0
        for (position, code) in codes.enumerated() where isException(code) {
            writer.varint(UInt64(position - last))
            writer.signed(Int64(bitPattern: code &- frame.base))
            last = position
        }
    }

    /// The greatest number of which all distances are multiples.
    private static func unit(of values: [Int64], from least: Int64, to greatest: Int64) -> Int64 {
        guard UInt64(bitPattern: greatest &- least) <= UInt64(Int64.max) else { return 1 }
        var unit: Int64 = 0
        for value in values where unit != 1 {
            var (left, right) = (unit, value - least)
            while right != 0 { (left, right) = (right, left % right) }
            unit = left
        }
        return max(unit, 1)
    }

    /// - Parameter output: has room for `count` numbers.
    static func decode(_ reader: inout ByteReader, count: Int, into output: UnsafeMutablePointer<Int64>) throws(SeriesError) {
        guard count > 0 else { return }
        let header = try reader.byte()
        let width = Int(header & ~exceptionBit)
        guard width <= 64, width == BitPacking.width(bits: width) else { throw .malformed("a width of \(width) bits") }
        let base = try reader.signed()
        let unit = Int64(bitPattern: try reader.varint())
        let exceptionCount = header & exceptionBit == 0 ? 0 : try reader.count(atMost: count)
        var exceptions = reader
        for _ in 0..<exceptionCount {
            _ = try reader.varint()
            _ = try reader.varint()
        }
        let start = try reader.skip(BitPacking.byteCount(count, width: width))
        BitPacking.unpack(reader.bytes, from: start, width: width, count: count, base: base, unit: unit, into: output)
        var position = 0
        for _ in 0..<exceptionCount {
            position += try exceptions.count(atMost: count)
            guard position < count else { throw .malformed("an exception beyond the last number") }
            output[position] = base &+ (try exceptions.signed()) &* unit
        }
    }

    /// Where packed codes begin and how many bits they have.
    private struct Frame {
        let base: UInt64
        let width: Int
        let exceptionCount: Int

        init(base: UInt64, width: Int, exceptionCount: Int) { (self.base, self.width, self.exceptionCount) = (base, width, exceptionCount) }

        /// The frame that makes the fewest bytes of the codes: for each width, the one that holds most of them.
        init(of codes: [UInt64]) {
            let sorted = codes.sorted()
            let widest = BitPacking.width(bits: 64 - (sorted[sorted.count - 1]).leadingZeroBitCount)
            var best = Frame(base: 0, width: widest, exceptionCount: 0)
            var bestByteCount = BitPacking.byteCount(codes.count, width: widest)
            for width in stride(from: min(widest - 1, 56), through: 0, by: -1) {
                let (start, covered) = Self.window(sorted, width)
                let exceptionCount = codes.count - covered
                let byteCount = BitPacking.byteCount(codes.count, width: width) + exceptionCount * PackedIntegers.exceptionByteCount
                if byteCount < bestByteCount {
                    (best, bestByteCount) = (Frame(base: sorted[start], width: width, exceptionCount: exceptionCount), byteCount)
                }
                // Narrower ones have more exceptions still.
                if exceptionCount * PackedIntegers.exceptionByteCount > bestByteCount { break }
            }
            self = best
        }

        /// The start of the span of `2^width` codes that holds most of them, and how many it holds.
        private static func window(_ sorted: [UInt64], _ width: Int) -> (start: Int, covered: Int) {
            var (start, best) = (0, (start: 0, covered: 0))
            sorted.withUnsafeBufferPointer { sorted in
                for end in sorted.indices {
                    while (sorted[end] &- sorted[start]) >> UInt64(width) != 0 { start &+= 1 }
                    if end &- start &+ 1 > best.covered { best = (start, end &- start &+ 1) }
                }
            }
            return best
        }
    }
}
