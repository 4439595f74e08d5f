internal import Broker
package import CityModel
internal import Query
internal import Store
package import Trust

/// Which cases somebody wants to see.
package struct CaseQuery: Hashable, Sendable {
    package enum Order: String, Hashable, Sendable, CaseIterable {
        case newest, oldest
        /// Those first that have to be closed soonest, or should have been.
        case due
        case updated
    }

    package var references: [CaseReference] = []
    package var services: [String] = []
    package var departments: [String] = []
    package var districts: [String] = []
    /// `open`, `inProgress`, `closed`.
    package var statuses: [String] = []
    package var requested: ClosedRange<Instant>?
    package var updated: ClosedRange<Instant>?
    /// By when they should be closed. Of those who look again, they are best served who round it to the minute: then the order that was found is still there.
    package var expected: ClosedRange<Instant>?
    /// Metres around a point.
    package var near: (point: Geometry, metres: Double)?
    package var order = Order.newest
    package var offset = 0
    package var limit = 50
    package init() {}

    package static func == (left: CaseQuery, right: CaseQuery) -> Bool { left.key == right.key }
    package func hash(into hasher: inout Hasher) { hasher.combine(key) }
    /// The name of what is looked at in its order, whichever page of it; nil for what is hardly looked at twice.
    fileprivate var orderName: String? {
        guard references.isEmpty, near == nil, requested == nil, updated == nil else { return nil }
        var query = self
        (query.offset, query.limit) = (0, 0)
        return "cases: \(query.key)"
    }

    private var key: String { "\(references) \(services) \(departments) \(districts) \(statuses) \(requested?.description ?? "") \(updated?.description ?? "") \(expected?.description ?? "") \(near?.point.json.description ?? "") \(near?.metres ?? 0) \(order) \(offset) \(limit)" }
}

/// Some cases, and how many there are.
package struct CasePage: Sendable {
    package let cases: [Entity]
    package let count: Int
}

extension CaseDesk {
    /// The cases that an access shows, as entities of type `Open311ServiceRequest`.
    /// - Throws: `tooManyResults` where more are wanted in an order than can be put in one.
    package func cases(_ query: CaseQuery, _ access: ReadAccess, at now: Instant) async throws -> CasePage {
        let page = try await broker.query(
            EntityQuery(filter: try query.filter, ordering: try query.ordering, offset: query.offset, limit: query.limit, wantsCount: true, keptAs: query.orderName),
            access, at: now)
        let entities = try page.entities.map { try broker.entity($0, access) }
        return CasePage(cases: entities, count: page.count ?? entities.count)
    }

    /// How many cases match. They are not put in order, so there may be any number of them.
    package func count(_ query: CaseQuery, _ access: ReadAccess, at now: Instant) async throws -> Int {
        try await broker.query(EntityQuery(filter: try query.filter, limit: 0, wantsCount: true), access, at: now).count ?? 0
    }

    /// Cases whose file says something, at most a thousand.
    package func references(assignedTo assignee: String, _ access: ReadAccess, at now: Instant) async throws -> [CaseReference] {
        try await references(CaseTerm.assignee, assignee, access, at: now)
    }

    package func references(inReview review: String, _ access: ReadAccess, at now: Instant) async throws -> [CaseReference] {
        try await references(CaseTerm.review, review, access, at: now)
    }

    private func references(_ name: IRI, _ value: String, _ access: ReadAccess, at now: Instant) async throws -> [CaseReference] {
        let term = QueryTerm(path: AttributePath(root: .init(term: String(name.lastWord), iri: name)), condition: .equal([.text(value)]))
        let filter = EntityFilter(types: .type(CaseType.file.iri), query: .term(term))
        let page = try await broker.query(EntityQuery(filter: filter, limit: 1000), access, at: now)
        return page.entities.compactMap { CaseType.file.key(of: $0.stored.id).flatMap(CaseReference.init) }
    }

    /// How some cases are worked on, by reference.
    package func files(_ references: [CaseReference], _ access: ReadAccess, at now: Instant) async throws -> [String: Entity] {
        let found = try await broker.retrieve(Set(references.map(\.file)), access, at: now)
        return Dictionary(found.compactMap { file in CaseType.file.key(of: file.id).map { ($0, file) } }, uniquingKeysWith: { first, _ in first })
    }

    /// Cases that are likely the same as one that is about to be filed: of the same service, not closed, no farther than `metres` and no older than `days`;
    /// the nearest first.
    package func duplicates(
        of service: String, at place: Geometry, _ access: ReadAccess, metres: Double = 50, days: Double = 7, limit: Int = 5, at now: Instant
    ) async throws -> [Entity] {
        var query = CaseQuery()
        query.services = [service]
        query.statuses = ["open", "inProgress"]
        query.near = (place, metres)
        query.requested = now.adding(seconds: -days * 86_400)...now
        query.limit = 50
        let found = try await cases(query, access, at: now).cases
        let center = place.boundingBox.center
        func distance(_ entity: Entity) -> Double {
            guard let other = entity.point?.boundingBox.center else { return .infinity }
            return GreatCircle.distance(
                fromLongitude: center.longitude, latitude: center.latitude, toLongitude: other.longitude, latitude: other.latitude)
        }
        return Array(found.sorted { distance($0) < distance($1) }.prefix(limit))
    }
}

extension CaseQuery {
    var filter: EntityFilter {
        get throws {
            var filter = EntityFilter(types: .type(CaseType.request.iri))
            if !references.isEmpty { filter.ids = Set(references.map(\.request)) }
            var terms: [QueryExpression] = []
            for (name, values) in [
                (CaseTerm.serviceCode, services), (CaseTerm.department, departments), (CaseTerm.status, statuses),
            ] where !values.isEmpty { terms.append(Self.isOne(of: values, name)) }
            // Imported cases may say it by another name.
            if !districts.isEmpty { terms.append(.or([CaseTerm.district, CaseTerm.neighbourhood].map { Self.isOne(of: districts, $0) })) }
            for (name, range) in [(CaseTerm.requestedAt, requested), (CaseTerm.updatedAt, updated), (CaseTerm.expectedAt, expected)] {
                guard let range, let values = QueryRange(min: .of(range.lowerBound), max: .of(range.upperBound)) else { continue }
                terms.append(.term(QueryTerm(path: AttributePath(root: .init(term: String(name.lastWord), iri: name)), condition: .inside(values))))
            }
            if !terms.isEmpty { filter.query = terms.count == 1 ? terms[0] : .and(terms) }
            if let near { filter.geo = GeoQuery(relation: .nearMax(near.metres), reference: try PreparedGeometry(near.point)) }
            return filter
        }
    }

    private static func isOne(of values: [String], _ name: IRI) -> QueryExpression {
        .term(QueryTerm(path: AttributePath(root: .init(term: String(name.lastWord), iri: name)), condition: .equal(values.map(QueryValue.text))))
    }

    fileprivate var ordering: Ordering {
        get throws {
            let text =
                switch order {
                case .newest: "requested;desc"
                case .oldest: "requested;asc"
                case .due: "expected;asc"
                case .updated: "updated;desc"
                }
            return try Ordering(parsing: text, expand: Self.names)
        }
    }

    @Sendable private static func names(_ word: String) -> IRI? {
        switch word {
        case "requested": CaseTerm.requestedAt
        case "expected": CaseTerm.expectedAt
        case "updated": CaseTerm.updatedAt
        default: nil
        }
    }
}

extension QueryValue {
    fileprivate static func of(_ moment: Instant) -> QueryValue { .moment(Moment(kind: .dateTime, instant: moment)) }
}
