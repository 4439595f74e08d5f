internal import Door
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes

/// Answers what is answered in a moment on the thread of its connection, from the last byte of the request to the first of the answer: no queue is between them, and
/// no other thread is woken (`Route.isPrompt`). A request whose door has to wait after all goes on elsewhere and comes back. All others pass by, to
/// who serves connections in general.
///
/// One request at a time is in the hands of either: what a client sends ahead waits here, unread beyond what had arrived.
final class PromptAnswers: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private enum State {
        case idle
        /// A request that will be answered here is arriving.
        case arriving(PromptRequest)
        case answering
        /// Requests that pass by: how many have no answer yet, and whether the last is still arriving.
        case passing(unansweredCount: Int, isArriving: Bool)
    }

    /// What came while another request was in hand.
    private enum Held {
        case part(HTTPRequestPart)
        case event(Any)
    }

    private let responder: Responder
    private var state = State.idle
    private var held = CircularBuffer<Held>()
    private var isDraining = false
    /// Whether bytes are being read: then who serves connections hears of the end of it from the connection itself.
    private var isReading = false
    private var hasPassed = false
    /// Whether more was to be read while something was held.
    private var hasToRead = false
    private var peer: SocketAddress?
    private var microcache: MicrocacheHandler?

    init(responder: Responder) { self.responder = responder }

    func handlerAdded(context: ChannelHandlerContext) {
        peer = context.channel.remoteAddress
        microcache = try? context.pipeline.syncOperations.handler(type: MicrocacheHandler.self)
    }

    // MARK: What comes

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isReading = true
        held.append(.part(unwrapInboundIn(data)))
        drain(context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        (isReading, hasPassed) = (false, false)
        context.fireChannelReadComplete()
    }

    /// That a client will send no more is told after what it sent.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        held.append(.event(event))
        drain(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .arriving(let request) = state {
            state = .answering
            return finish(responder.failure(error, request.head), askedByteCount: nil, context)
        }
        // While an answer is made here, the fault is of what follows: `ConnectionGuard` lets the answer be the last.
        if case .answering = state, error is HTTPParserError || error is BodyTooSlow { return }
        context.fireErrorCaught(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        held.removeAll()
        context.fireChannelInactive()
    }

    /// No more is read while something waits.
    func read(context: ChannelHandlerContext) {
        if held.isEmpty { context.read() } else { hasToRead = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        context.fireChannelWritabilityChanged()
        drain(context)
    }

    private func drain(_ context: ChannelHandlerContext) {
        guard !isDraining else { return }
        isDraining = true
        while mayTakeNext(context), let next = held.popFirst() {
            switch next {
            case .part(let part): take(part, context)
            case .event(let event): context.fireUserInboundEventTriggered(event)
            }
        }
        isDraining = false
        if hasPassed, !isReading {
            hasPassed = false
            context.fireChannelReadComplete()
        }
        if hasToRead, held.isEmpty {
            hasToRead = false
            context.read()
        }
    }

    /// Nothing is begun while the client takes nothing of what waits for it.
    private func mayTakeNext(_ context: ChannelHandlerContext) -> Bool {
        switch state {
        case .answering: false
        case .idle: context.channel.isWritable
        case .arriving, .passing: true
        }
    }

    private func take(_ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
        switch (state, part) {
        case (.arriving(var request), .body(let bytes)):
            state = .idle
            request.add(bytes)
            state = .arriving(request)
        case (.arriving(let request), .end): answer(request, context)
        case (.idle, .head(let head)):
            if let request = responder.promptRequest(head) { state = .arriving(request) } else { pass(part, context) }
        default: pass(part, context)
        }
    }

    // MARK: What passes by

    private func pass(_ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
        var (count, isArriving) = (0, false)
        if case .passing(let unansweredCount, let wasArriving) = state { (count, isArriving) = (unansweredCount, wasArriving) }
        switch part {
        case .head:
            (count, isArriving) = (count + 1, true)
            microcache?.passed()
        case .body: break
        case .end: isArriving = false
        }
        settle(count, isArriving)
        hasPassed = true
        context.fireChannelRead(wrapInboundOut(part))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(data, promise: promise)
        guard case .passing(let count, let isArriving) = state, case .end = unwrapOutboundIn(data) else { return }
        settle(count - 1, isArriving)
        drain(context)
    }

    private func settle(_ unansweredCount: Int, _ isArriving: Bool) {
        state = unansweredCount > 0 || isArriving ? .passing(unansweredCount: unansweredCount, isArriving: isArriving) : .idle
    }

    // MARK: What is answered here

    private func answer(_ request: PromptRequest, _ context: ChannelHandlerContext) {
        state = .answering
        let connection = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        let (responder, peer, loop) = (responder, peer, context.eventLoop)
        let reuse = microcache?.mayKeep == true ? AnswerReuse() : nil
        // What has a body will wait for the writer, and comes back to the connection's thread; what has none is expected not to leave it.
        Task.immediate(executorPreference: request.body == nil ? nil : LoopExecutor(loop)) {
            let answer = await responder.answer(request, from: peer, reuse)
            if loop.inEventLoop { return connection.value.handler.finish(answer, askedByteCount: request.byteCount, connection.value.context) }
            loop.execute { connection.value.handler.finish(answer, askedByteCount: request.byteCount, connection.value.context) }
        }
    }

    private func finish(_ answer: PromptAnswer, askedByteCount: Int?, _ context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.head(answer.head)), promise: nil)
        if let body = answer.body { context.write(wrapOutboundOut(.body(body)), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        microcache?.answered(
            answer.reuse, route: answer.route, bodyByteCount: answer.body?.readableBytes ?? 0, askedByteCount: answer.isLast ? nil : askedByteCount)
        if answer.isLast { context.close(mode: .output, promise: nil) }
        state = .idle
        drain(context)
    }
}

/// A request that is answered as soon as it is there.
struct PromptRequest: Sendable {
    let head: HTTPRequest
    let match: RouteTable.Match
    /// Nil where the route takes none: what is sent all the same is not kept.
    private(set) var body: ByteBuffer?
    /// What came behind its head.
    private(set) var byteCount = 0

    init(head: HTTPRequest, match: RouteTable.Match, hasBody: Bool) {
        (self.head, self.match, body) = (head, match, hasBody ? ByteBuffer() : nil)
    }

    mutating func add(_ bytes: ByteBuffer) {
        byteCount += bytes.readableBytes
        guard body != nil else { return }
        if body?.readableBytes == 0 { body = bytes } else { body?.writeImmutableBuffer(bytes) }
    }
}

/// Its answer, whole.
struct PromptAnswer: Sendable {
    let head: HTTPResponse
    let body: ByteBuffer?
    /// Whether the client asked for nothing more on this connection.
    let isLast: Bool
    /// How it may be given again; nil for never.
    var reuse: AnswerReuse.Allowance?
    /// The template of its route.
    var route = "unknown"
}

/// Runs a task on the thread of a connection.
private final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
