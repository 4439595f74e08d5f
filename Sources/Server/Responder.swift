internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Store
internal import Trust

/// The context that Hummingbird makes for each request; the doors have their own (`DoorRequest`).
struct ConnectionContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Who is at the other end of the connection: the client, or a proxy before this program.
    let peer: SocketAddress?
    init(source: ApplicationRequestContextSource) { (coreContext, peer) = (.init(source: source), source.channel.remoteAddress) }
}

/// Answers every request: finds its route, applies the limits, hands it to its door and turns what is thrown into problem
/// details.
struct Responder: HTTPResponder {
    let table: RouteTable
    let limits: ServerLimits
    let largeBodies: LargeBodies
    let bodyTurns: BodyTurns
    let metrics: ServerMetrics
    /// Whether requests come over the control socket.
    let isControl: Bool
    /// Whether requests come over TLS that ends here.
    let isSecure: Bool
    /// Whether authentication is switched off.
    let isOpen: Bool
    /// A page for people who asked for what is not there; nil for everybody else.
    let notFound: @Sendable (DoorRequest) async throws -> Response?
    let log: Logger
    private let date = DateHeader()
    private let faults = FaultLog()

    func respond(to request: Request, context: ConnectionContext) async throws -> Response {
        await respond(to: request, from: context.peer, table.match(request.method, request.head.pathAlone))
    }

