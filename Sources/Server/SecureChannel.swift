internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP2
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP2
internal import NIOSSL
internal import NIOTLS

/// A connection over TLS, on which HTTP/2 or HTTP/1.1 is spoken, as its client and the handshake agree (RFC 7301).
///
/// Hummingbird has such a channel; this one differs in that every connection begins with the certificate as it is then, a handshake has an end, and so has
/// a connection whose client does not answer any more, however many streams it has open.
struct SecureChannel: ServerChildChannel {
    typealias Stream = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    struct Value: ServerChildChannelValue {
        let agreed: EventLoopFuture<NIONegotiatedHTTPVersion<Stream, NIOHTTP2Handler.AsyncStreamMultiplexer<Stream>>>
        let channel: any Channel
    }

    let certificates: TLSCertificates
    let limits: ServerLimits
    let places: Places?
    let http1: PromptChannel
    /// For each stream of HTTP/2.
    let guardStream: @Sendable () -> ConnectionGuard

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            if let places { try pipeline.addHandler(PlaceKeeper(places)) }
            try pipeline.addHandler(NIOSSLServerHandler(context: certificates.context))
            try pipeline.addHandler(HandshakeTimer(secondsMax: limits.handshakeSecondsMax))
            let negotiation = NIOTypedApplicationProtocolNegotiationHandler<NIONegotiatedHTTPVersion<Stream, NIOHTTP2Handler.AsyncStreamMultiplexer<Stream>>> {
                result, channel in
                // Who negotiates nothing speaks HTTP/1.1; nothing else can have been agreed on.
                guard case .negotiated("h2") = result else { return http1.setup(channel: channel, logger: logger).map { .http1_1($0) } }
                return channel.eventLoop.makeCompletedFuture { .http2(try setUpStreams(channel, logger)) }
            }
            try pipeline.addHandler(negotiation)
            return Value(agreed: negotiation.protocolNegotiationResult, channel: channel)
        }
    }

    func handle(value: Value, logger: Logger) async {
        do {
            switch try await value.agreed.get() {
            case .http1_1(let connection): await http1.handle(value: connection, logger: logger)
            case .http2(let connection):
                try await withThrowingDiscardingTaskGroup { group in
                    for try await stream in connection.inbound {
                        group.addTask { await http1.handle(value: stream, logger: logger) }
                    }
                }
            }
        } catch {
            logger.debug("a connection ended", metadata: ["error": "\(error)"])
        }
    }

    // MARK: HTTP/2

    private func setUpStreams(_ channel: any Channel, _ logger: Logger) throws -> NIOHTTP2Handler.AsyncStreamMultiplexer<Stream> {
        let keeper = StreamKeeper(idleSecondsMax: limits.idleSecondsMax)
        let streams = try channel.pipeline.syncOperations.configureAsyncHTTP2Pipeline(
            mode: .server, streamDelegate: keeper.delegate(on: channel.eventLoop), configuration: configuration
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                let pipeline = stream.pipeline.syncOperations
                try pipeline.addHandler(HTTP2FramePayloadToHTTPServerCodec())
                try pipeline.addHandler(guardStream())
                try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: .seconds(limits.idleSecondsMax), logger: logger))
                let connection = try Stream(wrappingChannelSynchronously: stream)
                try PromptAnswers.add(to: stream.pipeline, http1.responder)
                return connection
            }
        }
        try channel.pipeline.syncOperations.addHandler(keeper)
        return streams
    }

    /// What a client may have and do on one connection. What goes over it ends the connection (RFC 9113, section 10.5).
    private var configuration: NIOHTTP2Handler.Configuration {
        var configuration = NIOHTTP2Handler.Configuration()
        configuration.connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: limits.streamCountMax),
            HTTP2Setting(parameter: .maxHeaderListSize, value: limits.headerByteCountMax),
        ]
        // Streams that are begun and reset cost more than they cost who sends them (CVE-2023-44487).
        configuration.stream.streamResetFrameRateLimit.maximumCount = ServerLimits.resetCountMax
        configuration.stream.streamResetFrameRateLimit.windowLength = .seconds(ServerLimits.resetSeconds)
        return configuration
    }
}

/// Closes a connection whose handshake does not come to its end in time.
final class HandshakeTimer: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    private let secondsMax: Int
    private var timer: Scheduled<Void>?

    init(secondsMax: Int) { self.secondsMax = secondsMax }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: .seconds(Int64(secondsMax))) { channel.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted = event as? TLSUserEvent {
            timer?.cancel()
            context.fireUserInboundEventTriggered(event)
            return context.pipeline.syncOperations.removeHandler(self, promise: nil)
        }
        // The program ends: nobody waits for a client that has not said yet what it wants.
        if event is ChannelShouldQuiesceEvent { return context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }
}
