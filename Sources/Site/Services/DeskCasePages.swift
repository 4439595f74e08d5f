internal import Broker
internal import Cases
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Photos
internal import Services
internal import Store
internal import Trust

/// `/desk/{reference}`: one case, and what staff do with it.
extension SiteDoor {
    func deskCase(_ request: DoorRequest, _ signedIn: SignedIn, fault: String?) async throws -> Response {
        guard let reference = CaseReference(try request.pathParameter("reference")) else { throw CityError.resourceNotFound("reference: there is no such case") }
        let access = try await deskAccess(request, signedIn.municipality).reading
        let shown = try await desk.shown(reference, access, at: request.now)
        let events = try await desk.timeline(reference, access, at: request.now)
        let catalogue = try await city.catalogue(request)
        var page = PageModel(.deskcase, self, request, catalogue, cursor: cursor(catalogue))
        let (language, definition) = (page.language, shown.service.definition)
        let model = CaseModel(shown: shown, language: language, clock: page.clock, isPrivate: true, showsNotes: true)
        for (name, value) in model.members(events, photoQuery: "municipality=\(signedIn.municipality)") { page.members[name] = value }
        page.members["reporter"] = .array(Self.reporter(shown, try await desk.reporter(of: reference, access, at: request.now), language))
        page.members["formToken"] = .string(signedIn.formToken)
        page.members["base"] = .string("/desk/\(reference)")
        page.members["fault"] = fault.map(JSON.string) ?? .null
        page.members["done"] = request.query["done"].flatMap { language.known("desk.done.\($0)") }.map(JSON.string) ?? .null
        page.members["next"] = .array(
            (shown.step?.next ?? []).compactMap { definition.step($0) }.map {
                ["key": .string($0.id), "label": .string($0.title[language.code]), "needsAnswer": .bool($0.needsAnswer)]
            })
        page.members["canMove"] = .bool(!(shown.step?.next ?? []).isEmpty)
        page.members["department"] = .string(shown.request.text(CaseTerm.department) ?? "")
        let others = try await configuration.municipalities().filter { $0 != signedIn.municipality }
        page.members["canTransfer"] = .bool(!others.isEmpty && !shown.isClosed)
        page.members["others"] = .array(others.map { ["key": .string($0.text), "label": .string(self.name(of: $0, in: catalogue))] })
        page.members["isMine"] = .bool(shown.file?.text(CaseTerm.assignee) == signedIn.subject)
        page.members["review"] = shown.file?.text(CaseTerm.review).map { .string(language.text("desk.review.\($0)")) } ?? .null
        page.members["inReview"] = .bool(["waiting", "withheld", "public"].contains(shown.file?.text(CaseTerm.review)))
        page.members["isAppealed"] = .bool(shown.file?.text(CaseTerm.appeal) == "open")
        page.members["publicText"] = .string(shown.request.text(CaseTerm.description) ?? shown.dossier?.text(CaseTerm.description) ?? "")
        page.members["reviewPhotos"] = .array(
            shown.attachments.filter { $0.mediaType == "image/jpeg" }.map {
                [
                    "id": .string($0.id), "small": .string("/attachments/\($0.id)?municipality=\(signedIn.municipality)&small=1"), "selected": .bool($0.isPublic),
                    "label": .string(language.text("case.photoOf", ["time": page.clock.dateTime($0.createdAt)])),
                ]
            })
        page.members["files"] = .array(
            shown.attachments.filter { $0.mediaType != "image/jpeg" }.map {
                ["href": .string("/attachments/\($0.id)?municipality=\(signedIn.municipality)"), "label": .string($0.name.isEmpty ? $0.mediaType : $0.name)]
            })
        let point = (shown.dossier?.point ?? shown.request.point)?.boundingBox.center
        page.members["near"] = .array(try await likely(shown, reference, access, page, at: request.now))
        page.boot["cases"] = point.map { [["reference": .string(reference.text), "lon": .number($0.longitude), "lat": .number($0.latitude), "label": "", "status": "open"]] } ?? []
        return try answer(page, request, status: fault == nil ? .ok : .unprocessableContent)
    }

    /// How a case came in, and how whoever reported it can be reached.
    private static func reporter(_ shown: ShownCase, _ contact: Entity?, _ language: Language) -> [JSON] {
        let channel = shown.request.text(CaseTerm.channel).map { ("desk.channel", language.value($0, of: "channel")) }
        let said = [("report.name", CaseTerm.name), ("report.telephone", CaseTerm.telephone), ("report.email", CaseTerm.email)].compactMap { label, name in
            contact?.text(name).map { (label, $0) }
        }
        return ((channel.map { [$0] } ?? []) + said).map { ["label": .string(language.text($0.0)), "value": .string($0.1)] }
    }

