/// Writes a FlatBuffer (<https://flatbuffers.dev/internals>), as much of the format as Arrow's metadata needs. It is built from its
/// end: what is referred to is written before what refers to it. Offsets are counted from the end.
struct FlatBuffer {
    typealias Offset = Int

    /// In reverse order.
    private var reversed: [UInt8] = []
    private var fields: [(slot: Int, offset: Offset)] = []
    private var tableEnd = 0

    /// Writes zeros so that after `size` more bytes the place is a multiple of `alignment`.
    private mutating func align(_ alignment: Int, before size: Int) {
        while (reversed.count + size) % alignment != 0 { reversed.append(0) }
    }

    private mutating func put(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value.bigEndian) { reversed.append(contentsOf: $0) } }

    private mutating func putReference(to target: Offset) {
        align(4, before: 4)
        put(UInt32(reversed.count + 4 - target))
    }

    mutating func text(_ text: String) -> Offset {
        let bytes = Array(text.utf8)
        align(4, before: bytes.count + 1)
        reversed.append(0)
        reversed.append(contentsOf: bytes.reversed())
        put(UInt32(bytes.count))
        return reversed.count
    }

    mutating func vector(of targets: [Offset]) -> Offset {
        align(4, before: targets.count * 4)
        for target in targets.reversed() { putReference(to: target) }
        put(UInt32(targets.count))
        return reversed.count
    }

    /// A vector of structures of two 64-bit numbers.
    mutating func vector(of pairs: [(Int64, Int64)]) -> Offset {
        align(8, before: pairs.count * 16)
        for (first, second) in pairs.reversed() {
            put(second)
            put(first)
        }
        put(UInt32(pairs.count))
        return reversed.count
    }

    /// A table whose fields `body` adds.
    mutating func table(_ body: (inout FlatBuffer) -> Void) -> Offset {
        (fields, tableEnd) = ([], reversed.count)
        body(&self)
        align(4, before: 4)
        put(Int32(0))
        let table = reversed.count
        let slotCount = (fields.map(\.slot).max() ?? -1) + 1
        for slot in (0..<slotCount).reversed() { put(UInt16(fields.first { $0.slot == slot }.map { table - $0.offset } ?? 0)) }
        put(UInt16(table - tableEnd))
        put(UInt16(4 + 2 * slotCount))
        // The table begins with how far before it its layout is.
        let distance = Int32(reversed.count - table)
        withUnsafeBytes(of: distance.bigEndian) { reversed.replaceSubrange(table - 4..<table, with: $0) }
        return table
    }

    mutating func field(_ slot: Int, _ value: some FixedWidthInteger) {
        let size = value.bitWidth / 8
        align(size, before: size)
        put(value)
        fields.append((slot, reversed.count))
    }

    mutating func field(_ slot: Int, referringTo target: Offset) {
        putReference(to: target)
        fields.append((slot, reversed.count))
    }

    /// The finished buffer, a multiple of 8 bytes long.
    mutating func bytes(root: Offset) -> [UInt8] {
        align(8, before: 4)
        putReference(to: root)
        return reversed.reversed()
    }
}
