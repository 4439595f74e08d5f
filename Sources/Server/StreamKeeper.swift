internal import NIOCore
internal import NIOHTTP2

/// Decides when a connection that speaks HTTP/2 is over, and performs nothing. `now` is time of the event loop.
///
/// One without streams is over after the idle time. Of one with streams, which may be answers that last for hours, the client is asked for a sign of life
/// after the idle time, and it is over when there is none in as long again.
struct StreamLife {
    enum Action: Equatable { case stay, ask, leave, close }

    private let idle: TimeAmount
    private(set) var openCount = 0
    private var lastHeard: NIODeadline
    /// Since when there is no stream.
    private var emptySince: NIODeadline
    private var isAsked = false
    /// When the client was told that no further stream is taken.
    private var leftAt: NIODeadline?

    /// For so long a client may take in that it was told to go.
    static let farewell = TimeAmount.seconds(1)

    init(idle: TimeAmount, at now: NIODeadline) { (self.idle, lastHeard, emptySince) = (idle, now, now) }

    mutating func heard(at now: NIODeadline) { (lastHeard, isAsked) = (now, false) }

    mutating func opened() { openCount += 1 }

    /// - Returns: whether the connection is over: nothing is left on one that was told to go.
    mutating func closed(at now: NIODeadline) -> Bool {
        openCount = max(0, openCount - 1)
        if openCount == 0 { emptySince = now }
        return openCount == 0 && leftAt != nil
    }

    /// The program ends.
    mutating func leave(at now: NIODeadline) -> Action {
        guard leftAt == nil else { return .stay }
        leftAt = now
        return .leave
    }

    /// To be asked again and again.
    mutating func tick(at now: NIODeadline) -> Action {
        if let leftAt, openCount == 0 { return leftAt + Self.farewell <= now ? .close : .stay }
        if openCount == 0 { return emptySince + idle <= now ? leave(at: now) : .stay }
        if isAsked { return lastHeard + idle + idle <= now ? .close : .stay }
        guard lastHeard + idle <= now else { return .stay }
        isAsked = true
        return .ask
    }
}

/// Stands behind the frames of a connection and carries out what `StreamLife` decides.
final class StreamKeeper: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame
    typealias InboundOut = HTTP2Frame
    typealias OutboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private let idle: TimeAmount
    private var life: StreamLife
    private var context: ChannelHandlerContext?
    private var timer: RepeatedTask?
    private var lastStream = HTTP2StreamID.rootStream
    private var place: PlaceKeeper?

    init(idleSecondsMax: Int) {
        idle = .seconds(Int64(idleSecondsMax))
        life = StreamLife(idle: idle, at: .now())
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        place = try? context.pipeline.syncOperations.handler(type: PlaceKeeper.self)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let period = TimeAmount.nanoseconds(max(TimeAmount.milliseconds(250).nanoseconds, min(StreamLife.farewell.nanoseconds, idle.nanoseconds / 4)))
        timer = context.eventLoop.scheduleRepeatedTask(initialDelay: period, delay: period) { _ in bound.value.tick() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        life.heard(at: .now())
        context.fireChannelRead(data)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent { return perform(life.leave(at: .now())) }
        if case .inputClosed? = event as? ChannelEvent { return context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    /// What a client must not do on a connection, it does not do a second time.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is NIOHTTP2Errors.StreamError { return }
        context.close(promise: nil)
    }

    private func tick() { perform(life.tick(at: .now())) }

    private func perform(_ action: StreamLife.Action) {
        guard let context else { return }
        switch action {
        case .stay: break
        case .ask: send(.ping(HTTP2PingData(withInteger: 0), ack: false), context)
        case .leave: send(.goAway(lastStreamID: lastStream, errorCode: .noError, opaqueData: nil), context)
        case .close: context.close(promise: nil)
        }
    }

    private func send(_ payload: HTTP2Frame.FramePayload, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(HTTP2Frame(streamID: .rootStream, payload: payload)), promise: nil)
    }

    fileprivate func opened(_ id: HTTP2StreamID) {
        life.opened()
        life.heard(at: .now())
        place?.keep()
        lastStream = max(lastStream, id)
    }

    fileprivate func closed() {
        let isOver = life.closed(at: .now())
        if life.openCount == 0 { place?.rest() }
        guard isOver, let context else { return }
        // Its last frame is written and not yet sent.
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.eventLoop.execute { bound.value.close(promise: nil) }
    }

    func delegate(on eventLoop: any EventLoop) -> some NIOHTTP2StreamDelegate { Delegate(keeper: NIOLoopBound(self, eventLoop: eventLoop)) }

    private struct Delegate: NIOHTTP2StreamDelegate {
        let keeper: NIOLoopBound<StreamKeeper>

        func streamCreated(_ id: HTTP2StreamID, channel: any Channel) { keeper.value.opened(id) }
        func streamClosed(_ id: HTTP2StreamID, channel: any Channel) { keeper.value.closed() }
    }
}
