internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Synchronization

/// Collects what a response writes, up to a bound.
final class BodyCollector: ResponseBodyWriter, Sendable {
    private let gathered = Mutex(ByteBuffer())
    private let byteCountMax: Int

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    var bytes: ByteBuffer { gathered.withLock { $0 } }

    /// - Throws: `NIOTooManyBytesError`.
    func write(_ buffer: ByteBuffer) throws {
        try gathered.withLock { gathered in
            guard gathered.readableBytes + buffer.readableBytes <= byteCountMax else { throw NIOTooManyBytesError(maxBytes: byteCountMax) }
            if gathered.readableBytes == 0 { gathered = buffer } else { gathered.writeImmutableBuffer(buffer) }
        }
    }

    func finish(_ trailingHeaders: HTTPFields?) {}
}
