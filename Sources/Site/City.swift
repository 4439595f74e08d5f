internal import Broker
internal import CityModel
internal import Door
internal import Logging
internal import OrderedCollections
internal import Policy
internal import Store
internal import Synchronization
internal import Trust

/// Whom an answer is for. Who has no credential sees what is open; a token widens that in its own municipality.
struct Audience: Hashable, Sendable {
    let home: ReadAccess?
    /// What they say that it is for, in the other municipalities.
    var terms = RequestTerms.none
    /// What they do with what they are given.
    var action = AccessAction.read

    static let everybody = Audience(home: nil)

    fileprivate func access(to name: MunicipalityName, _ gatekeeper: Gatekeeper) async throws -> ReadAccess {
        if let home, home.municipality == name { return home }
        return try await gatekeeper.reading(name, .none, terms, to: action)
    }
}

/// The city as the pages read it: all municipalities, each as far as its audience may see it.
struct City: Sendable {
    let broker: Broker
    let configuration: SiteConfiguration
    let marks: MarkCache
    private let gatekeeper: Gatekeeper
    private let catalogues: Kept<CatalogueKeeper>

    init(broker: Broker, gatekeeper: Gatekeeper, configuration: SiteConfiguration) {
        self.broker = broker
        self.configuration = configuration
        marks = MarkCache(countMax: configuration.limits.markCountMax)
        self.gatekeeper = gatekeeper
        catalogues = Kept { CatalogueKeeper($0, broker: broker, gatekeeper: gatekeeper, configuration: configuration) }
    }

    var limits: SiteLimits { configuration.limits }

    /// - Throws: `unauthenticated` for a credential that is not valid.
    func audience(_ credential: Credential, _ terms: RequestTerms = .none, to action: AccessAction = .read) async throws -> Audience {
        Audience(home: try await gatekeeper.home(of: credential, terms, to: action), terms: terms, action: action)
    }

    /// What an audience may see of a municipality now.
    func access(to name: MunicipalityName, for audience: Audience) async throws -> ReadAccess { try await audience.access(to: name, gatekeeper) }

    func catalogue(for audience: Audience, at now: Instant) async throws -> Catalogue {
        try await catalogues[audience].catalogue(at: now)
    }

    /// - Throws: `unauthenticated` for a credential that is not valid.
    func catalogue(_ request: DoorRequest, to action: AccessAction = .read) async throws -> Catalogue {
        try await catalogue(for: try await audience(request.credential, request.terms, to: action), at: request.now)
    }

    /// The municipalities that a request asks for: one by its key, or all.
    /// - Throws: `resourceNotFound` for a key that is not there.
    func municipalities(_ key: String?, in catalogue: Catalogue) throws(CityError) -> [Int] {
        guard let key, !key.isEmpty else { return Array(catalogue.municipalities.indices) }
        guard let index = catalogue.municipality(key) else { throw .resourceNotFound("municipality: there is no \(key.prefix(100))") }
        return [index]
    }
}

/// What is kept for the audiences that came last.
final class Kept<Value: Sendable>: Sendable {
    private let state = Mutex<OrderedDictionary<Audience, Value>>([:])
    private let make: @Sendable (Audience) -> Value

    static var countMax: Int { 16 }

    init(make: @escaping @Sendable (Audience) -> Value) { self.make = make }

    subscript(audience: Audience) -> Value {
        state.withLock { kept in
            let value = kept.removeValue(forKey: audience) ?? make(audience)
            kept[audience] = value
            if kept.count > Self.countMax { kept.removeFirst() }
            return value
        }
    }
}

/// Keeps one audience's catalogue until the city has changed, and then for a while.
actor CatalogueKeeper {
    private let audience: Audience
    private let broker: Broker
    private let gatekeeper: Gatekeeper
    private let configuration: SiteConfiguration
    /// `accesses` are those that the catalogue was made of, also those whose file can't be used.
    private var kept: (catalogue: Catalogue, accesses: [ReadAccess], at: ContinuousClock.Instant)?
    private var building: Task<Catalogue, any Error>?

    init(_ audience: Audience, broker: Broker, gatekeeper: Gatekeeper, configuration: SiteConfiguration) {
        (self.audience, self.broker, self.gatekeeper, self.configuration) = (audience, broker, gatekeeper, configuration)
    }

    func catalogue(at now: Instant) async throws -> Catalogue {
        if let kept, ContinuousClock.now - kept.at < .seconds(configuration.limits.catalogueSeconds), try await isPermitted(kept.accesses),
            isOfSameConsents(kept.catalogue)
        {
            return kept.catalogue
        }
        // The task ends when the catalogue is there; whoever asks meanwhile waits for the same one.
        let task = building ?? Task { try await self.refreshed(at: now) }
        building = task
        defer { if building == task { building = nil } }
        return try await task.value
    }

    /// Whether the rules show what they showed: what is withdrawn is withdrawn at once.
    private func isPermitted(_ accesses: [ReadAccess]) async throws -> Bool {
        for access in accesses where try await audience.access(to: access.municipality, gatekeeper) != access { return false }
        return true
    }

    /// Whether nobody has given or withdrawn consent on which it rests.
    private func isOfSameConsents(_ catalogue: Catalogue) -> Bool {
        catalogue.municipalities.allSatisfy { (try? broker.incarnation($0.access)) == $0.incarnation }
    }

    private func refreshed(at now: Instant) async throws -> Catalogue {
        var accesses: [ReadAccess] = []
        for name in try await configuration.municipalities() {
            accesses.append(try await audience.access(to: name, gatekeeper))
        }
        // Rules may say something else than before.
        if let kept, kept.accesses == accesses, try await isCurrent(kept.catalogue) {
            self.kept?.at = .now
            return kept.catalogue
        }
        var builder = CatalogueBuilder()
        let sampleCount = max(8, 240 / max(1, accesses.count))
        for access in accesses {
            guard let vocabulary = try await vocabulary(access, sampleCount, now) else { continue }
            builder.add(access, vocabulary)
        }
        let catalogue = builder.catalogue()
        kept = (catalogue, accesses, .now)
        return catalogue
    }

    /// Nil for a municipality that was removed since the list was made, and for one whose file can't be used: the pages show
    /// the others.
    private func vocabulary(_ access: ReadAccess, _ sampleCount: Int, _ now: Instant) async throws -> LiveVocabulary? {
        do {
            return try await broker.liveVocabulary(sampleCountMax: sampleCount, access, at: now)
        } catch CityError.nonexistentTenant {
            return nil
        } catch where !Task.isCancelled {
            configuration.logger.error(
                "a municipality's file can't be used", metadata: ["municipality": "\(access.municipality)", "reason": "\(type(of: error))"])
            return nil
        }
    }

    private func isCurrent(_ catalogue: Catalogue) async throws -> Bool {
        try catalogue.municipalities.allSatisfy {
            try broker.newestChange($0.access) == $0.position && broker.incarnation($0.access) == $0.incarnation
        }
    }
}
