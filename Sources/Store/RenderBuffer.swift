package import CityModel

/// What takes the parts of a text one after the other.
protocol TextSink: ~Copyable { mutating func append(_ part: UnsafeBufferPointer<UInt8>) }

extension JSONWriter: TextSink {
    mutating func append(_ part: UnsafeBufferPointer<UInt8>) { raw(part) }
}

/// Bytes that are put together of many small parts: an answer. An array asks at each whether it is shared, this one only whether there is room.
package struct RenderBuffer: ~Copyable, TextSink {
    private var start: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    package private(set) var count = 0

    package init(byteCapacity: Int) {
        capacity = max(byteCapacity, 64)
        start = .allocate(capacity: capacity)
    }

    deinit { start.deallocate() }

    package mutating func append(_ part: UnsafeBufferPointer<UInt8>) {
        guard let source = part.baseAddress else { return }
        if capacity - count < part.count { grow(by: part.count) }
        (start + count).update(from: source, count: part.count)
        count += part.count
    }

    package mutating func append(_ part: [UInt8]) { part.withUnsafeBufferPointer { append($0) } }
    package mutating func append(_ part: StaticString) { append(UnsafeBufferPointer(start: part.utf8Start, count: part.utf8CodeUnitCount)) }

    /// Forgets the last bytes.
    package mutating func removeLast(_ removedCount: Int) { count -= min(count, max(0, removedCount)) }

    /// The bytes, which stay where they are while `body` runs.
    package func withBytes<Value>(_ body: (UnsafeBufferPointer<UInt8>) throws -> Value) rethrows -> Value {
        try body(UnsafeBufferPointer(start: start, count: count))
    }

    private mutating func grow(by byteCount: Int) {
        capacity = max(capacity * 2, count + byteCount)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.update(from: start, count: count)
        start.deallocate()
        start = larger
    }
}
