internal import OrderedCollections

/// What values take in memory, roughly: enough to bound caches and what is gathered.
extension JSON {
    package var approximateByteCount: Int {
        switch self {
        case .null, .bool, .integer, .number: 16
        case .string(let text): 16 + text.utf8.count
        case .array(let elements): elements.reduce(32) { $0 + $1.approximateByteCount }
        case .object(let members): members.reduce(64) { $0 + 32 + $1.key.utf8.count + $1.value.approximateByteCount }
        }
    }
}

extension Attribute {
    package var approximateByteCount: Int { subattributes.approximateByteCount(128 + value.approximateByteCount) }
}

extension Entity {
    package var approximateByteCount: Int { attributes.approximateByteCount(256 + id.text.utf8.count) }
}

extension Attributes {
    fileprivate func approximateByteCount(_ start: Int) -> Int {
        values.joined().reduce(start) { $0 + $1.approximateByteCount }
    }
}
