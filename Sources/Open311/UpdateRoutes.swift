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
            let found =
                if let reference = entity.reference, let code = entity.said(CaseTerm.serviceCode) {
                    RequestUpdate.updates(
                        of: reference.text, try await desk.timeline(reference, notes: false, access, at: request.now),
                        try await desk.catalogue.service(code, version: entity.number(CaseTerm.serviceVersion), access).definition, language)
                } else {
                    RequestUpdate.updates(of: entity.said(CaseTerm.reference) ?? "", brought: try await desk.statuses(of: entity.id, access, at: request.now))
                }
            updates += found.filter { span.contains($0.at) }
        }
        updates.sort { ($0.at, $0.id) < ($1.at, $1.id) }
        return Open311Answer(root: "service_request_updates", value: .array(updates.map { $0.json(configuration.zone) }))
    }

    /// Cases whose last change is no older. What a source brought has no steps, and may be very much: updates of it are told where somebody names it.
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
        if let file = fields.files.first { throw Open311Fault(400, "\(file.name.prefix(60)): updates take no files") }
        try Self.checkTime(fields["updated_datetime"])
        let description = fields["description"].map(SaidText.cleaned).flatMap { $0.isEmpty ? nil : $0 }
        if let description, description.count > configuration.limits.descriptionCountMax {
            throw Open311Fault(400, "description has more than \(configuration.limits.descriptionCountMax) characters")
        }
        let entity = try await worked(on: id, access.reading, at: request.now)
        let wanted = try fields["status"].map { text throws(Open311Fault) in try WantedStatus(text) }
        let called = try Self.updateName(fields)
        let number = RequestUpdate.id(entity.said(CaseTerm.reference) ?? id, request.now)
        func answer(_ number: String) -> Open311Answer {
            Open311Answer(root: "service_request_updates", value: [.object(["update_id": .string(number)])], status: .created)
        }
        // Asked before anything is looked at: what it led to may be over by now.
        if let called, let known = try await desk.taken(called, of: entity.id, access.reading) { return answer(known) }
        let update = called.flatMap { OutsideUpdate($0, answer: number) }
        if let reference = entity.reference {
            let shown = try await desk.shown(reference, access.reading, at: request.now)
            if let step = try wanted?.step(from: shown.request.text(CaseTerm.step) ?? "", in: shown.service.definition) {
                try await desk.move(reference, to: step.id, answer: description, once: update, access, at: request.now)
            } else if let description {
                try await desk.answer(reference, description, once: update, access, at: request.now)
            } else { throw Self.nothingSaid }
        } else {
            let isClosed = try wanted.map { wanted throws(Open311Fault) in try wanted.isClosed() }.flatMap { $0 == RequestAnswer.isClosed(entity) ? nil : $0 }
            guard isClosed != nil || description != nil else { throw Self.nothingSaid }
            try await desk.tell(of: entity.id, isClosed: isClosed, saying: description, once: update, access, at: request.now)
        }
        // Two that come at once: both are told what the first one is called.
        guard let called else { return answer(number) }
        return answer(try await desk.taken(called, of: entity.id, access.reading) ?? number)
    }

    private static var nothingSaid: Open311Fault { Open311Fault(400, "description, status: nothing is said that is not so already") }

    /// How whoever says it calls it; FixMyStreet knows two names for that.
    private static func updateName(_ fields: PostedFields) throws(Open311Fault) -> String? {
        for name in ["update_id", "update_id_ext"] {
            guard let text = fields[name] else { continue }
            guard OutsideUpdate(text, answer: "") != nil else { throw Open311Fault(400, "\(name) has more than \(OutsideUpdate.byteCountMax) bytes") }
            return text
        }
        return nil
    }

    /// A case of this municipality, else the one request that a source brought under this identifier.
    private func worked(on id: String, _ access: ReadAccess, at now: Instant) async throws -> Entity {
        let found = try await entities(called: [id], access, at: now)
        guard let entity = found.first else { throw Open311Fault(404, "service_request_id: there is no \(id.prefix(100))") }
        guard found.count == 1 else { throw Open311Fault(400, "service_request_id: several requests that sources brought are called \(id.prefix(100))") }
        return entity
    }

    /// When somebody elsewhere said it; here it counts from the moment it arrives.
    private static func checkTime(_ text: String?) throws(Open311Fault) {
        guard let text else { return }
        guard Instant(text.replacing(" ", with: "+")) != nil else { throw Open311Fault(400, "updated_datetime: \(text.prefix(60)) is not a date and time such as 2010-01-01T00:00:00Z") }
    }
}

/// Something that was said or done in public with a case.
struct RequestUpdate: Hashable, Sendable {
    /// As the request is called.
    let request: String
    let at: Instant
    let isClosed: Bool
    /// What was said, else what the step is called.
    let description: String

    static func id(_ request: String, _ moment: Instant) -> String { "\(request)-\(moment.microseconds)" }
    var id: String { Self.id(request, at) }

    /// - Parameter events: all of a case, the oldest first. The first step is that it was reported, which is no update; what was said with a step is one with it.
    static func updates(of request: String, _ events: [CaseEvent], _ definition: ServiceDefinition, _ language: AnswerLanguage) -> [RequestUpdate] {
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
            updates.append(.init(request: request, at: moment, isClosed: isClosed, description: answer ?? known.map { language.text($0.title) } ?? step))
        }
        return updates
    }

    /// - Parameter events: the statuses of a request that a source brought, and what was said of it. That it was open at first is no update.
    static func updates(of request: String, brought events: [CaseEvent]) -> [RequestUpdate] {
        var updates: [RequestUpdate] = []
        var (status, isFirst) = ("", true)
        for moment in OrderedSet(events.map(\.at)) {
            var (said, hasChanged): (String?, Bool) = (nil, false)
            for event in events where event.at == moment {
                switch event.kind {
                case .step(let text):
                    let isOther = text.lowercased() != status
                    (hasChanged, status) = (isFirst ? text.lowercased() == "closed" : isOther, text.lowercased())
                    isFirst = false
                case .answer(let text): said = text
                case .department, .note: break
                }
            }
            guard hasChanged || said != nil else { continue }
            updates.append(.init(request: request, at: moment, isClosed: status == "closed", description: said ?? status))
        }
        return updates
    }

    func json(_ zone: CivilZone) -> JSON {
        [
            "update_id": .string(id), "service_request_id": .string(request), "status": .string(isClosed ? "CLOSED" : "OPEN"), "updated_datetime": .string(zone.w3c(at)),
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

    /// What a request without steps becomes.
    func isClosed() throws(Open311Fault) -> Bool {
        switch self {
        case .open, .working: false
        case .closed: true
        case .step(let id): throw Open311Fault(400, "status: the request has no steps; OPEN or CLOSED is needed, not \(id.prefix(40))")
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

extension Entity {
    /// Of a case that is worked on here; nil for what a source brought.
    fileprivate var reference: CaseReference? { text(CaseTerm.step) == nil ? nil : CaseType.request.key(of: id).flatMap(CaseReference.init) }
}
