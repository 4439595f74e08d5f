/// A QR code (ISO/IEC 18004) of some bytes, with error correction level M: up to 331 bytes, in versions 1 to 13.
struct QRCode {
    /// Modules along one side.
    private(set) var size: Int
    /// Rows of modules; true is dark.
    private(set) var modules: [[Bool]]
    /// Modules that carry no data: patterns, format and version.
    private var isFixed: [[Bool]]

    /// A quiet zone that readers need, in modules.
    static let margin = 4
    var sizeWithMargin: Int { size + 2 * Self.margin }

    /// Of level M (table 9): codewords of error correction in each block, and blocks with their data codewords.
    private static let versions: [(correctionCount: Int, blocks: [(count: Int, dataCount: Int)])] = [
        (10, [(1, 16)]), (16, [(1, 28)]), (26, [(1, 44)]), (18, [(2, 32)]), (24, [(2, 43)]), (16, [(4, 27)]), (18, [(4, 31)]),
        (22, [(2, 38), (2, 39)]), (22, [(3, 36), (2, 37)]), (26, [(4, 43), (1, 44)]), (30, [(1, 50), (4, 51)]), (22, [(6, 36), (2, 37)]),
        (22, [(8, 37), (1, 38)]),
    ]

    /// Nil for more bytes than the largest of these versions holds.
    /// - Parameter mask: one of the eight; nil: the one that is easiest to read.
    init?(_ bytes: [UInt8], mask: Int? = nil) {
        func capacity(_ version: Int) -> Int { Self.versions[version - 1].blocks.reduce(0) { $0 + $1.count * $1.dataCount } }
        func lengthBitCount(_ version: Int) -> Int { version < 10 ? 8 : 16 }
        guard let version = (1...Self.versions.count).first(where: { 4 + lengthBitCount($0) + 8 * bytes.count <= 8 * capacity($0) }) else { return nil }
        size = 17 + 4 * version
        modules = Array(repeating: Array(repeating: false, count: size), count: size)
        isFixed = modules
        drawPatterns(version)
        let data = Self.data(bytes, lengthBitCount: lengthBitCount(version), byteCount: capacity(version))
        place(Self.codewords(data, Self.versions[version - 1]))
        let best = mask ?? (0..<8).map { (mask: $0, penalty: masked($0).penalty) }.min { $0.penalty < $1.penalty }?.mask ?? 0
        self = masked(best)
    }

    /// The dark modules as an SVG path, within the quiet zone.
    var path: String {
        var text = ""
        for (y, row) in modules.enumerated() {
            for (x, isDark) in row.enumerated() where isDark { text += "M\(x + Self.margin) \(y + Self.margin)h1v1h-1z" }
        }
        return text
    }
}

// MARK: - Codewords

extension QRCode {
    /// The bytes with mode and length before them, padded (section 7.4).
    private static func data(_ bytes: [UInt8], lengthBitCount: Int, byteCount: Int) -> [UInt8] {
        var bits: [Bool] = []
        func append(_ value: Int, _ count: Int) { for place in stride(from: count - 1, through: 0, by: -1) { bits.append(value >> place & 1 == 1) } }
        append(0b0100, 4)
        append(bytes.count, lengthBitCount)
        for byte in bytes { append(Int(byte), 8) }
        append(0, min(4, 8 * byteCount - bits.count))
        append(0, (8 - bits.count % 8) % 8)
        var data = stride(from: 0, to: bits.count, by: 8).map { start in bits[start..<start + 8].reduce(UInt8(0)) { $0 << 1 | ($1 ? 1 : 0) } }
        var pad: UInt8 = 0xEC
        while data.count < byteCount {
            data.append(pad)
            pad ^= 0xEC ^ 0x11
        }
        return data
    }

    /// Blocks with their error correction, interleaved (section 7.6).
    private static func codewords(_ data: [UInt8], _ version: (correctionCount: Int, blocks: [(count: Int, dataCount: Int)])) -> [UInt8] {
        var rest = data[...]
        var blocks: [[UInt8]] = []
        for (count, dataCount) in version.blocks {
            for _ in 0..<count {
                blocks.append(Array(rest.prefix(dataCount)))
                rest = rest.dropFirst(dataCount)
            }
        }
        let corrections = blocks.map { ReedSolomon.remainder($0, count: version.correctionCount) }
        let longest = blocks.map(\.count).max() ?? 0
        return (0..<longest).flatMap { index in blocks.compactMap { index < $0.count ? $0[index] : nil } }
            + (0..<version.correctionCount).flatMap { index in corrections.map { $0[index] } }
    }
}

/// Error correction over GF(2^8) with the polynomial 0x11D (section 7.5).
private enum ReedSolomon {
    static func remainder(_ data: [UInt8], count: Int) -> [UInt8] {
        var generator: [UInt8] = Array(repeating: 0, count: count - 1) + [1]
        var root: UInt8 = 1
        for _ in 0..<count {
            for index in 0..<count {
                generator[index] = product(generator[index], root) ^ (index + 1 < count ? generator[index + 1] : 0)
            }
            root = product(root, 2)
        }
        var remainder = [UInt8](repeating: 0, count: count)
        for byte in data {
            let factor = byte ^ remainder.removeFirst()
            remainder.append(0)
            for index in 0..<count { remainder[index] ^= product(generator[index], factor) }
        }
        return remainder
    }

    private static func product(_ left: UInt8, _ right: UInt8) -> UInt8 {
        var result: UInt16 = 0
        for place in stride(from: 7, through: 0, by: -1) {
            result = result << 1 ^ (result >> 7) * 0x11D
            result ^= UInt16(right >> UInt8(place) & 1) * UInt16(left)
        }
        return UInt8(truncatingIfNeeded: result)
    }
}

