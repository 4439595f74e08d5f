internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Asks clamd, the daemon of ClamAV, whether a file is harmful, by its command INSTREAM: the file goes over the socket, and nothing of it lies on a disk that
/// clamd could reach. One connection for each file, so many at once; others wait in a line that ends.
package final class ClamdScanner: Sendable {
    private struct State {
        var runningCount = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let settings: ScannerSettings
    private let runningCountMax: Int
    private let waitingCountMax: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - runningCountMax: files that are scanned at once; clamd has ten threads by default.
    ///   - waitingCountMax: files that wait besides, with their bytes.
    package init(_ settings: ScannerSettings, runningCountMax: Int = 4, waitingCountMax: Int = 16) {
        (self.settings, self.runningCountMax, self.waitingCountMax) = (settings, runningCountMax, waitingCountMax)
    }

    /// Never throws: what is not known is unknown, and whoever asks decides what that means.
    package func scan(_ bytes: [UInt8]) async -> ScanVerdict {
        guard await takePlace() else { return .unknown("too many files wait") }
        defer { givePlace() }
        do { return ClamdAnswer(try await answer(to: bytes)).verdict } catch { return .unknown("\(error)") }
    }

    // MARK: The line

    private func takePlace() async -> Bool {
        enum Turn { case now, later, never }
        let turn = state.withLock { state -> Turn in
            guard state.runningCount >= runningCountMax else {
                state.runningCount += 1
                return .now
            }
            return state.waiting.count < waitingCountMax ? .later : .never
        }
        guard turn == .later else { return turn == .now }
        await withCheckedContinuation { continuation in
            // Somebody may have gone meanwhile.
            let isFree = state.withLock { state in
                guard state.runningCount >= runningCountMax else {
                    state.runningCount += 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
        return true
    }

    private func givePlace() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiting.isEmpty else {
                state.runningCount -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }

    // MARK: The connection

    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>
    private static let command = "zINSTREAM\0"
    private static let chunkByteCount = 64 << 10

    private func answer(to bytes: [UInt8]) async throws -> [UInt8] {
        let connection = try await connect()
        let channel = connection.channel
        // Whatever is waited for ends with the connection.
        let deadline = channel.eventLoop.scheduleTask(in: .seconds(Int64(settings.timeoutSeconds))) { channel.close(promise: nil) }
        defer { deadline.cancel() }
        return try await connection.executeThenClose { inbound, outbound in
            // Of a file that is too large for it clamd says so before it has read all, and closes: its answer counts, not that it reads no more.
            try? await Self.send(bytes, outbound)
            var answer: [UInt8] = []
            for try await part in inbound {
                answer += part.readableBytesView
                if answer.contains(0) || answer.count > ClamdAnswer.byteCountMax { break }
            }
            return answer
        }
    }

    /// The file in chunks, each after its length (four bytes, the most significant first); one of no bytes is the end.
    private static func send(_ bytes: [UInt8], _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>) async throws {
        try await outbound.write(ByteBuffer(string: command))
        for start in stride(from: 0, to: bytes.count, by: chunkByteCount) {
            let chunk = bytes[start..<min(start + chunkByteCount, bytes.count)]
            var buffer = ByteBuffer(integer: UInt32(chunk.count))
            buffer.writeBytes(chunk)
            try await outbound.write(buffer)
        }
        try await outbound.write(ByteBuffer(integer: UInt32(0)))
    }

    private func connect() async throws -> Connection {
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(.seconds(Int64(settings.timeoutSeconds)))
        @Sendable func wrapped(_ channel: any Channel) -> EventLoopFuture<Connection> {
            channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
        }
        return switch settings.address {
        case .unix(let path): try await bootstrap.connect(unixDomainSocketPath: path, channelInitializer: wrapped)
        case .tcp(let host, let port): try await bootstrap.connect(host: host, port: port, channelInitializer: wrapped)
        }
    }
}
