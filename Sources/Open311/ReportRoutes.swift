internal import Broker
internal import Cases
internal import CityModel
internal import Door
internal import Hummingbird
internal import OrderedCollections
internal import Services
internal import Trust

/// Filing a request.
extension Open311Door {
    /// As whom somebody files.
    private enum Filer {
        /// With a key that may write.
        case key(WriteAccess)
        case anybody(CaseAccess)

        var hasKey: Bool { if case .key = self { true } else { false } }

        var reading: ReadAccess {
            switch self {
            case .key(let access): access.reading
            case .anybody(let access): access.reading
            }
        }
    }

    func file(_ request: DoorRequest) async throws -> Open311Answer {
        let fields = try await PostedFields(request, byteCountMax: configuration.limits.formByteCountMax)
        func said(_ name: String) -> String? { fields[name] ?? request.said(name) }
        let language = try AnswerLanguage(said("lang"))
        let name = try await municipality(said("jurisdiction_id"))
        let filer = try await filer(name, said("api_key"), request)
        guard let code = fields["service_code"] else { throw Open311Fault(400, "service_code was not provided") }
        let service = try await offered(code, filer.reading)
        let reading = try ReportReading(fields, service.definition, language, configuration.limits, at: request.now)
        let uploads = try await uploads(fields, service.definition)
        var report = CaseReport(
            service: service, answers: reading.answers, channel: .open311, contact: reading.contact, attachments: uploads, address: reading.address)
        report.remark = reading.remark
        report = try await configuration.complete(report, request, filer.reading, filer.hasKey)
        let filed =
            switch filer {
            case .key(let access): try await desk.file(report, access, at: request.now)
            case .anybody(let access): try await desk.file(report, access, at: request.now)
            }
        let link = "\(address(request))/cases/\(name.text).\(filed.link.text)"
        let notice = service.definition.received(filed.reference, link: link, municipality: name.text, language.known(for: service.definition))
        var members: JSONObject = [
            "service_request_id": .string(filed.reference.text), "service_notice": notice.map(JSON.string) ?? .null, "account_id": .null,
        ]
        if said("extensions") == "true" { members["link"] = .string(link) }
        return Open311Answer(root: "service_requests", value: [.object(members)], status: .created)
    }

    /// - Throws: `resourceNotFound`, also for one that is offered no more.
    func offered(_ code: String, _ access: ReadAccess) async throws -> OfferedService {
        let service = try await desk.catalogue.service(code, access)
        guard service.isOffered else { throw CityError.resourceNotFound("service_code: there is no service \(code.prefix(60)) any more") }
        return service
    }

    private func filer(_ name: MunicipalityName, _ key: String?, _ request: DoorRequest) async throws -> Filer {
        let credential = credential(key, request)
        if case .bearer = credential { return .key(try await gatekeeper.writing(name, credential, request.terms.serving)) }
        let access = try await gatekeeper.filing(name, credential)
        if try await settings(access.reading).requiresKey { throw Open311Fault(403, "api_key was not provided: this municipality takes requests with a key alone") }
        return .anybody(access)
    }

    /// Photos made safe, and files as they are.
    private func uploads(_ fields: PostedFields, _ definition: ServiceDefinition) async throws -> [NewAttachment] {
        var attachments: [NewAttachment] = []
        for part in fields.files {
            guard let field = PostedFields.field(ofFile: part.name, definition) else { continue }
            if case .file = field.kind { attachments.append(try await file(part, field)) } else { attachments.append(try await photo(part, field)) }
        }
        return attachments
    }

    private func photo(_ part: MultipartForm.Part, _ field: ServiceField) async throws -> NewAttachment {
        guard let prepare = configuration.preparePhoto else { throw Open311Fault(400, "\(part.name): photos are not taken here") }
        do {
            let photo = try await prepare(part.bytes)
            return NewAttachment(field: field.id, mediaType: "image/jpeg", bytes: photo.jpeg, small: photo.thumbnail)
        } catch let error as CityError { throw error } catch {
            throw Open311Fault(400, "\(part.name): \(error)")
        }
    }

    private func file(_ part: MultipartForm.Part, _ field: ServiceField) async throws(Open311Fault) -> NewAttachment {
        do throws(SentFileFault) { return try await desk.file(part.bytes, called: part.fileName ?? "", for: field) } catch {
            switch error {
            case .tooLarge(let byteCountMax): throw Open311Fault(status: 400, [.init(code: 413, description: "\(part.name) has more than \(byteCountMax) bytes")])
            case .wrongType(let types): throw Open311Fault(400, "\(part.name): a file of one of these types is needed: \(types.joined(separator: ", "))")
            case .harmful(let found): throw Open311Fault(400, "\(part.name): it is harmful: \(found.prefix(100))")
            case .notScanned: throw Open311Fault(503, "\(part.name): nobody can look at files for what is harmful at the moment; come again")
            }
        }
    }
}

extension ServiceDefinition {
    /// What the city says to somebody whose request has arrived; nil where it has no words for that.
    func received(_ reference: CaseReference, link: String, municipality: String, _ language: String) -> String? {
        guard let notice = notices[.received] else { return nil }
        let slots = [
            "reference": reference.shown, "service": title[language], "status": steps.first?.title[language] ?? "", "answer": "", "link": link, "municipality": municipality,
        ]
        var text = ""
        var rest = notice.text[language][...]
        // From left to right once: what fills a slot is not looked at again.
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            text += rest[..<open]
            text += slots[String(rest[rest.index(after: open)..<close])] ?? String(rest[open...close])
            rest = rest[rest.index(after: close)...]
        }
        return text + rest
    }
}
