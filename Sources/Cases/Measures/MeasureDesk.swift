internal import Broker
package import CityModel
internal import OrderedCollections
package import Query
internal import Store
package import Trust

/// Some measures, and how many there are.
package struct MeasurePage: Sendable {
    package let measures: [Measure]
    package let count: Int
}

/// A measure with whether everybody may see it.
package struct KeptMeasure: Sendable {
    package let measure: Measure
    package let isPublic: Bool
}

/// What the city says that it did. A measure is open data from the moment it is written; one that is withdrawn is internal, and can be shown again.
extension CaseDesk {
    /// The measures that an access shows, those first that took effect last.
    package func measures(offset: Int = 0, limit: Int, _ access: ReadAccess, at now: Instant) async throws -> MeasurePage {
        let ordering = try Ordering(parsing: "effectiveOn;desc") { $0 == "effectiveOn" ? MeasureTerm.effectiveOn : nil }
        let page = try await broker.query(
            EntityQuery(filter: EntityFilter(types: .type(Measure.type)), ordering: ordering, offset: offset, limit: limit, wantsCount: true), access, at: now)
        let measures = try page.entities.compactMap { Measure(try broker.entity($0, access)) }
        return MeasurePage(measures: measures, count: page.count ?? measures.count)
    }

    /// - Throws: `resourceNotFound`.
    package func measure(_ key: String, _ access: ReadAccess, at now: Instant) async throws -> Measure {
        let id = Measure.id(key)
        guard IRI(id.text) != nil, let entity = try await broker.retrieve([id], access, at: now).first, let measure = Measure(entity) else { throw Self.noMeasure(key) }
        return measure
    }

    package func kept(_ key: String, _ access: ReadAccess, at now: Instant) async throws -> KeptMeasure {
        let measure = try await measure(key, access, at: now)
        return KeptMeasure(measure: measure, isPublic: try await broker.classification(of: measure.id, access) == .open)
    }

    /// Measures that are looked at for one report: a city does not take more at a time.
    private static var answeringCountMax: Int { 200 }

    /// Those that answer a report, those first that took effect last.
    package func measures(answering report: Entity, _ access: ReadAccess, zone: CivilZone, at now: Instant) async throws -> [Measure] {
        guard let counted = CountedCase(report) else { return [] }
        let all = try await measures(limit: Self.answeringCountMax, access, at: now).measures
        return all.filter { $0.answers(counted, at: report.point, zone) }
    }

    /// Writes a new one, or what is different of one that there is.
    package func put(_ measure: Measure, _ access: WriteAccess, at now: Instant) async throws {
        try await broker.jointly(access, at: now) { writer in
            if try writer.entity(measure.id) == nil {
                var entity = Entity(id: measure.id, types: [Measure.type])
                measure.write(to: &entity, at: now)
                try writer.create(entity, .open)
            } else {
                try writer.edit(measure.id) { measure.write(to: &$0, at: now) }
            }
        }
    }

    /// - Parameter isPublic: whether everybody may see it from now on.
    /// - Throws: `resourceNotFound`.
    package func show(_ key: String, _ isPublic: Bool, _ access: WriteAccess, at now: Instant) async throws {
        let measure = try await measure(key, access.reading, at: now)
        try await broker.jointly(access, at: now) { writer in try writer.edit(measure.id, isPublic ? .open : .internalUse) { $0.modifiedAt = now } }
    }

    private static func noMeasure(_ key: String) -> CityError { .resourceNotFound("there is no measure \(key.prefix(100)), or it was withdrawn") }
}

extension Measure {
    /// What a new one is called by; 40 random bits, as of cases.
    package static func newKey() -> String { CaseReference.random().text }
}
