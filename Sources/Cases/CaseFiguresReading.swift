internal import Broker
package import CityModel
internal import OrderedCollections
internal import Query
internal import Store
package import Trust

/// Cases that came from the first moment on and before the last.
package struct CaseInterval: Hashable, Sendable {
    package let start: Instant
    package let end: Instant
    package init(start: Instant, end: Instant) { (self.start, self.end) = (start, end) }
}

/// Figures with how many people live where, as far as the city knows.
package struct CityFigures: Sendable {
    package let cases: CaseFigures
    /// By the name of the district.
    package let residents: [String: Double]
}

extension CaseDesk {
    /// Reads every case of the interval that the access shows, once, and keeps none. What is personal is in no figure: cases are not, as a rule.
    /// - Complexity: one visit of each case.
    package func figures(_ interval: CaseInterval, _ access: ReadAccess, at now: Instant) async throws -> CityFigures {
        let fold = try await broker.fold(
            try interval.filter, keeping: CountedCase.attributes, into: CaseFiguresFold(at: now), access, at: now
        ) { fold, entity in
            guard let one = CountedCase(entity), one.requestedAt >= interval.start, one.requestedAt < interval.end else { return }
            try fold.add(one)
        }
        return CityFigures(cases: fold.figures, residents: try await residents(access, at: now))
    }

    private static let population = IRI.plain("population")

    private func residents(_ access: ReadAccess, at now: Instant) async throws -> [String: Double] {
        let path = AttributePath(root: .init(term: "population", iri: Self.population))
        let filter = EntityFilter(types: .or(Self.districtTypes.map(TypeSelection.type)), query: .term(QueryTerm(path: path, condition: .exists)))
        let page = try await broker.query(EntityQuery(filter: filter, limit: 5000), access, at: now)
        var residents: [String: Double] = [:]
        for found in page.entities {
            let district = try broker.entity(found, access)
            guard let count = district.instance(of: Self.population)?.value.doubleValue, count > 0, let name = district.placeName else { continue }
            residents[name] = count
        }
        return residents
    }
}

extension CaseInterval {
    fileprivate var filter: EntityFilter {
        get throws {
            let last = Instant(microseconds: end.microseconds - 1)
            let range = QueryRange(min: .moment(Moment(kind: .dateTime, instant: start)), max: .moment(Moment(kind: .dateTime, instant: last)))
            guard let range else { throw CityError.badRequestData("from: it is after to") }
            let path = AttributePath(root: .init(term: String(CaseTerm.requestedAt.lastWord), iri: CaseTerm.requestedAt))
            return EntityFilter(types: .type(CaseType.request.iri), query: .term(QueryTerm(path: path, condition: .inside(range))))
        }
    }
}

/// Keeps figures for a minute, for whoever may see the same; makes one at a time, since each reads many cases.
package actor CaseFiguresKeeper {
    private struct Key: Hashable {
        let interval: CaseInterval
        let access: ReadAccess
        /// Of the file, its rules and its consents: what is withdrawn is withdrawn at once.
        let revisions: [UInt64]
    }

    private let desk: CaseDesk
    private var kept: OrderedDictionary<Key, (figures: CityFigures, at: ContinuousClock.Instant)> = [:]
    private var making: [Key: Task<CityFigures, any Error>] = [:]
    private var last: Task<CityFigures, any Error>?

    private static let countMax = 16
    private static let makingCountMax = 8
    private static let lifetime = Duration.seconds(60)

    package init(desk: CaseDesk) { self.desk = desk }

    /// - Throws: `overloaded` where many others wait for theirs.
    package func figures(_ interval: CaseInterval, _ access: ReadAccess, at now: Instant) async throws -> CityFigures {
        let revisions = [try desk.broker.incarnation(access), UInt64(bitPattern: try desk.broker.rulesRevision(access))]
        let key = Key(interval: interval, access: access, revisions: revisions)
        if let known = kept[key], ContinuousClock.now - known.at < Self.lifetime { return known.figures }
        if let task = making[key] { return try await task.value }
        guard making.count < Self.makingCountMax else { throw CityError.overloaded("figures: many are being made; come again in a moment") }
        // Each waits for the one before; whoever asks for the same meanwhile waits for the same.
        let task = Task { [desk, last] in
            _ = await last?.result
            return try await desk.figures(interval, access, at: now)
        }
        (making[key], last) = (task, task)
        defer { making[key] = nil }
        let figures = try await task.value
        kept.removeValue(forKey: key)
        kept[key] = (figures, .now)
        if kept.count > Self.countMax { kept.removeFirst() }
        return figures
    }
}
