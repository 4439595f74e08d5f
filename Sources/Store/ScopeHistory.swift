package import CityModel
internal import Query

/// The scopes of an entity in the course of time. Scopes hold from the moment they are set until others are set or they are
/// removed (clause 4.18).
extension ReadSnapshot {
    /// Records of one entity's scopes that are looked at.
    private static var scopeRecordCountMax: Int { 10_000 }

    private var scopeSeries: Series? { terms.number(of: .scopeMember).map { Series(attribute: .scopeMember, datasetID: nil, number: $0) } }

    /// When the scopes of an entity were such that a query selects it, in order. An entity whose scopes were never recorded
    /// has always had those it has now.
    /// - Parameter window: whose records are asked for; of the scopes, those of any time are looked at.
    /// - Throws: `tooComplexQuery` when there are too many.
    func scopeValidity(of entity: HistoricEntity, _ query: ScopeQuery, _ window: HistoryWindow) throws -> [Range<Instant>] {
        let end = Instant(microseconds: .max)
        var changes: [(at: Instant, isSelected: Bool)] = []
        if let series = scopeSeries {
            var always = window
            (always.temporal, always.validity, always.isBackwards) = (nil, nil, false)
            try visitRecords(of: entity.number, series, always) { record in
                try checkScopeCount(changes.count, entity)
                changes.append((record.time, query.matches(record.scopes)))
                return true
            }
        }
        guard !changes.isEmpty else { return query.matches(entity.scopes) ? [Instant(microseconds: .min)..<end] : [] }
        var intervals: [Range<Instant>] = []
        for (index, change) in changes.enumerated() where change.isSelected {
            let next = index + 1 < changes.count ? changes[index + 1].at : end
            if change.at < next { intervals.append(change.at..<next) }
        }
        return intervals
    }

    /// The records of an entity's scopes within a window, oldest first, and before them the one that held when it began
    /// (clause C.5.16).
    /// - Throws: `tooComplexQuery` when there are too many.
    package func scopeRecords(of entity: HistoricEntity, _ window: HistoryWindow) throws -> [RecordedInstance] {
        guard let series = scopeSeries else { return [] }
        var records: [RecordedInstance] = []
        if let begin = window.temporal?.lowerBound, let property = window.temporal?.property, property != .deletedAt {
            var before = window
            (before.temporal, before.validity, before.isBackwards) = (TemporalQuery(.before(begin), of: property), nil, true)
            try visitRecords(of: entity.number, series, before, limit: 1) { record in
                if record.deletedAt == nil { records.append(record) }
                return false
            }
        }
        var within = window
        (within.isBackwards, within.validity) = (false, nil)
        try visitRecords(of: entity.number, series, within) { record in
            try checkScopeCount(records.count, entity)
            records.append(record)
            return true
        }
        return records
    }

    private func checkScopeCount(_ count: Int, _ entity: HistoricEntity) throws(CityError) {
        guard count >= Self.scopeRecordCountMax else { return }
        throw .tooComplexQuery("scope: the scopes of \(entity.id) changed more than \(Self.scopeRecordCountMax) times; narrow the interval")
    }
}

extension RecordedInstance {
    /// Of a record of scopes: those that held from then on.
    package var scopes: [Scope] {
        guard deletedAt == nil else { return [] }
        return (attribute.value.arrayValue ?? [attribute.value]).compactMap { $0.stringValue.flatMap { Scope($0) } }
    }
}
