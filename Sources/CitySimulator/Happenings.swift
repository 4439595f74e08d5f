internal import CityModel

/// Incidents and residents' reports as observations of whole entities, one for each step of their life.
struct Happenings: Sendable {
    let incidents: IncidentSchedule
    let requests: ServiceRequestSchedule
    private let municipalities: [MunicipalityName]
    private let scopes: [[Scope]]
    private let roadNames: [String]

    init(_ geography: Geography, _ roads: Roads, seed: UInt64) {
        incidents = IncidentSchedule(geography, roads, seed: seed)
        requests = ServiceRequestSchedule(geography, roads, seed: seed)
        municipalities = geography.municipalities.map(\.identifier)
        scopes = geography.districts.map { [$0.scope] }
        roadNames = roads.roads.map(\.name)
    }

    /// Every step in `from..<to`, in order of time and then identifier.
    func steps(from: Int64, to: Int64) -> [Observation] {
        guard from < to else { return [] }
        var steps: [Observation] = []
        for incident in incidents.overlapping(from: from - 1, to: to) {
            for second in [incident.start, incident.end] where (from..<to).contains(second) { steps.append(observation(incident, at: second)) }
        }
        for request in requests.overlapping(from: from, to: to) {
            for second in [request.requested, request.accepted, request.closed] where (from..<to).contains(second) {
                steps.append(observation(request, at: second))
            }
        }
        return steps.sorted { ($0.observedAt, $0.entityID) < ($1.observedAt, $1.entityID) }
    }

    /// Incidents that are on and reports that are not closed.
    func open(at seconds: Int64) -> [Observation] {
        incidents.active(at: seconds).map { observation($0, at: seconds) }
            + requests.overlapping(from: seconds, to: seconds + 1).filter { $0.closed > seconds }.map { observation($0, at: seconds) }
    }

    private func observation(_ incident: Incident, at second: Int64) -> Observation {
        let hasEnded = second >= incident.end
        let since = Instant(seconds: hasEnded ? incident.end : incident.start)
        var list = AttributeList()
        list.add(Term.name, .property(.string("\(incident.title), \(roadNames[incident.road])")))
        list.add("category", "traffic")
        list.add("subCategory", .string(incident.kind.rawValue))
        list.add("severity", .string(incident.severity), at: since)
        list.add(Term.status, .property(hasEnded ? "solved" : "onGoing", at: since))
        list.add("dateIssued", .string(Instant(seconds: incident.start).description))
        list.add("validFrom", .string(Instant(seconds: incident.start).description))
        if hasEnded { list.add("validTo", .string(Instant(seconds: incident.end).description)) }
        list.add(Term.location, .geo(Globe.point(incident.place)))
        list.addOrigin()
        return Observation(
            municipality: municipalities[incident.municipality], entityID: incident.id, types: [Term.plain("Alert")],
            scopes: scopes[incident.district], attributes: list.attributes, observedAt: since)
    }

    private func observation(_ request: ServiceRequest, at second: Int64) -> Observation {
        let since = Instant(seconds: [request.closed, request.accepted].first { $0 <= second } ?? request.requested)
        let status = request.status(at: second)
        var list = AttributeList()
        list.add(Term.name, .property(.string("\(request.category.name), \(request.street)")))
        list.add("service_request_id", .string(request.number))
        list.add("service_code", .string(request.category.code))
        list.add("service_name", .string(request.category.name))
        list.add(Term.description, .property(.string(request.description)))
        list.add("agency_responsible", .string(request.category.agency))
        list.add(Term.status, .property(.string(status), at: since))
        list.add("requested_datetime", .string(Instant(seconds: request.requested).description))
        list.add("updated_datetime", .string(since.description))
        list.add("expected_datetime", .string(Instant(seconds: request.requested + Int64(request.category.hours) * 3600).description))
        if status == "closed" { list.add("status_notes", .string("Done by \(request.category.agency)")) }
        list.add("address_string", .string(request.street))
        list.add(Term.location, .geo(Globe.point(request.place)))
        list.addOrigin()
        return Observation(
            municipality: municipalities[request.municipality], entityID: request.id, types: [Term.plain("Open311ServiceRequest")],
            scopes: scopes[request.district], attributes: list.attributes, observedAt: since)
    }
}

extension Incident {
    fileprivate var title: String {
        switch kind {
        case .carAccident: "Accident"
        case .brokenVehicle: "Broken-down vehicle"
        case .roadWorks: "Urgent road works"
        case .hazardOnRoad: "Hazard on the road"
        }
    }
}