    private func respond(to arrived: Request, from peer: SocketAddress?, _ match: RouteTable.Match, _ reuse: AnswerReuse? = nil) async -> Response {
        let request = isSecure ? arrived.overTLS : arrived
        let start = ContinuousClock.now
        metrics.began()
        var (response, route) = await answer(request, from: peer, match, reuse)
        if !isControl { SecurityHeaders.add(to: &response.headers, isHTTPS: request.headers.cameByHTTPS) }
        // A client that hears of it takes the end of the connection for no fault (RFC 9112, section 9.6).
        if request.head.isLast { response.headers[.connection] = "close" }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        metrics.ended(method: request.method.rawValue, route: route, status: response.status.code, seconds: seconds)
        log.debug(
            "request",
            metadata: [
                "method": "\(request.method)", "route": "\(route)", "status": "\(response.status.code)",
                "ms": "\((seconds * 10_000).rounded() / 10)",
            ])
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(_ request: Request, from peer: SocketAddress?, _ match: RouteTable.Match, _ reuse: AnswerReuse?) async -> (Response, route: String) {
        let (target, path) = (request.head.path ?? "/", request.head.pathAlone)
        var route = "unknown"
        do {
            if isOpen { try OpenInstallation.check(request.head) }
            switch match {
            case .unknown:
                let doorRequest = try doorRequest(request, path: path, target: target, content: .collected(ByteBuffer()))
                if let page = try await notFound(doorRequest) { return (page, route) }
                throw Problem(.resourceNotFound("there is nothing at \(path)"))
            case .otherMethods(let methods): return (Self.methodNotAllowed(methods), route)
            case .route(let found, let pathParameters):
                route = found.path
                let length = found.body.flatMap { _ in request.headers[.contentLength].flatMap { Int($0) } }
                let held = try largeBodies.take(collectedByteCount(length, found))
                defer { largeBodies.giveBack(held) }
                var doorRequest = try await doorRequest(request, found, length: length, path: path, pathParameters: pathParameters, target: target)
                let forwardedFor = request.headers[.forwardedFor]
                doorRequest.findNetwork = { NetworkOrigin.text(peer: peer, forwardedFor: forwardedFor) }
                doorRequest.reuse = reuse
                var response = try await inTurn(doorRequest, found.handler)
                for name in Self.echoedNames { if let value = request.headers[name] { response.headers[name] = value } }
                return (response, route)
            }
        } catch is LengthRequired {
            return (Response(status: .lengthRequired, headers: Self.echoed(request)), route)
        } catch {
            return (problem(error, request, route).response(headers: Self.echoed(request)), route)
        }
    }

    /// Deals with a request whose body has arrived, when it is the body's turn. Files of a form are bytes and stay so: they wait for nobody.
    private func inTurn(_ request: DoorRequest, _ handler: Route.Handler) async throws -> Response {
        guard case .collected(let body) = request.content, body.readableBytes > Self.promptByteCountMax,
            request.headers[.contentType]?.lowercased().hasPrefix("multipart/") != true
        else { return try await handler(request) }
        await bodyTurns.enter(body.readableBytes)
        defer { bodyTurns.leave(body.readableBytes) }
        return try await handler(request)
    }

    /// What an answer repeats of its request (clauses 6.3.14 and 6.3.22).
    private static func echoed(_ request: Request) -> HTTPFields {
        var headers: HTTPFields = [:]
        for name in echoedNames { headers[name] = request.headers[name] }
        return headers
    }

    private static let echoedNames: [HTTPField.Name] = [.ngsildTenant, .ngsildSnapshot]

    private static func methodNotAllowed(_ methods: [HTTPRequest.Method]) -> Response {
        let allowed = methods.map(\.rawValue).joined(separator: ", ")
        return Problem.own("method-not-allowed", "Method not allowed", status: 405, "this resource knows \(allowed)")
            .response(headers: [.allow: allowed])
    }

    private func problem(_ error: any Error, _ request: Request, _ route: String) -> Problem {
        switch error {
        case let problem as Problem: return problem
        case .internalFault(let detail) as CityError:
            log.error("internal fault", metadata: ["route": "\(route)", "fault": "\(detail)"])
            return Problem(.internalFault(detail))
        case let error as CityError: return Problem(error)
        case StoreError.notFound(let name): return Problem(.nonexistentTenant("there is no municipality \(name)"))
        case StoreError.alreadyExists(let name): return Problem(.alreadyExists("municipality \(name) exists already"))
        case let error as StoreError:
            log.error("store", metadata: ["route": "\(route)", "error": "\(error)"])
            // Where files lie is for whoever runs the program.
            let detail = isControl ? error.description : "the municipality's file can't be used; the log says why"
            return .own("unusable-file", "Unusable file", status: 500, detail)
        case is NIOTooManyBytesError: return tooLarge
        case let error where FileFault(error) != nil:
            guard let fault = FileFault(error) else { return Problem(.internalFault("")) }
            let municipality = request.headers[.ngsildTenant] ?? "-"
            if let omittedCount = faults.line(municipality, fault) {
                log.error(
                    "a municipality's file can't be used",
                    metadata: ["route": "\(route)", "municipality": "\(municipality)", "error": "\(error)", "omitted": "\(omittedCount)"])
            }
            return fault.problem
        case let error as HTTPParserError:
            return .own("malformed-request", "Malformed request", status: 400, error.debugDescription)
        case is BodyTooSlow:
            return .own("body-too-slow", "Body too slow", status: 408, "the body did not arrive within \(limits.bodySecondsMax) seconds")
        default:
            log.error("unexpected error", metadata: ["route": "\(route)", "error": "\(type(of: error)): \(error)"])
            return Problem(.internalFault(""))
        }
    }

    private var tooLarge: Problem {
        .own("body-too-large", "Body too large", status: 413, "the body has more than \(limits.bodyByteCountMax) bytes")
    }

    private func doorRequest(
        _ request: Request, _ route: Route, length: Int?, path: Substring, pathParameters: [String: String], target: String
    ) async throws -> DoorRequest {
        try checkLength(length, route)
        let content = try await content(request, route, length: length)
        return try doorRequest(request, path: path, pathParameters: pathParameters, target: target, content: content)
    }

    private func doorRequest(
        _ request: Request, path: Substring, pathParameters: [String: String] = [:], target: String, content: DoorRequest.Content
    ) throws -> DoorRequest {
        let query = path.count < target.count ? target.dropFirst(path.count + 1) : ""
        return DoorRequest(
            method: request.method, path: String(path), headers: request.headers, authority: request.head.authority,
            query: try QueryParameters(query), pathParameters: pathParameters, credential: try credential(request), now: .now,
            content: content, logger: log)
    }

    /// Clause 6.3.4 asks for a length before anything else is looked at, and makes no exception for chunked bodies. Routes that
    /// read as they go are not of NGSI-LD.
    private func checkLength(_ length: Int?, _ route: Route) throws {
        guard let body = route.body, !body.isStreamed else { return }
        guard length != nil else { throw LengthRequired() }
    }

    private func credential(_ request: Request) throws -> Credential {
        if isControl { return .controlSocket }
        guard let header = request.headers[.authorization] else { return try sessionCredential(request) }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw CityError.unauthenticated("Authorization: Bearer and a token are expected")
        }
        return .bearer(String(parts[1]))
    }

    /// A cookie comes along whoever has the browser send the request. What changes something counts only when it was one of our own pages.
    private func sessionCredential(_ request: Request) throws -> Credential {
        let authority = request.head.authority
        guard let text = BrowserCookie.session.value(request.headers, authority: authority) else { return .none }
        let isSafe = [.get, .head, .options].contains(request.method)
        guard isSafe || RequestOrigin.verdict(request.headers, authority: authority) == .own else {
            throw CityError.forbidden("Origin: a session's cookie allows changes from this program's own pages alone; others send a token (Authorization)")
        }
        return .session(text)
    }

    private func content(_ request: Request, _ route: Route, length: Int?) async throws -> DoorRequest.Content {
        guard let body = route.body else { return .collected(ByteBuffer()) }
        if body.isStreamed { return .stream(request.body) }
        guard let length, length <= limits.bodyByteCountMax else { throw tooLarge }
        return .collected(try await collected(request))
    }

