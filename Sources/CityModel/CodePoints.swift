/// Texts of JSON and identifiers are sequences of code points (RFC 8259, section 8.3; RFC 3987, section 5.3.1), where Swift's `==`
/// asks whether they look the same: "é" as one code point and as two. What indexes hold by their bytes is compared like this
/// everywhere, or what is found would depend on the way to it.
extension String {
    public func hasSameCodePoints(as other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        // Stored as UTF-8, as almost all are, the bytes are compared where they lie.
        let same = utf8.withContiguousStorageIfAvailable { left in
            other.utf8.withContiguousStorageIfAvailable { right in left.hasSameBytes(as: right) }
        }
        return (same ?? nil) ?? utf8.elementsEqual(other.utf8)
    }

    /// Whether the text begins with the code points of another.
    public func beginsWithCodePoints(of prefix: String) -> Bool {
        guard utf8.count >= prefix.utf8.count else { return false }
        let same = utf8.withContiguousStorageIfAvailable { whole in
            prefix.utf8.withContiguousStorageIfAvailable { UnsafeBufferPointer(rebasing: whole[..<$0.count]).hasSameBytes(as: $0) }
        }
        return (same ?? nil) ?? utf8.starts(with: prefix.utf8)
    }

    /// Whether the text comes first in the order of code points, which is that of the bytes of UTF-8.
    public func precedes(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}

extension String {
    /// The same for texts of the same code points, and for others most likely not; another in each run of the program. Several times as quick as
    /// `Hasher` where texts are as long as names are.
    var digest: UInt64 { utf8.withContiguousStorageIfAvailable { $0.digest } ?? Array(utf8).withUnsafeBufferPointer { $0.digest } }
}

/// Nobody outside can know them, or choose texts that fall together.
private let secrets = (UInt64.random(in: 1 ... .max), UInt64.random(in: 1 ... .max))

extension UnsafeBufferPointer<UInt8> {
    /// Eight bytes are multiplied into it at a time, and both halves of the product taken.
    fileprivate var digest: UInt64 {
        let (bytes, secrets) = (UnsafeRawBufferPointer(self), secrets)
        var digest = (secrets.0 ^ UInt64(count)).folded(secrets.1)
        var index = 0
        while index + 8 <= count {
            digest = (digest ^ bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)).folded(secrets.1)
            index += 8
        }
        var rest: UInt64 = 0
        while index < count {
            rest = rest << 8 | UInt64(self[index])
            index += 1
        }
        return (digest ^ rest).folded(secrets.1)
    }

    /// Whether another of the same length holds the same. Looks at eight bytes at once.
    fileprivate func hasSameBytes(as other: UnsafeBufferPointer<UInt8>) -> Bool {
        let (left, right) = (UnsafeRawBufferPointer(self), UnsafeRawBufferPointer(other))
        var index = 0
        while index + 8 <= count {
            guard left.loadUnaligned(fromByteOffset: index, as: UInt64.self) == right.loadUnaligned(fromByteOffset: index, as: UInt64.self) else { return false }
            index += 8
        }
        while index < count {
            guard self[index] == other[index] else { return false }
            index += 1
        }
        return true
    }
}

extension UInt64 {
    fileprivate func folded(_ factor: UInt64) -> UInt64 {
        let product = multipliedFullWidth(by: factor)
        return product.high ^ product.low
    }
}
