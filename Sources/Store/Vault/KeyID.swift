/// Which key something personal is sealed with: a random number of 128 bits, which tells nobody whose it is.
package struct KeyID: Hashable, Sendable {
    static let byteCount = 16
    private let number: UInt128

    static func random() -> KeyID { KeyID(number: UInt128.random(in: .min ... .max)) }

    private init(number: UInt128) { self.number = number }

    /// Nil unless there are as many bytes as a number has.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount else { return nil }
        number = UInt128(bigEndian: bytes.loadUnaligned(as: UInt128.self))
    }

    init?(_ bytes: some ContiguousBytesCollection) {
        guard let id = bytes.withUnsafeBytes({ KeyID($0) }) else { return nil }
        self = id
    }

    var bytes: [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }
}

/// Bytes that lie in one place.
protocol ContiguousBytesCollection { func withUnsafeBytes<Value>(_ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value }
extension [UInt8]: ContiguousBytesCollection {}
extension ArraySlice<UInt8>: ContiguousBytesCollection {}