    /// Other open cases nearby of the same service.
    private func likely(_ shown: ShownCase, _ reference: CaseReference, _ access: ReadAccess, _ page: PageModel, at now: Instant) async throws -> [JSON] {
        // Where others are is known as everybody may see it; so it is asked of this one.
        guard let point = shown.request.point, !shown.isClosed else { return [] }
        let found = try await desk.duplicates(of: shown.service.definition.id.text, at: point, access, days: 30, at: now)
        return found.compactMap { entity in
            guard let key = entity.text(CaseTerm.reference), key != reference.text, let other = CaseReference(key) else { return nil }
            return [
                "key": .string(key), "label": .string("\(other.shown) · \(entity.moment(CaseTerm.requestedAt).map { page.clock.date($0) } ?? "")"),
                "href": .string("/desk/\(key)"),
            ]
        }
    }

    func workOnCase(_ request: DoorRequest) async throws -> Response {
        let form = try await MultipartForm(request)
        return try await withSignedIn(request) { signedIn in
            guard isFromHere(request), accounts.isOwnForm(form["form"], signedIn) else {
                throw CityError.forbidden("form: it was not sent by a page of this session; load the page again")
            }
            guard let reference = CaseReference(try request.pathParameter("reference")) else { throw CityError.resourceNotFound("reference: there is no such case") }
            let access = try await deskAccess(request, signedIn.municipality)
            do {
                let done = try await work(on: reference, form, signedIn, access, request)
                return redirect(to: "/desk/\(reference)?done=\(done)", request)
            } catch let fault as CaseFault {
                return try await deskCase(request, signedIn, fault: CaseModel.words(fault, language(request)))
            } catch let fault as PhotoFault {
                return try await deskCase(request, signedIn, fault: language(request).text("report.reasons.photo.\(fault.textName)"))
            }
        }
    }

    /// - Returns: what was done, as its text is called.
    private func work(on reference: CaseReference, _ form: MultipartForm, _ signedIn: SignedIn, _ access: WriteAccess, _ request: DoorRequest) async throws -> String {
        let (action, now) = (form["action"] ?? "", request.now)
        switch action {
        case "move": try await desk.move(reference, to: form["step"] ?? "", answer: form["answer"], access, at: now)
        case "answer": try await desk.answer(reference, form["answer"] ?? "", access, at: now)
        case "note": try await desk.note(reference, form["note"] ?? "", access, at: now)
        case "take": try await desk.assign(reference, to: signedIn.subject, access, at: now)
        case "drop": try await desk.assign(reference, to: nil, access, at: now)
        case "hand": try await desk.hand(reference, to: form["department"] ?? "", access, at: now)
        case "transfer":
            let there = try await gatekeeper.filing(try await municipality(form["municipality"] ?? ""), .none)
            _ = try await desk.transfer(reference, to: there, saying: form["answer"] ?? "", access, at: now)
        case "merge":
            guard let other = CaseReference(form["into"] ?? "") else { throw CaseFault.sameCase }
            try await desk.merge(reference, into: other, access, at: now)
        case "publish": try await desk.publish(reference, description: form["description"], photos: Set(form.texts("photo")), access, at: now)
        case "withhold": try await desk.withhold(reference, because: form["reason"] ?? "", access, at: now)
        case "photo":
            guard let part = form.files("photo").first else { throw PhotoFault.empty }
            let photo = try await prepare(photo: part.bytes)
            let attachment = NewAttachment(field: "", mediaType: "image/jpeg", bytes: photo.jpeg, small: photo.thumbnail)
            try await desk.attach(attachment, to: reference, isPublic: form["public"] == "yes", access, at: now)
        default: throw CityError.badRequestData("action: \(action.prefix(40)) is none that there is")
        }
        return action
    }
}

extension PhotoFault {
    /// What its text is called.
    var textName: String {
        switch self {
        case .empty: "empty"
        case .tooManyBytes: "tooManyBytes"
        case .tooManyPixels: "tooManyPixels"
        case .unknownKind: "unknownKind"
        case .heic: "heic"
        case .moving: "moving"
        case .damaged: "damaged"
        case .busy: "busy"
        }
    }
}
