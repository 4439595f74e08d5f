package import CityModel
internal import LinkedData
package import Store
package import Trust

/// The operations on the city's entities. Each takes the access that `Trust` made and the moment at which it happens.
package struct Broker: Sendable {
    package let store: Store
    let configuration: BrokerConfiguration
    /// Nil where nobody signs anything, as in tests.
    let keys: KeyRing?
    let nameCache = NameCache()
    let entityMaps: EntityMapCollection
    package let snapshotWork = SnapshotWork()
    let erasures = ErasuresUnderWay()

    package init(store: Store, configuration: BrokerConfiguration, keys: KeyRing? = nil) {
        self.store = store
        self.configuration = configuration
        self.keys = keys
        entityMaps = EntityMapCollection(limits: configuration.entityMapLimits)
    }
}

package struct BrokerConfiguration: Sendable {
    /// Whether the first write to a municipality that is not there makes it.
    package var createsMunicipalities: Bool
    package var searchLimits: SearchLimitsConfiguration
    /// Entities of one batch operation.
    package var batchCountMax: Int
    /// By which name other context sources know this installation; nil: by one that is made up.
    package var contextSourceAlias: String?
    package var entityMapLimits = EntityMapLimits()
    package var snapshotLimits = SnapshotLimits()
    /// Which history is packed as it arrives; nil: none.
    package var packing: HistoryPacking?

    package init(createsMunicipalities: Bool, searchLimits: SearchLimitsConfiguration = .init(), batchCountMax: Int = 10_000) {
        self.createsMunicipalities = createsMunicipalities
        self.searchLimits = searchLimits
        self.batchCountMax = batchCountMax
    }
}

/// Which history is packed as it arrives, without having been rows first. The same as is sealed later.
package struct HistoryPacking: Sendable {
    /// What was observed longer ago.
    package var ageSeconds: Int
    /// Of a series' part that has fewer instances, these become rows.
    package var countMin: Int
    package init(ageSeconds: Int, countMin: Int) { (self.ageSeconds, self.countMin) = (ageSeconds, countMin) }

    func policy(at now: Instant) -> SealingPolicy {
        SealingPolicy(before: Instant(microseconds: now.microseconds - Int64(ageSeconds) * 1_000_000), rowCountMin: countMin)
    }
}

/// What one query may cost.
package struct SearchLimitsConfiguration: Sendable {
    package var duration: Duration
    /// Matches that can be put in order.
    package var orderedCountMax: Int
    package init(duration: Duration = .seconds(10), orderedCountMax: Int = 20_000) {
        (self.duration, self.orderedCountMax) = (duration, orderedCountMax)
    }
}

extension Broker {
    func file(toRead access: ReadAccess) throws -> MunicipalityFile {
        try file(access.municipality, creating: false).seen(by: access.sight)
    }

    func file(toWrite access: WriteAccess) throws -> MunicipalityFile {
        try file(access.municipality, creating: configuration.createsMunicipalities).written(by: access.permit)
    }

    /// What a municipality's own file holds now; nil where there is none.
    package func moment(of municipality: MunicipalityName) -> FileMoment? { (try? file(municipality, creating: false))?.moment }

    /// The standard municipality is always there (clause 4.14).
    private func file(_ name: MunicipalityName, creating: Bool) throws -> MunicipalityFile {
        do {
            return try store.file(name, creating: creating || name == .standard)
        } catch StoreError.notFound {
            guard name.snapshot == nil else { throw CityError.resourceNotFound("NGSILD-Snapshot: this snapshot is gone") }
            throw CityError.nonexistentTenant("there is no municipality \(name)")
        }
    }
}
