internal import Dispatch
internal import Synchronization

/// Hands messages to the mail server, on threads of its own because libcurl waits where it works. As many connections as there are threads stay open from
/// message to message, as long as the server likes; others wait in lines.
package final class SMTPSender: Sendable {
    /// A thread and its connection.
    ///
    /// `@unchecked`: `connection` is used on the serial queue alone.
    private final class Worker: @unchecked Sendable {
        private let queue = DispatchQueue(label: "conurb.mail", qos: .utility)
        private var connection: SMTPConnection?

        /// Saying goodbye may wait for the server, so it happens on the queue too.
        deinit { queue.async { [connection] in withExtendedLifetime(connection) {} } }

        func run(_ settings: SMTPSettings, _ work: @escaping @Sendable (SMTPConnection?) -> Void) {
            queue.async { [self] in
                if connection == nil { connection = SMTPConnection(settings) }
                work(connection)
            }
        }

        func close() async {
            await withCheckedContinuation { continuation in
                queue.async { [self] in
                    connection = nil
                    continuation.resume()
                }
            }
        }
    }

    package let settings: SMTPSettings
    private let workers: [Worker]
    /// How many messages each worker has, the one that it sends and those that wait.
    private let loads: Mutex<[Int]>
    private let countMax: Int

    /// Of a message as it is sent.
    package static let byteCountMax = 1_000_000

    /// - Parameters:
    ///   - connectionCountMax: how many messages are sent at once, at least 1.
    ///   - waitingCountMax: how many wait besides.
    package init(_ settings: SMTPSettings, connectionCountMax: Int = 2, waitingCountMax: Int = 128) {
        self.settings = settings
        let workerCount = max(1, connectionCountMax)
        workers = (0..<workerCount).map { _ in Worker() }
        loads = Mutex([Int](repeating: 0, count: workerCount))
        countMax = workerCount + waitingCountMax
    }

    /// Returns when the server has taken the message. Whoever is cancelled meanwhile learns all the same what became of it.
    package func send(_ message: MailMessage) async throws(MailFault) {
        guard let index = takePlace() else { throw .busy }
        let result: Result<Void, MailFault> = await withCheckedContinuation { continuation in
            workers[index].run(settings) { [self] connection in
                let result = Result { () throws(MailFault) in try Self.send(message, by: connection) }
                loads.withLock { $0[index] -= 1 }
                continuation.resume(returning: result)
            }
        }
        try result.get()
    }

    /// Ends the connections when what waits was sent. The next message opens one anew.
    package func close() async { for worker in workers { await worker.close() } }

    private static func send(_ message: MailMessage, by connection: SMTPConnection?) throws(MailFault) {
        let bytes = message.rendered()
        guard bytes.count <= byteCountMax else { throw .tooLarge(byteCount: bytes.count, byteCountMax: byteCountMax) }
        guard let connection else { throw .local(code: 0) }
        try connection.send(bytes, to: message.recipient)
    }

    /// With the worker that has the least to do; among equals the first, so that seldom mail goes over one connection. Nil when too many wait.
    private func takePlace() -> Int? {
        loads.withLock { loads in
            guard loads.reduce(0, +) < countMax, let index = loads.indices.min(by: { loads[$0] < loads[$1] }) else { return nil }
            loads[index] += 1
            return index
        }
    }
}
