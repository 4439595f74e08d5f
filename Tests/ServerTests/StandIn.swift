import CityModel
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// A source, or a receiver of notifications, that is not ours: it notes what it is asked and answers what a test makes it answer.
final class StandIn: Sendable {
    struct Asked: Sendable {
        let method: HTTPRequest.Method
        /// With its query.
        let target: String
        let headers: HTTPFields
        let bytes: [UInt8]

        var json: JSON { get throws { try JSON(parsing: bytes) } }
    }

    struct Said: Sendable {
        var status = 200
        var headers: [(String, String)] = []
        var body = ""
    }

    let port: Int
    private let notes = NoteBook()
    private let arrivals: AsyncStream<Asked>
    private let group: ServiceGroup
    private let run: Task<Void, any Error>

    /// - Parameter answer: what it says to a request.
    init(_ answer: @escaping @Sendable (Asked) async throws -> Said) async throws {
        let (arrivals, arrived) = AsyncStream.makeStream(of: Asked.self)
        let (ports, started) = AsyncStream.makeStream(of: Int.self)
        self.arrivals = arrivals
        var logger = Logger(label: "stand-in")
        logger.logLevel = .critical
        let notes = notes
        let responder = CallbackResponder { (request: Request, _: BasicRequestContext) in
            let body = try await request.body.collect(upTo: 8 << 20)
            let asked = Asked(
                method: request.method, target: String(request.head.path ?? ""), headers: request.headers, bytes: Array(body.readableBytesView))
            notes.add(asked)
            arrived.yield(asked)
            let said = try await answer(asked)
            var headers: HTTPFields = [.contentType: "application/json"]
            for (name, value) in said.headers { if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) } }
            return Response(status: .init(code: said.status), headers: headers, body: .init(byteBuffer: ByteBuffer(string: said.body)))
        }
        let application = Application(
            responder: responder, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in started.yield(channel.localAddress?.port ?? 0) }, logger: logger)
        let group = ServiceGroup(services: [application], logger: logger)
        self.group = group
        run = Task { try await group.run() }
        var iterator = ports.makeAsyncIterator()
        port = await iterator.next() ?? 0
    }

    var address: String { "http://127.0.0.1:\(port)" }
    /// All that it was asked so far.
    var asked: [Asked] { notes.all }

    /// The next request that meets a condition, waiting for it.
    func next(where condition: (Asked) -> Bool = { _ in true }) async -> Asked? {
        for await asked in arrivals where condition(asked) { return asked }
        return nil
    }

    func close() async throws {
        await group.triggerGracefulShutdown()
        try await run.value
    }
}

private final class NoteBook: Sendable {
    private let notes = Mutex<[StandIn.Asked]>([])
    func add(_ asked: StandIn.Asked) { notes.withLock { $0.append(asked) } }
    var all: [StandIn.Asked] { notes.withLock { $0 } }
}