// MARK: - Patterns

extension QRCode {
    private mutating func set(_ x: Int, _ y: Int, _ isDark: Bool) {
        guard modules.indices.contains(y), modules.indices.contains(x) else { return }
        (modules[y][x], isFixed[y][x]) = (isDark, true)
    }

    private mutating func drawPatterns(_ version: Int) {
        for index in 0..<size {
            set(6, index, index % 2 == 0)
            set(index, 6, index % 2 == 0)
        }
        for (x, y) in [(3, 3), (size - 4, 3), (3, size - 4)] {
            for dy in -4...4 {
                for dx in -4...4 {
                    let distance = max(abs(dx), abs(dy))
                    set(x + dx, y + dy, distance != 2 && distance != 4)
                }
            }
        }
        drawAlignment(version)
        drawFormat(mask: 0)
        drawVersion(version)
    }

    /// Annex E.
    private mutating func drawAlignment(_ version: Int) {
        guard version > 1 else { return }
        let middles = version < 7 ? [6, size - 7] : [6, (size - 1) / 2, size - 7]
        for x in middles {
            for y in middles where ![(6, 6), (6, size - 7), (size - 7, 6)].contains(where: { $0 == (x, y) }) {
                for dy in -2...2 { for dx in -2...2 { set(x + dx, y + dy, max(abs(dx), abs(dy)) != 1) } }
            }
        }
    }

    /// Section 7.9: twice, with level M (00).
    private mutating func drawFormat(mask: Int) {
        var remainder = mask
        for _ in 0..<10 { remainder = remainder << 1 ^ (remainder >> 9) * 0x537 }
        let bits = (mask << 10 | remainder) ^ 0x5412
        func bit(_ place: Int) -> Bool { bits >> place & 1 == 1 }
        for place in 0..<6 { set(8, place, bit(place)) }
        set(8, 7, bit(6))
        set(8, 8, bit(7))
        set(7, 8, bit(8))
        for place in 9..<15 { set(14 - place, 8, bit(place)) }
        for place in 0..<8 { set(size - 1 - place, 8, bit(place)) }
        for place in 8..<15 { set(8, size - 15 + place, bit(place)) }
        set(8, size - 8, true)
    }

    /// Section 7.10.
    private mutating func drawVersion(_ version: Int) {
        guard version >= 7 else { return }
        var remainder = version
        for _ in 0..<12 { remainder = remainder << 1 ^ (remainder >> 11) * 0x1F25 }
        let bits = version << 12 | remainder
        for place in 0..<18 {
            let (far, near) = (size - 11 + place % 3, place / 3)
            set(far, near, bits >> place & 1 == 1)
            set(near, far, bits >> place & 1 == 1)
        }
    }

    /// Section 7.7.3: two columns at a time from the right, up and down.
    private mutating func place(_ codewords: [UInt8]) {
        var index = 0
        var right = size - 1
        while right >= 1 {
            if right == 6 { right = 5 }
            for step in 0..<size {
                for x in [right, right - 1] {
                    let y = (right + 1) & 2 == 0 ? size - 1 - step : step
                    guard !isFixed[y][x], index < 8 * codewords.count else { continue }
                    modules[y][x] = codewords[index >> 3] >> UInt8(7 - index & 7) & 1 == 1
                    index += 1
                }
            }
            right -= 2
        }
    }
}

// MARK: - Masks

extension QRCode {
    /// Section 7.8.2.
    private func masked(_ mask: Int) -> QRCode {
        var code = self
        for y in 0..<size {
            for x in 0..<size where !isFixed[y][x] {
                let inverts =
                    switch mask {
                    case 0: (x + y) % 2 == 0
                    case 1: y % 2 == 0
                    case 2: x % 3 == 0
                    case 3: (x + y) % 3 == 0
                    case 4: (x / 3 + y / 2) % 2 == 0
                    case 5: x * y % 2 + x * y % 3 == 0
                    case 6: (x * y % 2 + x * y % 3) % 2 == 0
                    default: ((x + y) % 2 + x * y % 3) % 2 == 0
                    }
                if inverts { code.modules[y][x].toggle() }
            }
        }
        code.drawFormat(mask: mask)
        return code
    }

    /// How hard it is to read (section 7.8.3).
    private var penalty: Int {
        let columns = (0..<size).map { x in modules.map { $0[x] } }
        var penalty = (modules + columns).reduce(0) { $0 + Self.linePenalty($1) }
        for y in 0..<size - 1 {
            for x in 0..<size - 1 where modules[y][x] == modules[y][x + 1] && modules[y][x] == modules[y + 1][x] && modules[y][x] == modules[y + 1][x + 1] {
                penalty += 3
            }
        }
        let darkCount = modules.reduce(0) { $0 + $1.count { $0 } }
        return penalty + abs(darkCount * 20 - size * size * 10) / (size * size) * 10
    }

    private static func linePenalty(_ line: [Bool]) -> Int {
        var (penalty, run) = (0, 1)
        for (previous, next) in zip(line, line.dropFirst()) {
            run = previous == next ? run + 1 : 1
            if run == 5 { penalty += 3 } else if run > 5 { penalty += 1 }
        }
        let finder = [true, false, true, true, true, false, true]
        let (before, after) = ([false, false, false, false] + finder, finder + [false, false, false, false])
        for start in 0...line.count - 11 {
            let part = Array(line[start..<start + 11])
            if part == before || part == after { penalty += 40 }
        }
        return penalty
    }
}
