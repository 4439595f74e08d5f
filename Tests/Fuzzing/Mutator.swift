import CityModel
import OrderedCollections

/// Makes inputs of those there are, the same ones for the same seed.
package struct Mutator {
    private var random: Random
    private let entry: FuzzEntry
    private let corpus: [[UInt8]]

    private static let byteCountMax = 1 << 14

    /// - Parameter corpus: what to begin with; a short input of nothing much when there is none.
    package init(_ entry: FuzzEntry, corpus: [[UInt8]], seed: UInt64) {
        (self.entry, self.corpus, random) = (entry, corpus.isEmpty ? [[0x30]] : corpus, Random(seed: seed))
    }

    package mutating func next() -> [UInt8] {
        var bytes = pick(corpus)
        for _ in 0...random.below(4) { change(&bytes) }
        return bytes.count <= Self.byteCountMax ? bytes : Array(bytes.prefix(Self.byteCountMax))
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element { elements[random.below(elements.count)] }

    private mutating func change(_ bytes: inout [UInt8]) {
        if entry.isJSON, random.below(2) == 0, let json = try? JSON(parsing: bytes) {
            var writer = JSONWriter()
            writer.write(changed(json))
            bytes = writer.bytes
            return
        }
        let place = random.below(bytes.count + 1)
        switch random.below(entry.tokens.isEmpty ? 10 : 14) {
        case 0: if place < bytes.count { bytes[place] ^= 1 << UInt8(random.below(8)) }
        case 1: if place < bytes.count { bytes[place] = UInt8(random.below(256)) }
        case 2: bytes.insert(pick(Array("\u{0}\n\r \"',;:.{}[]()<>&%=-+/\\*#09aZ".utf8) + [0x80, 0xC3, 0xE2, 0xF0, 0xFF]), at: place)
        case 3: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.below(8)))
        case 4: bytes.removeSubrange(place...)
        // A piece again, once or many times: that is how deep and long things come to be.
        case 5:
            let piece = Array(bytes[place..<min(bytes.count, place + 1 + random.below(32))])
            let times = random.below(8) == 0 ? random.below(300) : 1 + random.below(3)
            bytes.insert(contentsOf: Array(repeating: piece, count: times).joined(), at: place)
        case 6:
            let other = pick(corpus)
            let from = random.below(other.count + 1)
            bytes = Array(bytes.prefix(place)) + other.dropFirst(from)
        case 7:
            let number = pick(["0", "-1", "1e999", "4294967296", "9223372036854775808", "-9223372036854775809", "0.1", "00", "1e-400", "NaN"])
            let start = bytes.indices.dropFirst(place).first { (48...57).contains(bytes[$0]) } ?? place
            let end = bytes.indices.dropFirst(start).first { !(48...57).contains(bytes[$0]) } ?? bytes.count
            bytes.replaceSubrange(start..<max(start, end), with: number.utf8)
        case 8: if place + 4 <= bytes.count { for index in 0..<4 { bytes[place + index] = pick([0, 1, 0x7F, 0x80, 0xFF]) } }
        case 9:
            let from = random.below(bytes.count + 1), count = min(random.below(32), bytes.count - max(from, place))
            if count > 0 { for index in 0..<count { bytes.swapAt(from + index, place + index) } }
        default:
            let token = Array(pick(entry.tokens).utf8)
            if random.below(3) == 0 { bytes.replaceSubrange(place..<min(bytes.count, place + token.count), with: token) } else { bytes.insert(contentsOf: token, at: place) }
        }
    }

    // MARK: JSON as a tree

    /// Goes down at random, and changes what it comes to.
    private mutating func changed(_ json: JSON) -> JSON {
        switch json {
        case .array(var elements) where !elements.isEmpty && random.below(4) > 0:
            let place = random.below(elements.count)
            switch random.below(6) {
            case 0: elements.remove(at: place)
            case 1: elements.append(elements[place])
            default: elements[place] = changed(elements[place])
            }
            return .array(elements)
        case .object(var members) where !members.isEmpty && random.below(4) > 0:
            let (name, value) = members.elements[random.below(members.count)]
            switch random.below(8) {
            case 0: members[name] = nil
            case 1: members[token(name)] = value
            case 2: members[token("extra")] = leaf()
            default: members[name] = changed(value)
            }
            return .object(members)
        default:
            switch random.below(5) {
            case 0: return .array(Array(repeating: json, count: random.below(3)))
            case 1:
                // Depth that nothing asks for.
                var nested = json
                for _ in 0..<random.below(80) { nested = random.below(2) == 0 ? .array([nested]) : .object([token("a"): nested]) }
                return nested
            default: return leaf()
            }
        }
    }

    private mutating func token(_ otherwise: String) -> String { entry.tokens.isEmpty ? otherwise : pick(entry.tokens) }

    private mutating func leaf() -> JSON {
        switch random.below(8) {
        case 0: .null
        case 1: .bool(true)
        case 2: .integer(pick([0, -1, 1, .max, .min, 256]))
        case 3: .number(pick([0.5, 1e308, -1e-300, 180.0001]))
        case 4: .string("")
        case 5: .object([:])
        default: .string(token("x"))
        }
    }
}

/// A small generator with a seed.
struct Random {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ count: Int) -> Int { Int(next() % UInt64(max(1, count))) }
}
