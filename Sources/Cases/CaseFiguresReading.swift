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