    /// What a request's body is going to take; 0 where it is read as it arrives, or refused.
    private func collectedByteCount(_ length: Int?, _ route: Route) -> Int {
        guard let body = route.body, !body.isStreamed, let length else { return 0 }
        return length <= limits.bodyByteCountMax ? length : 0
    }

    /// The body, which arrives in time or not at all (`ConnectionGuard`).
    private func collected(_ request: Request) async throws -> ByteBuffer {
        var collected = ByteBuffer()
        for try await part in request.body {
            collected.writeImmutableBuffer(part)
            guard collected.readableBytes <= limits.bodyByteCountMax else { throw tooLarge }
        }
        return collected
    }
}

// MARK: - Answers in a moment

extension Responder {
    /// Bytes of a body that is read and dealt with in a moment.
    private static let promptByteCountMax = 65_536

    /// A request by its head, when its answer is expected in a moment.
    func promptRequest(_ head: HTTPRequest) -> PromptRequest? {
        let match = table.match(head.method, head.pathAlone)
        guard case .route(let route, _) = match, route.isPrompt else { return nil }
        guard route.body != nil else { return PromptRequest(head: head, match: match, hasBody: false) }
        guard let length = head.headerFields[.contentLength].flatMap({ Int($0) }), length <= Self.promptByteCountMax else { return nil }
        return PromptRequest(head: head, match: match, hasBody: true)
    }

    /// - Parameter reuse: hears whether the answer may be given again; nil where it is not.
    func answer(_ request: PromptRequest, from peer: SocketAddress?, _ reuse: AnswerReuse?) async -> PromptAnswer {
        let arrived = Request(head: request.head, body: .init(buffer: request.body ?? ByteBuffer()))
        let response = await respond(to: arrived, from: peer, request.match, reuse)
        let body = BodyCollector(byteCountMax: .max)
        do { try await response.body.write(body) } catch { return failure(error, request.head) }
        var answer = promptAnswer(response, body.bytes, request.head)
        if response.status == .ok, let allowance = reuse?.allowance, case .route(let route, _) = request.match { (answer.reuse, answer.route) = (allowance, route.path) }
        return answer
    }

    /// The answer to a request that never arrived whole, or to which no answer could be made.
    func failure(_ error: any Error, _ head: HTTPRequest) -> PromptAnswer {
        let problem = problem(error, Request(head: head, body: .init(buffer: ByteBuffer())), "unknown")
        let body = ByteBuffer(string: problem.json.description)
        var response = Response(status: .init(code: problem.status), headers: [.contentType: "application/problem+json"], body: .init(byteBuffer: body))
        if !isControl { SecurityHeaders.add(to: &response.headers, isHTTPS: isSecure || head.headerFields.cameByHTTPS) }
        metrics.began()
        metrics.ended(method: head.method.rawValue, route: "unknown", status: problem.status, seconds: 0)
        return promptAnswer(response, body, head)
    }

    private func promptAnswer(_ response: Response, _ body: ByteBuffer, _ head: HTTPRequest) -> PromptAnswer {
        var response = response
        response.headers.append(date.field)
        return PromptAnswer(
            head: response.head, body: body.readableBytes > 0 ? body : nil, isLast: head.isLast)
    }
}

extension HTTPRequest {
    /// Whether it is the last of its connection (`LastRequest`).
    fileprivate var isLast: Bool { headerFields[.connection] == "close" }

    /// The path without the query string.
    fileprivate var pathAlone: Substring {
        let target = path ?? "/"
        return target.utf8.firstIndex(of: UInt8(ascii: "?")).map { target[..<$0] } ?? target[...]
    }
}

extension FileFault {
    /// What a client reads of it.
    var problem: Problem {
        switch self {
        case .full: .own("disk-full", "Disk full", status: 507, "no space is left on the disk; nothing was changed, and the same request succeeds once there is some")
        case .unavailable: .own("file-unavailable", "File unavailable", status: 503, "the municipality's file could not be read or written; nothing was changed, and the same request may succeed later")
        case .damaged: .own("damaged-file", "Damaged file", status: 500, "the municipality's file can't be read: it is damaged, or its disk is; nothing was changed, and `conurb verify` says more")
        }
    }
}

extension Request {
    /// Here it is known how it came, whatever the client says; elsewhere a proxy in front says it.
    fileprivate var overTLS: Request {
        var head = head
        head.headerFields[.forwardedProto] = "https"
        return Request(head: head, body: body)
    }
}

/// A request without `Content-Length`. Its answer is the status alone: clause 6.3.4 wants no body, not even problem details.
private struct LengthRequired: Error {}
