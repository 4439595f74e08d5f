/// Numbers of equal width without gaps between them, the least bit first.
///
/// A number is one load, one shift and one mask, so widths end at 56 bits, where a number never reaches into a ninth byte;
/// larger ones take 64.
enum BitPacking {
    /// The width that numbers of `bits` significant bits are packed with.
    static func width(bits: Int) -> Int { bits <= 56 ? bits : 64 }

    static func byteCount(_ count: Int, width: Int) -> Int { (count * width + 7) / 8 }

    static func pack(_ codes: [UInt64], width: Int, to writer: inout ByteWriter) {
        guard width > 0 else { return }
        guard width < 64 else {
            for code in codes { writer.fixed64(code) }
            return
        }
        var (pending, pendingCount) = (UInt64(0), 0)
        for code in codes {
            pending |= code << UInt64(pendingCount)
            pendingCount += width
            while pendingCount >= 8 {
                writer.byte(UInt8(truncatingIfNeeded: pending))
                pending >>= 8
                pendingCount -= 8
            }
        }
        if pendingCount > 0 { writer.byte(UInt8(truncatingIfNeeded: pending)) }
    }

    /// Puts `base + unit × code` for each of `count` codes into `output`, wrapping.
    /// - Parameter start: where the codes begin; their bytes were taken from a `ByteReader`, which leaves eight behind them.
    static func unpack(
        _ bytes: UnsafeRawBufferPointer, from start: Int, width: Int, count: Int, base: Int64, unit: Int64,
        into output: UnsafeMutablePointer<Int64>
    ) {
        guard width > 0 else { return output.update(repeating: base, count: count) }
        guard width < 64, let codes = bytes.baseAddress?.advanced(by: start) else {
            for index in 0..<count {
                let code = Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: start + index * 8, as: Int64.self))
                output[index] = base &+ code &* unit
            }
            return
        }
        let mask = (UInt64(1) << UInt64(width)) &- 1
        var bit = 0
        // The unit is mostly one, and a product costs three times what the rest does.
        if unit == 1 {
            for index in 0..<count {
                let word = UInt64(littleEndian: codes.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self))
                output[index] = base &+ Int64(bitPattern: word >> UInt64(bit & 7) & mask)
                bit &+= width
            }
        } else {
            for index in 0..<count {
                let word = UInt64(littleEndian: codes.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self))
                output[index] = base &+ Int64(bitPattern: word >> UInt64(bit & 7) & mask) &* unit
                bit &+= width
            }
        }
    }
}
