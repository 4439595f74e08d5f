import Door
import Foundation
import NIOCore
import NIOEmbedded
import NIOHTTP1
import RandomEntities
import Synchronization
import Testing

@testable import Server

/// What is answered again, and that nobody can tell by more than the time it takes: the same bytes, in whatever pieces, are answered the same with and without.
@Suite struct MicrocacheTests {
    /// Answers each request with what it was; of what has no body, and is asked by `GET`, the answer may be given again.
    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private var text = ""
        private var isReusable = false
        private var byteCount = 0
        private(set) var count = 0
        /// Whether it says how those are answered that differ in the last part of their path.
        private let tellsSiblings: Bool
        /// Whether answers wait, as they do where a client takes nothing.
        var isHolding = false

        init(tellsSiblings: Bool = false) { self.tellsSiblings = tellsSiblings }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): (text, isReusable, byteCount) = ("\(head.method) \(head.uri) ", head.method == .GET && head.uri != "/fresh", 0)
            case .body(let bytes):
                text += String(buffer: bytes)
                byteCount += bytes.readableBytes
            case .end: if !isHolding { answer(context) }
            }
        }

        private func answer(_ context: ChannelHandlerContext) {
            count += 1
            let body = ByteBuffer(string: text)
            let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Content-Length": "\(body.readableBytes)"])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            let microcache = try? context.pipeline.syncOperations.handler(type: MicrocacheHandler.self)
            microcache?.answered(isReusable ? AnswerReuse.Allowance(isCurrent: { true }, siblings: tellsSiblings ? Self.siblings : nil) : nil, route: "echo", bodyByteCount: body.readableBytes, askedByteCount: byteCount)
        }

        private static let siblings = AnswerReuse.Siblings(areCurrent: { true }) { part in
            part == "fresh" ? nil : .init(bytes: ByteBuffer(string: "GET /\(part) "), isCurrent: { true })
        }
    }

    /// What was answered to pieces that came one after another.
    private func answered(_ pieces: [String], _ microcache: Microcache?, tellsSiblings: Bool = false) throws -> (text: String, madeCount: Int) {
        let (channel, echo) = (EmbeddedChannel(), Echo(tellsSiblings: tellsSiblings))
        let pipeline = channel.pipeline.syncOperations
        if let microcache { try pipeline.addHandler(MicrocacheHandler(microcache, ServerMetrics())) }
        try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false, withErrorHandling: false)
        try pipeline.addHandler(echo)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        var text = ""
        for piece in pieces {
            do { try channel.writeInbound(ByteBuffer(string: piece)) } catch { text += "\n-- \(error)\n" }
            while let part = try channel.readOutbound(as: IOData.self) {
                if case .byteBuffer(let bytes) = part { text += String(buffer: bytes) }
            }
        }
        _ = try? channel.finish(acceptAlreadyClosed: true)
        return (text, echo.count)
    }

    private static func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n" }
    private static func with(_ body: String, _ method: String) -> String {
        "\(method) /body HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    /// Requests of all kinds, cut anywhere; those that could be taken for another kind above all.
    private static func pieces(_ chance: inout SplitMix) -> [String] {
        let bodies = [get("/a"), get("/b") + get("/a"), "\r\n\r\n", "GET "]
        let chunk = get("/a")
        let whole = (0..<Int.random(in: 1...24, using: &chance)).map { _ in
            switch Int.random(in: 0..<16, using: &chance) {
            case 0...10: get(["/a", "/b", "/fresh"].randomElement(using: &chance) ?? "/a")
            case 11: with(bodies.randomElement(using: &chance) ?? "", "GET")
            case 12: with(bodies.randomElement(using: &chance) ?? "", "POST")
            case 13: "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\(String(chunk.utf8.count, radix: 16))\r\n\(chunk)\r\n0\r\n\r\n"
            case 14: "GET /a HTTP/1.1\r\nHost: x\r\n"
            default: "\r\n" + get("/a")
            }
        }
        var pieces: [String] = []
        for request in whole {
            switch Int.random(in: 0..<4, using: &chance) {
            case 0 where !pieces.isEmpty: pieces[pieces.count - 1] += request
            case 1:
                let cut = Int.random(in: 0...request.utf8.count, using: &chance)
                pieces += [String(decoding: request.utf8.prefix(cut), as: UTF8.self), String(decoding: request.utf8.dropFirst(cut), as: UTF8.self)]
            // Where a head ends a body may begin in a piece of its own.
            case 2: pieces += request.components(separatedBy: "\r\n\r\n").reduce(into: [String]()) { $0.append($1 + "\r\n\r\n") }
            default: pieces.append(request)
            }
        }
        return pieces
    }

    @Test(arguments: [false, true]) func `pieces of requests of any kind are answered as they are without it`(tellsSiblings: Bool) throws {
        let microcache = Microcache(byteCountMax: 1 << 20)
        // Both are asked often enough to be given again.
        for _ in 0..<3 { _ = try answered([Self.get("/a"), Self.get("/b")], microcache, tellsSiblings: tellsSiblings) }
        var sparedCount = 0
        for seed in 0..<4000 as Range<UInt64> {
            var chance = SplitMix(seed: seed)
            let pieces = Self.pieces(&chance)
            let (expected, found) = (try answered(pieces, nil), try answered(pieces, microcache, tellsSiblings: tellsSiblings))
            #expect(found.text == expected.text, "seed \(seed): \(pieces)")
            sparedCount += expected.madeCount - found.madeCount
        }
        #expect(sparedCount > 100)
    }

    @Test func `nothing is answered before what waits for a client that takes nothing`() throws {
        let microcache = Microcache(byteCountMax: 1 << 20)
        let (channel, echo) = (EmbeddedChannel(), Echo())
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(MicrocacheHandler(microcache, ServerMetrics()))
        try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false, withErrorHandling: false)
        try pipeline.addHandler(echo)
        // Again where a second ended meanwhile, and what was kept with it.
        var keptCount = 0
        repeat {
            keptCount = echo.count
            for _ in 0..<3 { for path in ["/a", "/b"] { try channel.writeInbound(ByteBuffer(string: Self.get(path))) } }
            keptCount = 6 - (echo.count - keptCount)
        } while keptCount == 0
        while try channel.readOutbound(as: IOData.self) != nil {}
        (echo.isHolding, channel.isWritable) = (true, false)
        try channel.writeInbound(ByteBuffer(string: Self.get("/a")))
        channel.isWritable = true
        try channel.writeInbound(ByteBuffer(string: Self.get("/b")))
        #expect(try channel.readOutbound(as: IOData.self) == nil)
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }

    @Test(arguments: [(1, 0), (3, 1), (60, 5)]) func `where connections live shortly more requests go all the way`(idle: Int, passing: Int) {
        #expect(Microcache(byteCountMax: 1, idleSecondsMax: idle).passingSeconds == passing)
    }

    private enum Found { case new, repeated, answer, family, repeatedFamily, related, repeatedRelated }

    private func found(_ microcache: Microcache, _ request: ByteBuffer, at now: time_t) -> Found {
        switch microcache.find(request, nil, at: now) {
        case .new: .new
        case .repeated: .repeated
        case .answer: .answer
        case .family: .family
        case .related: .related
        }
    }

    @Test func `what is asked twice in a second is given again, until that is over or something changed`() {
        let request = ByteBuffer(string: Self.get("/a"))
        var now: time_t
        var steps: [Found]
        // All in one second: else it begins anew.
        repeat {
            now = time(nil)
            let (microcache, isCurrent) = (Microcache(byteCountMax: 1 << 20), SendableFlag())
            func keep() { microcache.keep(.init(bytes: ByteBuffer(string: "x"), isCurrent: { isCurrent.isSet }, route: "r"), to: request, of: now) }
            steps = [found(microcache, request, at: now), found(microcache, request, at: now)]
            keep()
            steps += [found(microcache, request, at: now), found(microcache, request, at: now)]
            isCurrent.clear()
            steps += [found(microcache, request, at: now), found(microcache, request, at: now)]
            isCurrent.set()
            keep()
            steps += [found(microcache, request, at: now), found(microcache, request, at: now + 1), found(microcache, request, at: now)]
        } while time(nil) != now
        #expect(steps == [.new, .repeated, .answer, .answer, .repeated, .repeated, .answer, .new, .new])
    }

    private final class SendableFlag: Sendable {
        private let value = Mutex(true)
        var isSet: Bool { value.withLock { $0 } }
        func set() { value.withLock { $0 = true } }
        func clear() { value.withLock { $0 = false } }
    }

    @Test func `no more is kept than there is room for, nor an answer that is large`() throws {
        let microcache = Microcache(byteCountMax: 100_000)
        var keptCount = 0
        // All in one second: else it begins anew.
        var now: time_t
        repeat {
            now = time(nil)
            keptCount = 0
            for number in 0..<100 {
                let request = ByteBuffer(string: Self.get("/\(number)"))
                for _ in 0..<2 { _ = microcache.find(request, nil, at: now) }
                microcache.keep(.init(bytes: ByteBuffer(repeating: 0, count: 10_000), isCurrent: { true }, route: "r"), to: request, of: now)
                if case .answer = microcache.find(request, nil, at: now) { keptCount += 1 }
            }
        } while time(nil) != now
        #expect(keptCount == 9)
        let large = ByteBuffer(string: Self.get("/large"))
        let roomy = Microcache(byteCountMax: 1 << 24)
        _ = roomy.find(large, nil, at: now)
        roomy.keep(.init(bytes: ByteBuffer(repeating: 0, count: 1 << 19), isCurrent: { true }, route: "r"), to: large, of: now)
        if case .answer = roomy.find(large, nil, at: now) { Issue.record("too large to be kept") }
    }

    @Test(arguments: [
        ("GET /a/urn:x:1 HTTP/1.1\r\n\r\n", "urn:x:1"), ("GET /a/b-._~Z9?c=d/e HTTP/1.1\r\n\r\n", "b-._~Z9"), ("GET /a HTTP/1.1\r\n\r\n", "a"),
        ("GET /a/ HTTP/1.1\r\n\r\n", nil), ("GET /?a/b HTTP/1.1\r\n\r\n", nil), ("GET /a/b%20c HTTP/1.1\r\n\r\n", nil), ("GET /a/b+c HTTP/1.1\r\n\r\n", nil),
        ("GET a HTTP/1.1\r\n\r\n", nil), ("GET /é HTTP/1.1\r\n\r\n", nil), ("GET /a\r\n\r\n", nil), ("GET /a", nil), ("GET ", nil), ("", nil),
    ]) func `the last part of a path is plain, or none`(request: String, part: String?) {
        // As it may lie within a larger buffer.
        var buffer = ByteBuffer(string: "POST /x/y " + request)
        buffer.moveReaderIndex(forwardBy: 10)
        #expect(RequestFamily(buffer)?.part == part)
    }

    @Test func `only what differs in that part alone is of a family`() throws {
        func family(_ path: String, _ rest: String = "") throws -> RequestFamily {
            try #require(RequestFamily(ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: x\r\n\(rest)\r\n")))
        }
        let one = try family("/a/1")
        for same in ["/a/2", "/a/12345"] {
            #expect(try family(same) == one)
            #expect(try family(same).hashValue == one.hashValue)
        }
        for other in ["/b/1", "/a/b/1", "/a/1?x", "/1", "/aa/1"] { #expect(try family(other) != one) }
        #expect(try family("/a/1", "Accept: text/html\r\n") != one)
        // What one has in its path and another in what follows is not the same.
        #expect(try family("/a/1?b/2") != family("/a/1?b/3"))
        #expect(one.copy == one)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 17\r\nDate: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nDate: x\r\n\r\nabc"),
        ("HTTP/1.1 200 OK\r\nX: é\r\ncontent-length: 1\r\n\r\n", "HTTP/1.1 200 OK\r\nX: é\r\ncontent-length: 3\r\n\r\nabc"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", nil),
    ]) func `an answer to another of a family has the same head`(head: String, answer: String?) throws {
        let request = try #require(RequestFamily(ByteBuffer(string: Self.get("/a"))))
        let isCurrent = SendableFlag()
        let siblings = AnswerReuse.Siblings(areCurrent: { isCurrent.isSet }) { $0 == "a" ? .init(bytes: ByteBuffer(string: "abc"), isCurrent: { true }) : nil }
        let allowance = AnswerReuse.Allowance(isCurrent: { false }, siblings: siblings)
        var bytes = ByteBuffer(string: "before" + head)
        bytes.moveReaderIndex(forwardBy: 6)
        let found = FamilyAnswer(head: bytes.readableBytesView, allowance, route: "r")
        #expect(found?.answer(to: request).map { String(buffer: $0.bytes) } == answer)
        #expect(found?.answer(to: try #require(RequestFamily(ByteBuffer(string: Self.get("/b"))))) == nil)
        isCurrent.clear()
        #expect(found?.answer(to: request) == nil)
        #expect(FamilyAnswer(head: bytes.readableBytesView, .init(isCurrent: { true }), route: "r") == nil)
    }

    @Test func `of a family the second is remembered for all, and given again itself the second time it is asked`() throws {
        let requests = (0..<3).map { ByteBuffer(string: Self.get("/\($0)")) }
        func family(_ number: Int) throws -> RequestFamily { try #require(RequestFamily(requests[number])) }
        let head = ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        var now: time_t
        var steps: [Found]
        repeat {
            now = time(nil)
            let (microcache, isCurrent) = (Microcache(byteCountMax: 1 << 20), SendableFlag())
            func find(_ number: Int, at now: time_t) throws -> Found {
                switch microcache.find(requests[number], try family(number), at: now) {
                case .new: .new
                case .repeated: .repeated
                case .answer: .answer
                case .family(_, let isRepeated): isRepeated ? .repeatedFamily : .family
                case .related(let isRepeated): isRepeated ? .repeatedRelated : .related
                }
            }
            let siblings = AnswerReuse.Siblings(areCurrent: { isCurrent.isSet }) { _ in .init(bytes: ByteBuffer(), isCurrent: { true }) }
            let allowance = AnswerReuse.Allowance(isCurrent: { true }, siblings: siblings)
            let answer = try #require(FamilyAnswer(head: head.readableBytesView, allowance, route: "r"))
            steps = [try find(0, at: now), try find(1, at: now)]
            microcache.keep(answer, to: try family(1), of: now)
            steps += [try find(2, at: now), try find(2, at: now)]
            isCurrent.clear()
            steps += [try find(0, at: now), try find(0, at: now)]
            isCurrent.set()
            microcache.keep(answer, to: try family(0), of: now)
            steps += [try find(1, at: now), try find(1, at: now + 1)]
        } while time(nil) != now
        #expect(steps == [.new, .related, .family, .repeatedFamily, .repeatedRelated, .repeatedRelated, .repeatedFamily, .new])
    }

    @Test(arguments: [false, true]) func `an answer without end is not kept while it is given, nor one that others give`(isPassed: Bool) throws {
        let request = ByteBuffer(string: Self.get("/fresh"))
        /// A connection on which a request waits for its answer that was asked before.
        func asked() throws -> (channel: EmbeddedChannel, handler: MicrocacheHandler) {
            let (channel, echo) = (EmbeddedChannel(), Echo())
            let pipeline = channel.pipeline.syncOperations
            let handler = MicrocacheHandler(Microcache(byteCountMax: 1 << 24), ServerMetrics())
            try pipeline.addHandler(handler)
            try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false, withErrorHandling: false)
            try pipeline.addHandler(echo)
            try channel.writeInbound(request)
            echo.isHolding = true
            try channel.writeInbound(request)
            return (channel, handler)
        }
        var (channel, handler) = try asked()
        // Both in one second: else the other is the first of its own.
        while !handler.mayKeep { (channel, handler) = try asked() }
        if isPassed { handler.passed() } else {
            let encoder = try channel.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
            for _ in 0..<100 { encoder.write(NIOAny(IOData.byteBuffer(ByteBuffer(repeating: 0, count: 4096))), promise: nil) }
        }
        #expect(!handler.mayKeep)
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }

    @Test func `how a family is answered is kept of so many alone`() throws {
        let head = ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        let answer = try #require(FamilyAnswer(
            head: head.readableBytesView, .init(isCurrent: { true }, siblings: .init(areCurrent: { true }) { _ in .init(bytes: ByteBuffer(), isCurrent: { true }) }),
            route: "r"))
        var (now, keptCount) = (time_t(0), 0)
        repeat {
            (now, keptCount) = (time(nil), 0)
            let microcache = Microcache(byteCountMax: 1 << 24)
            for number in 0..<1000 {
                let request = ByteBuffer(string: Self.get("/\(number)/a"))
                let family = try #require(RequestFamily(request))
                _ = microcache.find(request, family, at: now)
                microcache.keep(answer, to: family, of: now)
                if case .family = microcache.find(request, family, at: now) { keptCount += 1 }
            }
        } while time(nil) != now
        #expect(keptCount == 128)
    }

    /// Whether the last of some pieces is given again.
    @Test(arguments: [
        ([with("x", "POST")], true), ([with("", "POST")], true), (["POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n", "ab", "c"], true),
        ([with(get("/a"), "POST")], true), ([with("x", "GET")], true), ([with("x", "POST"), with("y", "PATCH")], true),
        // Of these it is not known, where they are cut so, whether all has been read.
        ([with("x", "POST") + get("/a")], false), (["POST /c HTTP/1.1\r\nHost: x\r\nCon", "tent-Length: 1\r\n\r\nx"], false),
        (["POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"], false), (["\r\n" + with("x", "POST")], false),
    ]) func `after a request of another kind it takes part again where that has come to its end`(between: [String], isGivenAgain: Bool) throws {
        let pieces = between + [Self.get("/a")]
        var (found, expected, now) = ((text: "", madeCount: 0), (text: "", madeCount: 0), time_t(0))
        repeat {
            now = time(nil)
            let microcache = Microcache(byteCountMax: 1 << 20)
            for _ in 0..<3 { _ = try answered([Self.get("/a")], microcache) }
            // The first of each connection goes all the way.
            (found, expected) = (try answered([Self.get("/a")] + pieces, microcache), try answered([Self.get("/a")] + pieces, nil))
        } while time(nil) != now
        #expect(found.text == expected.text)
        #expect((expected.madeCount - found.madeCount == 1) == isGivenAgain)
    }
}
