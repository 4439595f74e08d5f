internal import Broker
internal import Cases
internal import CityModel
internal import Door
internal import Hummingbird
internal import OrderedCollections
internal import Query
internal import Services
internal import Store
internal import Trust

/// `servicerequestupdates`: what became of requests, as FixMyStreet asks for it and tells it.
extension Open311Door {
    /// What was said and done in public within a span of time, the oldest first.
    func updates(_ request: DoorRequest) async throws -> Open311Answer {
        let limits = configuration.limits
        let language = try AnswerLanguage(request.said("lang"))
        let span = try SpanReader(request: request).span("start_date", "end_date", days: limits.updateDays, spanDays: limits.updateSpanDays)
        let ids = try request.words("service_request_id", countMax: limits.wordCountMax)
        let access = try await reading(request)
        let changed = ids.isEmpty ? try await changed(since: span.lowerBound, access, at: request.now) : try await entities(called: ids, access, at: request.now)
        var updates: [RequestUpdate] = []
        for entity in changed {
            guard let reference = CaseType.request.key(of: entity.id).flatMap(CaseReference.init), let code = entity.said(CaseTerm.serviceCode) else { continue }
            let service = try await desk.catalogue.service(code, version: entity.number(CaseTerm.serviceVersion), access)
            let events = try await desk.timeline(reference, notes: false, access, at: request.now)
            updates += RequestUpdate.updates(of: reference, events, service.definition, language).filter { span.contains($0.at) }
        }
        updates.sort { ($0.at, $0.id) < ($1.at, $1.id) }
        return Open311Answer(root: "service_request_updates", value: .array(updates.map { $0.json(configuration.zone) }))
    }

    /// Cases whose last change is no older. What a source brought has no steps.
    private func changed(since moment: Instant, _ access: ReadAccess, at now: Instant) async throws -> [Entity] {
        let path = AttributePath(root: .init(term: "updated_datetime", iri: CaseTerm.updatedAt))
        let value = QueryValue.moment(Moment(kind: .dateTime, instant: moment))
        let filter = EntityFilter(
            types: .type(CaseType.request.iri), attributes: [CaseTerm.step], query: .term(QueryTerm(path: path, condition: .compare(.greaterOrEqual, value))))
        let page = try await broker.query(EntityQuery(filter: filter, limit: configuration.limits.changedCountMax), access, at: now)
        guard !page.hasMore else {
            throw Open311Fault(400, "start_date: more than \(configuration.limits.changedCountMax) requests changed since then; a later one, or service_request_id, is needed")
        }
        return try page.entities.map { try broker.entity($0, access) }
    }

    /// Says something of a request, and brings it into another step of its service.
    func update(_ request: DoorRequest) async throws -> Open311Answer {
        let fields = try await PostedFields(request, byteCountMax: configuration.limits.formByteCountMax)
        func said(_ name: String) -> String? { fields[name] ?? request.said(name) }
        let name = try await municipality(said("jurisdiction_id"))
        let credential = credential(said("api_key"), request)
        if case .none = credential, !gatekeeper.isOpen { throw Open311Fault(403, "api_key was not provided") }
        let access = try await gatekeeper.writing(name, credential, request.terms.serving)
        guard let id = fields["service_request_id"] else { throw Open311Fault(400, "service_request_id was not provided") }
        try Self.checkTime(fields["updated_datetime"])
        let description = fields["description"].map(SaidText.cleaned).flatMap { $0.isEmpty ? nil : $0 }
        if let description, description.count > configuration.limits.descriptionCountMax {
            throw Open311Fault(400, "description has more than \(configuration.limits.descriptionCountMax) characters")
        }
        let shown = try await worked(on: id, access.reading, at: request.now)
        let reference = shown.reference
        let wanted = try fields["status"].map { text throws(Open311Fault) in try WantedStatus(text) }
        let step = try wanted?.step(from: shown.request.text(CaseTerm.step) ?? "", in: shown.service.definition)
        if let step {
            try await desk.move(reference, to: step.id, answer: description, access, at: request.now)
        } else if let description {
            try await desk.answer(reference, description, access, at: request.now)
        } else {
            throw Open311Fault(400, "description, status: nothing is said that is not so already")
        }
        let update = JSON.object(["update_id": .string(RequestUpdate.id(reference, request.now))])
        return Open311Answer(root: "service_request_updates", value: [update], status: .created)
    }

    /// A case of this municipality; what a source brought is worked on elsewhere.
    private func worked(on id: String, _ access: ReadAccess, at now: Instant) async throws -> ShownCase {
        let unknown = Open311Fault(404, "service_request_id: there is no \(id.prefix(100)) that is worked on here")
        guard let reference = CaseReference(id) else { throw unknown }
        do { return try await desk.shown(reference, access, at: now) } catch CityError.resourceNotFound { throw unknown }
    }

