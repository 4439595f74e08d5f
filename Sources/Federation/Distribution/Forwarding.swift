package import CityModel
package import LinkedData
internal import Broker
internal import Trust
internal import OrderedCollections

/// What is asked of a source, before it is known how it wants to be asked.
package struct Forward: Sendable {
    package var method: SourceRequest.Method
    package var path: String
    package var query: [(name: String, value: String)] = []
    /// Written with the names of the context that goes along.
    package var body: JSON?
    package var isMergePatch = false
    /// The map that the source made for its part.
    package var entityMap: IRI?
    /// Whether the body has the names of the request that is passed on, as they came, so that they go out with its context.
    package var keepsNames = false

    package init(_ method: SourceRequest.Method, _ path: String, query: [(name: String, value: String)] = [], body: JSON? = nil) {
        (self.method, self.path, self.query, self.body) = (method, path, query, body)
    }
}

/// What a source said, or why it said nothing.
package enum SourceReply: Sendable {
    case answer(status: Int, headers: [(name: String, value: String)], body: [UInt8], context: Context)
    case timedOut
    case failed(String)

    /// Whether the same request will be answered so again: what the source will not do, unlike what it can't do now.
    var isFinalRefusal: Bool {
        guard case .answer(let status, _, _, _) = self else { return false }
        return [501, 508].contains(status) || ((400...499).contains(status) && ![408, 425, 429].contains(status))
    }

    var isSuccess: Bool { if case .answer(let status, _, _, _) = self { (200...299).contains(status) } else { false } }
}

extension Federation {
    /// Asks one source.
    /// - Parameter mayRefuse: whether the source stays as it is when it will not do what is asked, and is not left alone for a while.
    /// - Parameter build: makes what is asked, with the names of a context.
    package func ask(
        _ registration: Registration, _ origin: Origin, mayRefuse: Bool = false, _ build: (Context) -> Forward
    ) async -> SourceReply {
        let (now, municipality) = (origin.asker.now, origin.access.municipality)
        // Until its cooldown has passed a source counts as one that does not answer (table 5.2.34-1).
        guard !cooldown.isCooling(registration.id, in: municipality, at: now) else { return .timedOut }
        var (context, contextURL) = await namedContext(for: registration, origin)
        if build(context).keepsNames { (context, contextURL) = (origin.context, nil) }
        guard let ownAlias = try? await broker.contextSourceAlias(of: municipality, at: now) else { return .failed("this source has no name") }
        // Neighbours answer within the program, where they come to this gate themselves.
        let isOnWeb = registration.endpoint.isOnWeb
        if isOnWeb { guard await gate.enter() else { return .failed("too many requests to sources are waiting") } }
        defer { if isOnWeb { gate.leave() } }
        guard let secondsLeft = origin.allowance.secondsLeft else { return .timedOut }
        guard origin.allowance.bytesLeft > 0 else { return .failed(Self.tooLarge) }
        var request = request(build(context), to: registration, context, named: contextURL, origin, ownAlias)
        request.timeoutSeconds = min(request.timeoutSeconds, secondsLeft)
        request.answerByteCountMax = min(request.answerByteCountMax, origin.allowance.bytesLeft)
        let reply: SourceReply
        switch await send(request, origin.asker) {
        case .answer(let status, let headers, let body):
            origin.allowance.spend(bytes: body.count)
            reply = .answer(status: status, headers: headers, body: body, context: context)
        case .timedOut: reply = .timedOut
        case .failed(let reason): reply = .failed(reason)
        }
        // Not to have what was asked for is no failure (clause 6.3.17).
        var isWell = reply.isSuccess
        if case .answer(404, _, _, _) = reply { isWell = true }
        book.note(isWell, registration.id, in: municipality, at: now)
        cooldown.note(isWell || (mayRefuse && reply.isFinalRefusal), registration, in: municipality, at: now)
        return reply
    }

