internal import NIOCore
internal import NIOHTTP1

/// Says of a request that it is the last of its connection, in the one way that what serves the connection understands (`Connection: close`). Clients of
/// HTTP/1.0, such as w3m and lynx, need not say so (RFC 9112, section 9.3), and wait until the connection is closed. So is one that asks for another protocol, as clients do that
/// would rather speak HTTP/2: it is answered as it is, and what reads requests reads none after it.
final class LastRequest: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    /// Puts one behind what reads requests.
    /// - Throws: `ChannelPipelineError` where nothing reads HTTP/1.
    static func add(to pipeline: ChannelPipeline) throws {
        let reader = try pipeline.syncOperations.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
        try pipeline.syncOperations.addHandler(LastRequest(), position: .after(reader))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data), !head.isKeepAlive || head.asksForOtherProtocol else { return context.fireChannelRead(data) }
        head.headers.replaceOrAdd(name: "Connection", value: "close")
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }
}

extension HTTPRequestHead {
    fileprivate var asksForOtherProtocol: Bool { method == .CONNECT || headers.contains(name: "Upgrade") }
}
