internal import CityModel
internal import Door
internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes

/// Stands at the head of a connection and answers what no route ever sees, with problem details like everything else: bytes
/// that are no request, headers over the limit, a request that finds all places taken, a body that stopped arriving. A stream of HTTP/2 is guarded like a connection of
/// its own.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: ServerLimits
    private let places: Places?
    /// Of the connection; nil for a stream.
    private var keeper: PlaceKeeper?
    private let isStream: Bool
    /// Whether a request's body is read as it arrives, for however long that takes.
    private let isStreamed: @Sendable (HTTPRequest) -> Bool
    /// Whether what is to be said was said, and the connection is about to be closed.
    private var isOver = false
    /// Requests of which the head was read and the answer has not ended.
    private var unansweredCount = 0
    /// Whether it counts as one that is answered: until the client has taken the end of the answer, or almost.
    private var isAnswering = false
    private var closesAfterResponse = false
    /// Whether a request asked for another protocol. What reads requests reads none after it, and would keep what comes.
    private var isLeaving = false
    private var hasReadLast = false
    private var bodyTimer: Scheduled<Void>?
    /// A request of which no more than the head was read yet.
    private var opened: HTTPRequest?
    /// Runs while the client takes nothing of what waits for it.
    private var answerTimer: Scheduled<Void>?

    /// - Parameter isStream: whether it is one of the streams of a connection that speaks HTTP/2.
    init(limits: ServerLimits, places: Places?, isStream: Bool = false, isStreamed: @escaping @Sendable (HTTPRequest) -> Bool) {
        (self.limits, self.places, self.isStream, self.isStreamed) = (limits, places, isStream, isStreamed)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        guard !isStream else { return }
        if places != nil { keeper = try? context.pipeline.syncOperations.handler(type: PlaceKeeper.self) }
        // Further up requests have no version any more.
        try? LastRequest.add(to: context.pipeline)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        bodyTimer?.cancel()
        answerTimer?.cancel()
        if isAnswering { places?.endAnswer() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        switch unwrapInboundIn(data) {
        case .head(let head) where isStream && head.headerFields.count > limits.headerCountMax: return refuse(headersTooLarge, context)
        case .head(let head):
            guard isAnswering || begin() else { return refuse(tooMany, context) }
            unansweredCount += 1
            opened = head
            isLeaving = !isStream && head.asksForOtherProtocol
        case .body: break
        case .end:
            stopTimer()
            hasReadLast = isLeaving
        }
        context.fireChannelRead(data)
    }

    /// What comes behind such a request stays with its sender.
    func read(context: ChannelHandlerContext) { if !hasReadLast { context.read() } }

    /// What came whole needs no timer.
    func channelReadComplete(context: ChannelHandlerContext) {
        if let head = opened {
            opened = nil
            startTimer(head, context)
        }
        context.fireChannelReadComplete()
    }

    /// Whoever reads a body hears of the fault too, for what broke off is not whole. While a request waits for its answer, that
    /// answer is the last: a refusal would be taken for it.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? HTTPParserError, !isOver, unansweredCount == 0 { refuse(problem(error), context) }
        closesAfterResponse = true
        context.fireErrorCaught(error)
    }

    private func problem(_ error: HTTPParserError) -> Problem {
        error == .headerOverflow ? headersTooLarge : .own("malformed-request", "Malformed request", status: 400, error.debugDescription)
    }

    private var headersTooLarge: Problem {
        .own(
            "headers-too-large", "Headers too large", status: 431,
            "the address and the headers may have \(limits.headerByteCountMax) bytes in \(limits.headerCountMax) headers")
    }

    private var tooMany: Problem {
        .own("too-many-connections", "Too many connections", status: 503, "more than \(places?.max ?? 0) connections are being answered")
    }

    private func begin() -> Bool {
        guard places?.beginAnswer() ?? true else { return false }
        isAnswering = true
        keeper?.keep()
        return true
    }

    private func endWhenTaken(_ context: ChannelHandlerContext) {
        guard isAnswering, unansweredCount == 0, context.channel.isWritable else { return }
        isAnswering = false
        places?.endAnswer()
        keeper?.rest()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !isOver else { promise?.succeed(); return }
        guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        context.write(data, promise: hasReadLast && unansweredCount == 1 ? closing(context, promise) : promise)
        unansweredCount = max(0, unansweredCount - 1)
        endWhenTaken(context)
        guard closesAfterResponse, unansweredCount == 0 else { return }
        context.flush()
        linger(context)
    }
}

// MARK: - Bodies that stop

/// The body did not arrive in time.
struct BodyTooSlow: Error {}

extension ConnectionGuard {
    private func startTimer(_ head: HTTPRequest, _ context: ChannelHandlerContext) {
        stopTimer()
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        bodyTimer = context.eventLoop.scheduleTask(in: .seconds(Int64(limits.bodySecondsMax))) {
            let (handler, context) = bound.value
            guard !handler.isStreamed(head), !handler.isOver else { return }
            // Whoever reads the body gets this and answers.
            handler.closesAfterResponse = true
            context.fireErrorCaught(BodyTooSlow())
        }
    }

    private func stopTimer() {
        opened = nil
        bodyTimer?.cancel()
        bodyTimer = nil
    }
}

// MARK: - Answers that are not taken

extension ConnectionGuard {
    /// What is written waits in memory until the client takes it; whoever writes it, and the connection, wait too. So a client that
    /// takes next to nothing for long is let go.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        answerTimer?.cancel()
        answerTimer = nil
        if !context.channel.isWritable {
            let channel = context.channel
            answerTimer = context.eventLoop.scheduleTask(in: .seconds(Int64(limits.answerSecondsMax))) { channel.close(promise: nil) }
        }
        endWhenTaken(context)
        context.fireChannelWritabilityChanged()
    }
}

// MARK: - Another protocol

extension ConnectionGuard {
    /// Closes the connection once the client has been sent everything.
    private func closing(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) -> EventLoopPromise<Void> {
        let promise = promise ?? context.eventLoop.makePromise()
        let channel = context.channel
        promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
        return promise
    }
}

extension HTTPRequest {
    fileprivate var asksForOtherProtocol: Bool { method == .connect || headerFields.contains(.upgrade) }
}

// MARK: - The last word

extension ConnectionGuard {
    /// Seconds for which the client may still take what was said before the connection is closed on it.
    private static let lingerSeconds: Int64 = 1

    private func refuse(_ problem: Problem, _ context: ChannelHandlerContext) {
        let body = ByteBuffer(string: problem.json.description)
        var fields: HTTPFields = [
            .contentType: "application/problem+json", .contentLength: String(body.readableBytes),
        ]
        SecurityHeaders.add(to: &fields, isHTTPS: false)
        // Of HTTP/1.1 alone (RFC 9113, section 8.2.2): a stream has one request anyway.
        if !isStream { fields[.connection] = "close" }
        context.write(wrapOutboundOut(.head(HTTPResponse(status: .init(code: problem.status), headerFields: fields))), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        linger(context)
    }

    /// Closes our half, and the whole a little later: closed at once, a client that is still sending would lose the answer.
    private func linger(_ context: ChannelHandlerContext) {
        isOver = true
        stopTimer()
        context.close(mode: .output, promise: nil)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: .seconds(Self.lingerSeconds)) { channel.close(promise: nil) }
    }
}