    /// Asks for several things, so many at a time, and fewer where the request was passed on already. The replies stand in their order.
    func askAll<Part: Sendable, Asked: Sendable>(
        _ parts: [Part], _ origin: Origin, _ ask: @escaping @Sendable (Part) async -> Asked
    ) async -> [Asked] {
        let countMax = origin.via.isEmpty ? limits.concurrentCountMax : max(1, limits.concurrentCountMax / 4)
        return await withTaskGroup(of: (Int, Asked).self) { group in
            var replies: [Asked?] = Array(repeating: nil, count: parts.count)
            for (index, part) in parts.enumerated() {
                if index >= countMax, let (place, reply) = await group.next() { replies[place] = reply }
                group.addTask { (index, await ask(part)) }
            }
            for await (place, reply) in group { replies[place] = reply }
            return replies.compactMap { $0 }
        }
    }

    /// The context that names are written with for a source: the one it asks for, else that of the request. One that is not one URL
    /// can't be said in a header: then names go out whole.
    func context(for registration: Registration, _ origin: Origin) async -> Context { await namedContext(for: registration, origin).context }

    /// The same, with the URL by which the source asks for it: it is named so, also where it is the core context (clause 6.3.19).
    private func namedContext(for registration: Registration, _ origin: Origin) async -> (context: Context, url: String?) {
        if let url = registration.sourceInfo.contextURL, let context = try? await context(.string(url), origin) { return (context, url) }
        if case .string = origin.context.answered { return (origin.context, nil) }
        return (.core, nil)
    }

    /// A context that is had in the time that is left.
    func context(_ value: JSON, _ origin: Origin) async throws -> Context {
        guard let secondsLeft = origin.allowance.secondsLeft else { throw CityError.sourceTimedOut("no time is left for a context") }
        return try await contexts.context(value, in: origin.access.municipality, secondsMax: secondsLeft)
    }

    /// Clauses 6.3.18 and 6.3.19.
    /// - Parameter contextURL: how the source wants the context to be named.
    private func request(
        _ forward: Forward, to registration: Registration, _ context: Context, named contextURL: String?, _ origin: Origin, _ ownAlias: String
    ) -> SourceRequest {
        let info = registration.sourceInfo
        var headers = [(name: "Accept", value: info.accept ?? "application/json")]
        var body = forward.body
        let wantsLinkedData = info.contentType == "application/ld+json" && info.contextURL == nil
        var needsLinkedData = false
        if case .string = context.answered {} else { needsLinkedData = forward.keepsNames }
        let isLinkedData = (wantsLinkedData || needsLinkedData) && body != nil && !forward.isMergePatch
        if isLinkedData {
            headers.append(("Content-Type", "application/ld+json"))
            body = body?.withContext(context.answered)
        } else if body != nil {
            headers.append(("Content-Type", forward.isMergePatch ? "application/merge-patch+json" : "application/json"))
        }
        if !isLinkedData, let url = contextURL ?? (context.key == Context.core.key ? nil : context.linkURL) {
            headers.append(("Link", "<\(url)>; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\""))
        }
        headers.append(("Via", [origin.viaText, "1.1 \(ownAlias)"].compactMap { $0 }.joined(separator: ", ")))
        if case .municipality(let name) = registration.endpoint {
            if name != .standard { headers.append(("NGSILD-Tenant", name.text)) }
        } else if let tenant = registration.tenant {
            headers.append(("NGSILD-Tenant", tenant))
        }
        if let map = forward.entityMap { headers.append(("NGSILD-EntityMap", "/ngsi-ld/v1/entityMaps/" + URLText.encode(map.text))) }
        for (name, value) in info.headers {
            if value == SourceInfo.fromRequest {
                if let taken = origin.header(name) { headers.append((name, taken)) }
            } else {
                headers.append((name, value))
            }
        }
        var query = forward.query
        if registration.management.isLocalOnly { query.append(("local", "true")) }
        return SourceRequest(
            endpoint: registration.endpoint, method: forward.method, path: forward.path, query: query, headers: headers,
            body: body.map { body in
                var writer = JSONWriter()
                writer.write(body)
                return writer.bytes
            }, timeoutSeconds: min(registration.management.timeoutSeconds ?? limits.timeoutSeconds, limits.timeoutSecondsMax),
            answerByteCountMax: limits.answerByteCountMax)
    }
}

extension JSON {
    /// Objects, also those of an array, with a context each.
    fileprivate func withContext(_ context: JSON) -> JSON {
        switch self {
        case .object(var members):
            members["@context"] = context
            return .object(members)
        case .array(let elements): return .array(elements.map { $0.withContext(context) })
        default: return self
        }
    }
}
