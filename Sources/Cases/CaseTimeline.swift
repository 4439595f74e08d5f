internal import Broker
package import CityModel
internal import LinkedData
internal import OrderedCollections
package import Trust

/// Something that happened to a case. The history of its entities is the way it went; nobody writes that down besides.
package struct CaseEvent: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case step(String)
        case answer(String)
        case department(String)
        /// For staff alone. Author: the label of a principal, or `resident`.
        case note(String, author: String)
    }
    package let at: Instant
    package let kind: Kind
}

extension CaseDesk {
    /// What happened to a case, the oldest first, as far as an access shows it.
    /// - Parameter notes: whether what is personal is read too.
    package func timeline(_ reference: CaseReference, notes: Bool = true, _ access: ReadAccess, at now: Instant) async throws -> [CaseEvent] {
        let request = try await evolution(reference.request, access, at: now)
        let dossier = notes ? try await evolution(reference.dossier, access, at: now) : [:]
        var events: [CaseEvent] = []
        events += Self.texts(request, CaseTerm.step) { .step($0) }
        events += Self.texts(request, CaseTerm.answer) { .answer($0) }
        // The first department is that of its service.
        events += Self.texts(request, CaseTerm.department) { .department($0) }.dropFirst()
        for instance in dossier[CaseTerm.note] ?? [] where instance.deletedAt == nil {
            guard let text = instance.attribute.value.stringValue else { continue }
            let author = instance.attribute.subattributes[CaseTerm.author]?.first?.value.stringValue ?? ""
            events.append(CaseEvent(at: instance.time, kind: .note(text, author: author)))
        }
        return events.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
    }

    /// What was recorded of a request that a source brought, the oldest first: each status that it had as a step, and what was said of it.
    package func statuses(of request: IRI, _ access: ReadAccess, at now: Instant) async throws -> [CaseEvent] {
        let recorded = try await evolution(request, access, at: now)
        let events = Self.texts(recorded, CaseTerm.status) { .step($0) } + Self.texts(recorded, CaseTerm.answer) { .answer($0) }
        return events.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
    }

    private static var eventCountMax: Int { 500 }

    private func evolution(_ id: IRI, _ access: ReadAccess, at now: Instant) async throws -> OrderedDictionary<IRI, [TemporalInstance]> {
        do {
            let selection = EvolutionSelection(temporal: nil, lastN: Self.eventCountMax)
            let page = try await broker.retrieveEvolution(
                of: id, selection, limits: EvolutionLimits(instanceCountMax: Self.eventCountMax), access, at: now)
            guard case .instances(let series)? = page.entities.first?.content else { return [:] }
            return series
        } catch CityError.resourceNotFound { return [:] }
    }

    private static func texts(
        _ series: OrderedDictionary<IRI, [TemporalInstance]>, _ name: IRI, _ kind: (String) -> CaseEvent.Kind
    ) -> [CaseEvent] {
        (series[name] ?? []).compactMap { instance in
            instance.deletedAt == nil ? instance.attribute.value.stringValue.map { CaseEvent(at: instance.time, kind: kind($0)) } : nil
        }
    }
}