    /// When somebody elsewhere said it; here it counts from the moment it arrives.
    private static func checkTime(_ text: String?) throws(Open311Fault) {
        guard let text else { return }
        guard Instant(text.replacing(" ", with: "+")) != nil else { throw Open311Fault(400, "updated_datetime: \(text.prefix(60)) is not a date and time such as 2010-01-01T00:00:00Z") }
    }
}

/// Something that was said or done in public with a case.
struct RequestUpdate: Hashable, Sendable {
    let reference: CaseReference
    let at: Instant
    let isClosed: Bool
    /// What was said, else what the step is called.
    let description: String

    static func id(_ reference: CaseReference, _ moment: Instant) -> String { "\(reference)-\(moment.microseconds)" }
    var id: String { Self.id(reference, at) }

    /// - Parameter events: all of a case, the oldest first. The first step is that it was reported, which is no update; what was said with a step is one with it.
    static func updates(of reference: CaseReference, _ events: [CaseEvent], _ definition: ServiceDefinition, _ language: AnswerLanguage) -> [RequestUpdate] {
        var updates: [RequestUpdate] = []
        var (step, isFirst) = ("", true)
        var index = 0
        while index < events.count {
            let moment = events[index].at
            var (answer, hasMoved): (String?, Bool) = (nil, false)
            while index < events.count, events[index].at == moment {
                switch events[index].kind {
                case .step(let id):
                    (step, hasMoved) = (id, !isFirst)
                    isFirst = false
                case .answer(let text): answer = text
                case .department, .note: break
                }
                index += 1
            }
            guard hasMoved || answer != nil else { continue }
            let known = definition.step(step)
            let isClosed = known.map { $0.phase == .closed } ?? true
            updates.append(.init(reference: reference, at: moment, isClosed: isClosed, description: answer ?? known.map { language.text($0.title) } ?? step))
        }
        return updates
    }

    func json(_ zone: CivilZone) -> JSON {
        [
            "update_id": .string(id), "service_request_id": .string(reference.text), "status": .string(isClosed ? "CLOSED" : "OPEN"), "updated_datetime": .string(zone.w3c(at)),
            "description": .string(description), "media_url": .null,
        ]
    }
}

/// What somebody elsewhere says that a request is: in the words of the extension, or by a step of its service.
enum WantedStatus: Hashable, Sendable {
    case open, working
    /// - Parameter isDone: nil: either.
    case closed(isDone: Bool?)
    case step(String)

    init(_ text: String) throws(Open311Fault) {
        switch text.lowercased() {
        case "open", "confirmed": self = .open
        case "in_progress", "investigating", "action_scheduled", "planned": self = .working
        case "closed": self = .closed(isDone: nil)
        case "fixed": self = .closed(isDone: true)
        case "no_further_action", "not_councils_responsibility", "duplicate", "unable_to_fix", "internal_referral": self = .closed(isDone: false)
        default:
            guard text.utf8.count <= 40 else { throw Open311Fault(400, "status: \(text.prefix(40)) is none that is known here") }
            self = .step(text)
        }
    }

    /// The step that a case has to come to; nil where it stays.
    /// - Throws: `Open311Fault` where its service leads to none.
    func step(from current: String, in definition: ServiceDefinition) throws(Open311Fault) -> ServiceStep? {
        guard let now = definition.step(current) else { throw Open311Fault(400, "status: the request is \(current), which is an end") }
        if case .step(let id) = self {
            if id == current { return nil }
            guard let step = definition.step(id), now.next.contains(id) else { throw Self.noWay(id, now) }
            return step
        }
        guard !isMet(by: now) else { return nil }
        let next = now.next.compactMap { definition.step($0) }.filter { isMet(by: $0) }
        guard let step = next.first(where: \.isDone) ?? next.first else { throw Self.noWay(words, now) }
        return step
    }

    private func isMet(by step: ServiceStep) -> Bool {
        switch self {
        case .open: step.phase != .closed
        case .working: step.phase == .working
        case .closed(nil): step.phase == .closed
        case .closed(let isDone?): step.phase == .closed && step.isDone == isDone
        case .step(let id): step.id == id
        }
    }

    private var words: String {
        switch self {
        case .open: "open"
        case .working: "in_progress"
        case .closed(let isDone): isDone == true ? "fixed" : "closed"
        case .step(let id): id
        }
    }

    private static func noWay(_ wanted: String, _ now: ServiceStep) -> Open311Fault {
        Open311Fault(400, "status: the service does not lead from \(now.id) to \(wanted.prefix(40)); it leads to \(now.next.isEmpty ? "nothing" : now.next.joined(separator: ", "))")
    }
}
