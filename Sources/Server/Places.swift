internal import NIOCore
internal import Synchronization

/// The places that connections take. Of those on which nobody asks anything the one that has been so for longest gives up its place when one comes that finds none: who
/// holds thousands of connections open keeps nobody out, and who comes does not wait.
final class Places: Sendable {
    fileprivate struct Held {
        /// Asks for the place back.
        var wanted: @Sendable () -> Void
        var older: Int?
        var newer: Int?
        var isResting = false
        /// Whether it was asked for its place.
        var isGoing = false
    }

    fileprivate struct State {
        var held: [Held?] = []
        var free: [Int] = []
        var oldest: Int?
        var newest: Int?
        var restingCount = 0
        /// Without those that were asked for their place.
        var count = 0
        /// Connections and streams that are being answered.
        var answeredCount = 0
    }

    let max: Int
    private let state = Mutex(State())

    /// So many that ask nothing are kept beside as many as there may be, so that who comes is told that there are too many, and not just cut off.
    var spare: Int { Swift.max(32, max / 8) }

    /// Connections that are accepted. Some of them are about to be closed; all others find a place.
    var acceptedMax: Int { max + spare * 2 }

    init(max: Int) { self.max = max }

    /// Takes a place for a connection, on which nobody asks anything yet.
    func take(_ wanted: @escaping @Sendable () -> Void) -> Int {
        let (place, asked) = state.withLock { state -> (Int, (@Sendable () -> Void)?) in
            let place = state.hold(Held(wanted: wanted))
            state.rest(place)
            return (place, state.count > max && state.restingCount > spare ? state.askOldest() : nil)
        }
        asked?()
        return place
    }

    /// Whether a place that was asked for is still to be given up.
    func isWanted(_ place: Int) -> Bool { state.withLock { $0.held[place]?.isGoing ?? false } }

    /// Something happens on a connection. One that was asked for its place may keep it.
    func keep(_ place: Int) { state.withLock { $0.keep(place) } }

    /// Nothing happens any more on a connection, from now on.
    func rest(_ place: Int) {
        state.withLock {
            $0.keep(place)
            $0.rest(place)
        }
    }

    func giveUp(_ place: Int) { state.withLock { $0.giveUp(place) } }

    /// - Returns: whether there is room for one more that is answered; it has to end then.
    func beginAnswer() -> Bool {
        state.withLock { state in
            guard state.answeredCount < max else { return false }
            state.answeredCount += 1
            return true
        }
    }

    func endAnswer() { state.withLock { $0.answeredCount -= 1 } }
}

extension Places.State {
    fileprivate mutating func hold(_ new: Places.Held) -> Int {
        count += 1
        if let place = free.popLast() {
            held[place] = new
            return place
        }
        held.append(new)
        return held.count - 1
    }

    fileprivate mutating func keep(_ place: Int) {
        if held[place]?.isGoing == true { count += 1 }
        held[place]?.isGoing = false
        takeOut(place)
    }

    fileprivate mutating func rest(_ place: Int) {
        held[place]?.isResting = true
        held[place]?.older = newest
        held[place]?.newer = nil
        if let newest { held[newest]?.newer = place } else { oldest = place }
        newest = place
        restingCount += 1
    }

    fileprivate mutating func takeOut(_ place: Int) {
        guard let one = held[place], one.isResting else { return }
        if let older = one.older { held[older]?.newer = one.newer } else { oldest = one.newer }
        if let newer = one.newer { held[newer]?.older = one.older } else { newest = one.older }
        held[place]?.isResting = false
        restingCount -= 1
    }

    fileprivate mutating func askOldest() -> (@Sendable () -> Void)? {
        guard let oldest else { return nil }
        takeOut(oldest)
        held[oldest]?.isGoing = true
        count -= 1
        return held[oldest]?.wanted
    }

    fileprivate mutating func giveUp(_ place: Int) {
        keep(place)
        held[place] = nil
        free.append(place)
        count -= 1
    }
}

/// A connection's place is wanted for another.
private struct PlaceIsWanted {}

/// Stands at the head of a connection, whatever is spoken on it, and keeps its place.
final class PlaceKeeper: ChannelInboundHandler {
    typealias InboundIn = Any

    private let places: Places
    private var place: Int?
    /// A request that had arrived when the place was wanted, and was not read yet, is read within this time, and keeps the place.
    private static let noticeMilliseconds: Int64 = 10
    /// Bytes that waited for the client when it was let keep its place for them.
    private var sparedByteCount = Int.max

    init(_ places: Places) { self.places = places }

    func handlerAdded(context: ChannelHandlerContext) {
        let pipeline = context.pipeline
        place = places.take { pipeline.fireUserInboundEventTriggered(PlaceIsWanted()) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        if let place { places.giveUp(place) }
        place = nil
    }

    func keep() {
        sparedByteCount = .max
        if let place { places.keep(place) }
    }

    func rest() {
        if let place { places.rest(place) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is PlaceIsWanted else { return context.fireUserInboundEventTriggered(event) }
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(Self.noticeMilliseconds)) { bound.value.handler.giveUp(bound.value.context) }
    }

    private func giveUp(_ context: ChannelHandlerContext) {
        guard let place, places.isWanted(place) else { return }
        // The end of an answer may still be on its way.
        let waitingByteCount = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        guard waitingByteCount > 0, waitingByteCount < sparedByteCount else { return context.close(promise: nil) }
        sparedByteCount = waitingByteCount
        places.rest(place)
    }
}
