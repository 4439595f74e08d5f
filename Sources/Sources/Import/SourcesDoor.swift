package import Broker
package import Cases
internal import CityModel
internal import Declarations
package import Door
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import NIOCore
internal import OrderedCollections
internal import Services
internal import Store
package import Trust

/// Declaring sources and pushing data into them over HTTP. `conurb import` speaks to it too. The list of sources is a page.
package struct SourcesDoor: Sendable {
    private let broker: Broker
    private let gatekeeper: Gatekeeper
    private let contexts: ContextLibrary
    private let desk: CaseDesk
    private let findPlaces: PlaceFinder?

    /// - Parameter findPlaces: how rows that become cases are placed of which only an address is known.
    package init(broker: Broker, gatekeeper: Gatekeeper, contexts: ContextLibrary, desk: CaseDesk, findPlaces: PlaceFinder? = nil) {
        (self.broker, self.gatekeeper, self.contexts, self.desk, self.findPlaces) = (broker, gatekeeper, contexts, desk, findPlaces)
    }

    private static let tag = "Sources"
    private static let yaml = "application/yaml"
    private static let ndjson = "application/x-ndjson"
    private static let definitionByteCountMax = 1 << 20

    package var routes: [Route] {
        let one = "/sources/{sourceId}"
        let parameters: [Route.Parameter] = [
            .init("sourceId", in: .path, "The source's identifier"),
            .init("NGSILD-Tenant", in: .header, "The municipality; the standard one where absent"),
        ]
        return [
            Route(
                .put, one, "Declare or change a source", tag: Self.tag, parameters: parameters,
                body: .init([Self.yaml], schema: ["type": "string"]), responses: [.init(204, "Kept")], handler: put),
            Route(
                .get, one, "The definition of a source", tag: Self.tag, parameters: parameters,
                responses: [.init(200, "As it was declared", mediaTypes: [Self.yaml])], handler: get),
            Route(
                .delete, one, "Withdraw a source; what it fed stays", tag: Self.tag, parameters: parameters, responses: [.init(204, "Gone")],
                handler: delete),
            Route(
                .post, one + "/data", "Push data into a source", tag: Self.tag, parameters: parameters,
                body: .init(["application/octet-stream"], schema: ["type": "string", "format": "binary"], isStreamed: true),
                responses: [.init(200, "The report of the run", mediaTypes: ["application/json", Self.ndjson])], handler: push),
        ]
    }

    private func put(_ request: DoorRequest) async throws -> Response {
        let access = try await gatekeeper.administering(request.tenant(), request.credential)
        let id = try request.pathParameter("sourceId")
        guard request.body.readableBytes <= Self.definitionByteCountMax, let text = String(validating: request.body.readableBytesView, as: UTF8.self)
        else { throw CityError.invalidRequest("a definition is UTF-8 text of at most \(Self.definitionByteCountMax) bytes") }
        let definition = try parse(text)
        guard definition.id == id else { throw CityError.badRequestData("id: the definition says \(definition.id), the path \(id)") }
        if let cases = definition.cases { try await check(cases, access.writing.reading) }
        // Names are expanded now: whoever applies the rules later loads no contexts.
        let context = definition.retention == nil ? Context.core : try await context(of: definition, access.writing)
        let retention = try definition.retentionDocument(expand: context.expand)
        try await broker.putSource(id, definition.document(text: text, retention: retention), access, at: request.now)
        return Response(status: .noContent)
    }

    private func get(_ request: DoorRequest) async throws -> Response {
        let access = try await gatekeeper.reading(request.tenant(), request.credential, request.terms)
        let document = try await visible(request.pathParameter("sourceId"), access)
        let text = document.body["definition"]?.stringValue ?? ""
        return Response(status: .ok, headers: [.contentType: Self.yaml], body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    private func delete(_ request: DoorRequest) async throws -> Response {
        let access = try await gatekeeper.administering(request.tenant(), request.credential)
        try await broker.removeSource(request.pathParameter("sourceId"), access, at: request.now)
        return Response(status: .noContent)
    }

    /// A source whose data may not be seen is not there.
    private func visible(_ id: String, _ access: ReadAccess) async throws -> Document {
        let document = try await broker.source(id, access)
        let classification = document.body["classification"]?.stringValue.flatMap(Classification.init) ?? .internalUse
        guard classification <= access.sight.wholeClassificationMax else { throw CityError.resourceNotFound("there is no source \(id)") }
        return document
    }

    /// What a form or a script of another site can send without asking the browser first: no client of ours sends these, and on
    /// an open installation they would let any page that somebody looks at write.
    private static let formTypes = ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded"]

    private func push(_ request: DoorRequest) async throws -> Response {
        let mediaType = request.headers[.contentType]?.prefix { $0 != ";" }.lowercased() ?? ""
        guard !Self.formTypes.contains(mediaType) else {
            throw Problem.own(
                "unsupported-media-type", "Unsupported media type", status: 415,
                "Content-Type: application/octet-stream or the data's own type, not \(mediaType)")
        }
        var access = try await gatekeeper.writing(request.tenant(), request.credential, request.terms)
        try access.checkFeeding(request.pathParameter("sourceId"))
        let document = try await broker.source(request.pathParameter("sourceId"), access.reading)
        let definition = try parse(document.body["definition"]?.stringValue ?? "")
        // Whoever files cases acts for the purpose of those who enter them at the desk, and needs the same rights.
        if definition.cases != nil { access = try await gatekeeper.writing(request.tenant(), request.credential, request.terms.serving) }
        let filer = try await filer(definition, access)
        guard case .stream(let body) = request.content else { throw CityError.invalidRequest("the body is the data") }
        let context = try await self.context(of: definition, access)
        let version = document.body["version"]?.stringValue ?? document.modifiedAt.description
        let run = try await broker.beginImport(of: definition.id, version: version, access, at: request.now)
        let importRun = ImportRun(
            definition: definition, context: context, broker: broker, access: access, run: run, filer: filer)
        if request.headers[.accept]?.contains(Self.ndjson) ?? false {
            return Response(
                status: .ok, headers: [.contentType: Self.ndjson],
                body: ResponseBody { writer in try await importRun.stream(body, to: &writer) })
        }
        let report = try await importRun.run(body)
        return Response(
            status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: ByteBuffer(string: report.description)))
    }

    /// Nil where records become entities.
    private func filer(_ definition: SourceDefinition, _ access: WriteAccess) async throws -> CaseFiler? {
        guard let mapping = definition.cases else { return nil }
        try access.checkIsMore()
        let service = try await service(mapping, access.reading)
        return CaseFiler(desk: desk, mapping: mapping, service: service, access: access, findPlaces: findPlaces)
    }

    /// - Throws: `badRequestData` where a mapping does not go together with the service that it is for.
    private func check(_ mapping: CaseMapping, _ access: ReadAccess) async throws {
        let service = try await service(mapping, access)
        do throws(SourceError) { try mapping.check(service.definition) } catch { throw CityError.badRequestData("the definition, \(error)") }
    }

    private func service(_ mapping: CaseMapping, _ access: ReadAccess) async throws -> OfferedService {
        let offered = try await desk.catalogue.services(access)
        if let service = offered.first(where: { $0.definition.id.text == mapping.service }) { return service }
        let nearest = Spelling.nearest(to: mapping.service, in: offered.map(\.definition.id.text)).map { "; the nearest is \($0)" } ?? ""
        let error = SourceError.definition(line: mapping.line, key: "cases.service", reason: "the municipality offers no service \(mapping.service.prefix(60))\(nearest)")
        throw CityError.badRequestData("the definition, \(error)")
    }

    private func context(of definition: SourceDefinition, _ access: WriteAccess) async throws -> Context {
        guard !definition.contexts.isEmpty else { return .core }
        return try await contexts.context(.array(definition.contexts.map(JSON.string)), in: access.municipality)
    }

    private func parse(_ text: String) throws(CityError) -> SourceDefinition {
        do throws(SourceError) { return try SourceDefinition(parsing: text) } catch { throw .badRequestData("the definition, \(error)") }
    }
}

extension SourceDefinition {
    /// What is kept of a definition: its text, and what lists and pages show without parsing it.
    func document(text: String, retention: JSON? = nil) -> JSON {
        var members: JSONObject = [
            "definition": .string(text), "title": .string(title), "classification": .string(classification.rawValue),
            "format": .string(format.rawValue), "types": .array((cases == nil ? entity?.types ?? [] : [CaseType.request.rawValue]).map(JSON.string)),
        ]
        if let description { members["description"] = .string(description) }
        if let retention { members[RetentionRules.member] = retention }
        if let version { members["version"] = .string(version) }
        if let steward { members["steward"] = .string(steward) }
        if let attribution { members["attribution"] = .string(attribution) }
        if let licence {
            var parts: JSONObject = ["name": .string(licence.name)]
            if let url = licence.url { parts["url"] = .string(url) }
            members["licence"] = .object(parts)
        }
        return .object(members)
    }
}

/// A run that is fed by a request's body.
private struct ImportRun: Sendable {
    let definition: SourceDefinition
    let context: Context
    let broker: Broker
    let access: WriteAccess
    let run: Int64
    /// Where records become cases.
    let filer: CaseFiler?

    /// Reads the body to its end.
    /// - Returns: the report, which is also kept with the run.
    func run(_ body: RequestBody) async throws -> JSON {
        var importer = Importer(definition, context: context, broker: broker, access: access, run: run, filer: filer)
        do {
            for try await part in body { try await importer.feed(Array(part.readableBytesView)) }
            try await importer.finish()
        } catch let error as SourceError {
            try await importer.close()
            return try await conclude(importer.report, error)
        } catch {
            await importer.abandon()
            throw error
        }
        return try await conclude(importer.report, nil)
    }

    /// The same, telling while it goes: lines of JSON with `progress`, `rejected` rows, and the `report` at the end.
    func stream(_ body: RequestBody, to writer: inout any ResponseBodyWriter) async throws {
        let lines = Lines()
        var importer = Importer(definition, context: context, broker: broker, access: access, run: run, filer: filer) { lines.add($0) }
        var failure: SourceError?
        var told = ContinuousClock.now
        do {
            for try await part in body {
                try await importer.feed(Array(part.readableBytesView))
                try await lines.flush(to: &writer)
                guard ContinuousClock.now - told > .milliseconds(250) else { continue }
                told = .now
                try await writer.write(Self.line(["progress": importer.report.counts]))
            }
            try await importer.finish()
        } catch let error as SourceError {
            failure = error
            try await importer.close()
        } catch {
            await importer.abandon()
            throw error
        }
        try await lines.flush(to: &writer)
        try await writer.write(Self.line(["report": try await conclude(importer.report, failure)]))
        try await writer.finish(nil)
    }

    /// Keeps the report with the run.
    private func conclude(_ report: ImportReport, _ failure: SourceError?) async throws -> JSON {
        func whole(_ json: JSON) -> JSON {
            guard case .object(var members) = json else { return .null }
            members["run"] = .integer(run)
            if let failure { members["failure"] = .string(failure.description) }
            return .object(members)
        }
        let kept = definition.classification >= .personal ? report.jsonWithoutValues : report.json
        try await broker.finishImport(run, report: whole(kept), access, at: .now)
        return whole(report.json)
    }

    private static func line(_ json: JSON) -> ByteBuffer { ByteBuffer(string: json.description + "\n") }

    /// Rejected rows on their way out. Used by one task only, between two of its awaits.
    private final class Lines {
        private var waiting = ByteBuffer()

        func add(_ part: Importer.RejectedPart) {
            switch part {
            case .header(let bytes): add("header", bytes)
            case .row(let bytes): add("rejected", bytes)
            }
        }

        private func add(_ name: String, _ bytes: [UInt8]) {
            waiting.writeString(JSON.object([name: .string(String(decoding: bytes, as: UTF8.self))]).description + "\n")
        }

        func flush(to writer: inout any ResponseBodyWriter) async throws {
            guard waiting.readableBytes > 0 else { return }
            try await writer.write(waiting)
            waiting.clear()
        }
    }
}

extension ImportReport {
    fileprivate var counts: JSON {
        [
            "records": .integer(Int64(recordCount)), "accepted": .integer(Int64(acceptedCount)),
            "unchanged": .integer(Int64(unchangedCount)), "rejected": .integer(Int64(rejectedCount)),
        ]
    }
}
