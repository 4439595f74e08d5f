internal import Broker
internal import CityModel
internal import Hummingbird
internal import NIOCore
internal import OrderedCollections
internal import ServiceLifecycle
internal import Store
internal import Trust

/// What one event stream sends: changes of the followed municipalities after a position, gathered and in pieces.
///
/// It looks for changes a few times a second rather than waiting for each: so a stream sends a few messages a second at
/// most, however fast the city changes, and costs nothing that others have to release. While its client does not read,
/// `write` does not return, and nothing is read for it either: what waits for a client is what its connection holds.
struct EventReader: Sendable {
    let streams: EventStreams
    private(set) var catalogue: Catalogue
    private let credential: Credential
    private let terms: RequestTerms
    /// The municipalities, as far as they may be seen now.
    private var followed: [ReadAccess]
    /// Of the rules and consents that it goes by.
    private var revisions: [Int64] = []
    /// Keys of the types to tell of; nil means all.
    private let keys: Set<String>?
    /// Where the journals have been read up to.
    private var position = EventPosition()
    /// Where the client stands: everything up to here was sent.
    private var sentPosition = EventPosition()
    private var startsWithGap = false
    /// Read and not sent yet, one of each entity.
    private var pending: OrderedDictionary<Key, FeedItem> = [:]

    private struct Key: Hashable {
        let municipality: String
        let id: String
    }

    static let changeCountMax = 500
    static let pingSeconds = 15.0
    static let catalogueSeconds = 60.0

    init(
        streams: EventStreams, catalogue: Catalogue, credential: Credential = .none, terms: RequestTerms = .none, followed: [ReadAccess],
        keys: Set<String>?, after: String?
    ) {
        (self.streams, self.catalogue, self.credential, self.terms, self.followed, self.keys) = (streams, catalogue, credential, terms, followed, keys)
        let known = after.flatMap(EventPosition.init)
        startsWithGap = after != nil && known == nil
        for access in followed {
            let newest = (try? streams.city.broker.newestChange(access)) ?? 0
            let number = known?[access.municipality.text]
            // A number from the future belongs to a file that was put back from a backup.
            if known != nil, number == nil || number ?? 0 > newest { startsWithGap = true }
            position[access.municipality.text] = number.map { min($0, newest) } ?? newest
        }
        sentPosition = position
        revisions = currentRevisions
    }

    private var currentRevisions: [Int64] { followed.map { (try? streams.city.broker.rulesRevision($0)) ?? 0 } }

    // MARK: - Sending

    /// Sends until the client has gone or the server shuts down.
    func run(_ writer: inout any ResponseBodyWriter) async throws {
        guard streams.open() else { return try await writer.finish(nil) }
        defer { streams.close() }
        var reader = self
        try await writer.write(ByteBuffer(string: "retry: 2000\n" + reader.opening(at: .now)))
        var sentAt = ContinuousClock.now
        var catalogueAt = ContinuousClock.now
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            try await Task.sleep(for: .seconds(streams.limits.streamPeriodSeconds))
            if ContinuousClock.now - catalogueAt > .seconds(Self.catalogueSeconds) {
                try await reader.renew(at: .now)
                catalogueAt = .now
            }
            let message: String
            if let news = try await reader.news(at: .now) {
                message = news
            } else if ContinuousClock.now - sentAt >= .seconds(Self.pingSeconds) {
                message = reader.event("ping", now: .now)
            } else {
                continue
            }
            try await writer.write(ByteBuffer(string: message))
            sentAt = .now
        }
        try await writer.finish(nil)
    }

    /// Looks anew at the layers, at whether the credential is still valid, and at what it lets be seen.
    mutating func renew(at now: Instant) async throws {
        revisions = currentRevisions
        catalogue = try await streams.city.catalogue(for: streams.city.audience(credential, terms), at: now)
        followed = followed.compactMap { old in catalogue.municipalities.first { $0.key == old.municipality.text }?.access }
    }

    /// What a stream begins with.
    mutating func opening(at now: Instant) -> String {
        defer { startsWithGap = false }
        return event("ready", now: now) + (startsWithGap ? event("gap", data: "{}") : "")
    }

    private func event(_ name: String, now: Instant) -> String { event(name, data: "{\"now\":\(now.milliseconds)}") }

    /// `data` has no line breaks.
    private func event(_ name: String, data: String) -> String { "id: \(sentPosition.text)\nevent: \(name)\ndata: \(data)\n\n" }

    // MARK: - Reading

    /// The next event, if anything happened.
    mutating func news(at now: Instant) async throws -> String? {
        if currentRevisions != revisions {
            // What was to be told by other rules is told no more: the client reads anew.
            try await renew(at: now)
            pending = [:]
            skip(to: try followed.map { try streams.city.broker.newestChange($0) })
            sentPosition = position
            return event("gap", data: "{}")
        }
        if pending.isEmpty, try await read(at: now) {
            pending = [:]
            sentPosition = position
            return event("gap", data: "{}")
        }
        let part = pending.elements.prefix(Self.changeCountMax)
        let told = part.compactMap { item in shown(item.value, municipality: item.key.municipality).map { (item.key.municipality, item.value, $0) } }
        for access in followed {
            let personal = told.filter { $0.0 == access.municipality.text }.compactMap(\.1.personalNumber)
            try await streams.city.broker.account(forShown: personal, access, at: now)
        }
        let changes = told.map(\.2)
        pending.removeFirst(part.count)
        if pending.isEmpty { sentPosition = position }
        guard !changes.isEmpty else { return nil }
        return event("change", data: JSON.array(changes).description)
    }

    /// Reads on in every journal.
    /// - Returns: whether changes were missed; then the position is that of now.
    private mutating func read(at now: Instant) async throws -> Bool {
        var behind: Int64 = 0
        var newest: [Int64] = []
        for access in followed {
            let number = try streams.city.broker.newestChange(access)
            newest.append(number)
            behind += number - (position[access.municipality.text] ?? number)
        }
        guard behind != 0 else { return false }
        guard try await !isOtherwisePermitted(), behind > 0, behind <= streams.limits.changesBehindMax else {
            skip(to: newest)
            return true
        }
        for (access, number) in zip(followed, newest) {
            let name = access.municipality.text
            guard let start = position[name], start < number else { continue }
            let page = try await streams.window(access, position: start).items(after: start, access, at: now)
            if page.hasGap {
                skip(to: newest)
                return true
            }
            for item in page.items {
                let key = Key(municipality: name, id: item.id)
                pending[key] = pending[key]?.followed(by: item) ?? item
            }
            position[name] = page.position
        }
        return false
    }

    /// Whether more or less may be seen than before: what is withdrawn is withdrawn from a stream that is open too.
    /// - Throws: `unauthenticated` for a credential that is not valid any more.
    private mutating func isOtherwisePermitted() async throws -> Bool {
        let audience = try await streams.city.audience(credential, terms)
        let before = followed
        for index in followed.indices { followed[index] = try await streams.city.access(to: before[index].municipality, for: audience) }
        return followed != before
    }

    private mutating func skip(to newest: [Int64]) {
        for (access, number) in zip(followed, newest) { position[access.municipality.text] = number }
    }

    /// Nil for a change that the client does not follow.
    private func shown(_ item: FeedItem, municipality: String) -> JSON? {
        guard let entry = catalogue.entry(types: item.types) else { return nil }
        let key = catalogue.entries[entry].key
        guard keys?.contains(key) ?? true else { return nil }
        return item.json(municipality: municipality, key: key)
    }
}
