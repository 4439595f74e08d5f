/// XXH64 with seed 0 (Y. Collet, xxHash specification 0.1.1): fast enough not to be felt beside the decoding.
package enum Checksum {
    private static let primes: (UInt64, UInt64, UInt64, UInt64, UInt64) = (
        0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x85EB_CA77_C2B2_AE63, 0x27D4_EB2F_1656_67C5
    )

    package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var offset = 0
        var hash = primes.4
        if bytes.count >= 32 {
            var (first, second, third, fourth) = (primes.0 &+ primes.1, primes.1, UInt64(0), 0 &- primes.0)
            while offset <= bytes.count - 32 {
                first = round(first, word(bytes, offset))
                second = round(second, word(bytes, offset + 8))
                third = round(third, word(bytes, offset + 16))
                fourth = round(fourth, word(bytes, offset + 24))
                offset += 32
            }
            hash = rotate(first, 1) &+ rotate(second, 7) &+ rotate(third, 12) &+ rotate(fourth, 18)
            for lane in [first, second, third, fourth] { hash = (hash ^ round(0, lane)) &* primes.0 &+ primes.3 }
        }
        hash &+= UInt64(bytes.count)
        return avalanche(tail(bytes, offset, hash))
    }

    private static func tail(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ hash: UInt64) -> UInt64 {
        var (offset, hash) = (start, hash)
        while offset <= bytes.count - 8 {
            hash = rotate(hash ^ round(0, word(bytes, offset)), 27) &* primes.0 &+ primes.3
            offset += 8
        }
        if offset <= bytes.count - 4 {
            let half = UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
            hash = rotate(hash ^ (half &* primes.0), 23) &* primes.1 &+ primes.2
            offset += 4
        }
        while offset < bytes.count {
            hash = rotate(hash ^ (UInt64(bytes[offset]) &* primes.4), 11) &* primes.0
            offset += 1
        }
        return hash
    }

    private static func avalanche(_ hash: UInt64) -> UInt64 {
        var hash = (hash ^ hash >> 33) &* primes.1
        hash = (hash ^ hash >> 29) &* primes.2
        return hash ^ hash >> 32
    }

    private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 { rotate(lane &+ word &* primes.1, 31) &* primes.0 }
    private static func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 { value << count | value >> (64 - count) }
}
