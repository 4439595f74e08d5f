internal import Broker
internal import Cases
package import CityModel
package import Services
internal import Store
internal import Trust

/// Finds places by their names: the positions of those in a municipality that are called so.
package typealias PlaceFinder = @Sendable (_ name: String, MunicipalityName, _ now: Instant) async throws -> [ServiceAnswers.Place.Coordinates]

/// Files the rows of a run as staff would enter them: with their rights, each in one transaction of its own, and each row once.
struct CaseFiler: Sendable {
    enum Outcome: Sendable {
        /// With what is to be told of it.
        case filed(flags: [Finding])
        case knownBefore
        case refused(Finding)
    }

    let desk: CaseDesk
    let mapping: CaseMapping
    let service: OfferedService
    let access: WriteAccess
    let findPlaces: PlaceFinder?

    /// Rows that are filed at one time, so that their transactions share a flush.
    private static let inFlightCountMax = 16

    func isFiled(_ row: CaseRow, at now: Instant) async throws -> Bool { try await desk.isFiled(row, access.reading) }

    /// - Returns: an outcome for each row, in their order.
    func file(_ rows: [MappedCase], at now: Instant) async throws -> [Outcome] {
        var outcomes = [Outcome?](repeating: nil, count: rows.count)
        try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
            for (index, row) in rows.enumerated() {
                if index >= Self.inFlightCountMax, let (place, outcome) = try await group.next() { outcomes[place] = outcome }
                group.addTask { (index, try await file(row, at: now)) }
            }
            for try await (place, outcome) in group { outcomes[place] = outcome }
        }
        return outcomes.compactMap { $0 }
    }

    private func file(_ row: MappedCase, at now: Instant) async throws -> Outcome {
        var (report, flags) = (row.report, row.flags)
        if let known = report.row, try await isFiled(known, at: now) { return .knownBefore }
        if let finding = try await locate(&report, row.line, at: now) { flags.append(finding) }
        let definition = service.definition
        guard try await !desk.isOutside(report.answers, definition, access.reading, at: now) else {
            let reason = "the place is outside of the municipality"
            return .refused(Finding(line: row.line, ruleID: FindingID.casePlace, field: "place", reason: reason, severity: .reject))
        }
        report.district = try await desk.district(of: report.answers, definition, access.reading, at: now)
        return try await desk.file(report, access, at: now).isRepeated ? .knownBefore : .filed(flags: flags)
    }

    /// Where only an address is known: the one place that is called so. Otherwise the case has no position, and that is told.
    private func locate(_ report: inout CaseReport, _ line: Int, at now: Instant) async throws -> Finding? {
        guard let findPlaces, let field = service.definition.placeField, case .place(let place)? = report.answers[field.id], place.coordinates == nil,
            let address = place.address
        else { return nil }
        let found = try await findPlaces(address, access.municipality, now)
        if found.count == 1 {
            report.answers.byField[field.id] = ServiceAnswers.Place(coordinates: found[0], address: address).map { .place($0) }
            return nil
        }
        let reason = found.isEmpty ? "no place here has this name: the case has no position" : "several places have this name: the case has no position"
        return Finding(line: line, ruleID: FindingID.casePlace, field: mapping.place?.address?.fieldNames ?? "", reason: reason, severity: .flag)
    }
}
