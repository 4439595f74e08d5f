internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTPTypes

/// A connection that speaks HTTP/1.1, where what is answered in a moment is answered at once (`PromptAnswers`).
struct PromptChannel: ServerChildChannel {
    let http1: HTTP1Channel
    let responder: Responder
    /// Nil where a place is kept for the connection already, or none is counted.
    let places: Places?
    /// Nil where every answer is made anew.
    let microcache: Microcache?

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            if let places { try pipeline.addHandler(PlaceKeeper(places)) }
            if let microcache { try pipeline.addHandler(MicrocacheHandler(microcache, responder.metrics)) }
        }.flatMap { http1.setup(channel: channel, logger: logger) }.flatMapThrowing { value in
            try PromptAnswers.add(to: channel.pipeline, responder)
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async { await http1.handle(value: value, logger: logger) }
}

extension PromptAnswers {
    /// Puts one behind what counts the requests of a connection, before what serves all of them.
    static func add(to pipeline: ChannelPipeline, _ responder: Responder) throws {
        let counter = try pipeline.syncOperations.handler(type: HTTPConnectionStateHandler.self)
        try pipeline.syncOperations.addHandler(PromptAnswers(responder: responder), position: .after(counter))
    }
}
