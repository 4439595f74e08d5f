internal import Door
internal import Foundation
internal import NIOCore

/// Answers a request again whose very bytes were answered within the same second (`Microcache`), before it is even read as one.
///
/// It takes part as long as a connection sends requests one at a time and each is answered by `PromptAnswers`; it answers those of the method `GET` that come whole and without
/// a body. With the first that is otherwise, or of which it can't be told where it ends, it stands aside for good: so what is taken for a request here is one for who reads
/// requests, too.
final class MicrocacheHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = IOData

    fileprivate enum State {
        case idle
        /// A request is being answered further up.
        case asked(Exchange?)
        /// One of another kind is, and so many bytes came behind its head.
        case other(byteCount: Int)
        case aside
    }

    /// A request whose answer may be kept.
    fileprivate struct Exchange {
        let request: ByteBuffer
        /// Of which it may be kept how it is answered.
        let family: RequestFamily?
        /// Whether the answer itself may be.
        let isRepeated: Bool
        let second: time_t
        private(set) var answer: [ByteBuffer] = []
        private var byteCount = 0

        init(_ request: ByteBuffer, _ family: RequestFamily? = nil, isRepeated: Bool, _ second: time_t) {
            (self.request, self.family, self.isRepeated, self.second) = (request, family, isRepeated, second)
        }

        /// - Returns: false for more than is kept.
        mutating func add(_ part: ByteBuffer) -> Bool {
            answer.append(part)
            byteCount += part.readableBytes
            return byteCount <= Microcache.answerByteCountMax
        }
    }

    private let cache: Microcache
    private let metrics: ServerMetrics
    private var state = State.idle
    private var lastPassed: time_t = 0
    private var keeper: PlaceKeeper?

    init(_ cache: Microcache, _ metrics: ServerMetrics) { (self.cache, self.metrics) = (cache, metrics) }

    func handlerAdded(context: ChannelHandlerContext) { keeper = try? context.pipeline.syncOperations.handler(type: PlaceKeeper.self) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let (request, now) = (unwrapInboundIn(data), time(nil))
        guard case .idle = state, request.isWholeGet else {
            state = state.following(request)
            return context.fireChannelRead(data)
        }
        let family = RequestFamily(request)
        let finding = cache.find(request, family, at: now)
        // One that does not take what waits for it waits further up.
        if context.channel.isWritable, now >= lastPassed, now - lastPassed < cache.passingSeconds, let answer = answer(finding, request, family, now) {
            return give(answer, context)
        }
        lastPassed = now
        state = switch finding {
        case .new, .family(_, isRepeated: false): .asked(nil)
        case .related(let isRepeated): .asked(Exchange(request, family, isRepeated: isRepeated, now))
        case .family, .repeated, .answer: .asked(Exchange(request, isRepeated: true, now))
        }
        context.fireChannelRead(data)
    }

    private func answer(_ finding: Microcache.Finding, _ request: ByteBuffer, _ family: RequestFamily?, _ now: time_t) -> Microcache.Answer? {
        switch finding {
        case .answer(let answer): return answer
        case .family(let siblings, let isRepeated):
            guard let family, let answer = siblings.answer(to: family) else { return nil }
            if isRepeated { cache.keep(answer, to: request, of: now) }
            return answer
        case .related, .repeated, .new: return nil
        }
    }

    private func give(_ answer: Microcache.Answer, _ context: ChannelHandlerContext) {
        metrics.reused(route: answer.route)
        keeper?.rest()
        context.writeAndFlush(NIOAny(IOData.byteBuffer(answer.bytes)), promise: nil)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .asked(.some(var exchange)) = state, case .byteBuffer(let bytes) = unwrapOutboundIn(data) {
            state = .asked(nil)
            if exchange.add(bytes) { state = .asked(exchange) }
        }
        context.write(data, promise: promise)
    }

    /// Whether the answer to what is asked may be given again, where its door allows it; else nobody need be asked.
    var mayKeep: Bool { if case .asked(.some) = state { true } else { false } }

    /// What was asked is answered by others, who tell nothing of the answer.
    func passed() { state = .aside }

    /// The answer to what was asked was written, with a body of so many bytes.
    /// - Parameter askedByteCount: what the request itself had behind its head; nil where it did not come to its end, or is the last of its connection.
    func answered(_ allowance: AnswerReuse.Allowance?, route: String, bodyByteCount: Int, askedByteCount: Int?) {
        if case .other(askedByteCount) = state { return state = .idle }
        guard case .asked(let exchange) = state, askedByteCount == 0 else { return state = .aside }
        state = .idle
        guard let exchange, let allowance else { return }
        var bytes = ByteBuffer()
        bytes.reserveCapacity(exchange.answer.reduce(0) { $0 + $1.readableBytes })
        for part in exchange.answer { bytes.writeImmutableBuffer(part) }
        guard let endOfHead = bytes.endOfHead, endOfHead == bytes.readableBytes - bodyByteCount else { return }
        if let family = exchange.family, let answer = FamilyAnswer(head: bytes.readableBytesView.prefix(endOfHead), allowance, route: route) {
            return cache.keep(answer, to: family, of: exchange.second)
        }
        guard exchange.isRepeated else { return }
        cache.keep(Microcache.Answer(bytes: bytes, isCurrent: allowance.isCurrent, route: route), to: exchange.request, of: exchange.second)
    }
}

extension MicrocacheHandler.State {
    /// The state after bytes that are not answered here.
    fileprivate func following(_ bytes: ByteBuffer) -> Self {
        switch self {
        case .idle: bytes.plainHeadByteCount.map { .other(byteCount: bytes.readableBytes - $0) } ?? .aside
        case .other(let byteCount): .other(byteCount: byteCount + bytes.readableBytes)
        case .asked, .aside: .aside
        }
    }
}

extension ByteBuffer {
    /// Bytes of the head of a request that begins here, where all readers of HTTP see it end at the same place: nil without its end, and where a line ends otherwise than it should.
    fileprivate var plainHeadByteCount: Int? {
        guard let end = endOfHead, let first = readableBytesView.first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else { return nil }
        var last: UInt8 = 0
        for byte in readableBytesView.prefix(end) {
            guard (last == UInt8(ascii: "\r")) == (byte == UInt8(ascii: "\n")) else { return nil }
            last = byte
        }
        return end
    }

    /// Whether these bytes are one request of the method `GET` to the end of its headers, and nothing else.
    fileprivate var isWholeGet: Bool {
        readableBytes <= Microcache.requestByteCountMax && readableBytesView.starts(with: "GET ".utf8) && endOfHead == readableBytes
    }

    /// How many bytes end with the first empty line; nil without one.
    fileprivate var endOfHead: Int? {
        let end = UInt32(littleEndian: 0x0A0D_0A0D)
        return withUnsafeReadableBytes { bytes in
            guard bytes.count >= MemoryLayout<UInt32>.size else { return nil }
            return (MemoryLayout<UInt32>.size...bytes.count).first { bytes.loadUnaligned(fromByteOffset: $0 - MemoryLayout<UInt32>.size, as: UInt32.self) == end }
        }
    }
}
