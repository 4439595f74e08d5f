internal import Broker
internal import CityModel
internal import Declarations
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Policy
internal import Services
internal import Trust

/// The digital services of a municipality, as files: what the command line does, and what an administrator's token allows from afar.
struct ServicesDoor: Sendable {
    let broker: Broker
    let gatekeeper: Gatekeeper

    private static let tag = "Administration"
    private static let yaml = "application/yaml"
    private static let municipality = Route.Parameter("municipality", in: .path, "The municipality's name")
    private static let code = Route.Parameter("code", in: .path, "The service's code")

    var routes: [Route] {
        let all = "/municipalities/{municipality}/services"
        let one = all + "/{code}"
        return [
            Route(
                .get, all, "The services of a municipality", tag: Self.tag, parameters: [Self.municipality],
                responses: [.init(200, "Code, newest version and whether it is offered, of each", mediaTypes: ["application/json"])], handler: list),
            Route(
                .put, one, "Declare a service, or change it", tag: Self.tag, parameters: [Self.municipality, Self.code],
                body: .init([Self.yaml], schema: ["type": "string"]), responses: [.init(200, "Its version", mediaTypes: ["application/json"])], handler: put),
            Route(
                .get, one, "A service's definition", tag: Self.tag,
                parameters: [Self.municipality, Self.code, .init("version", in: .query, "Which one; by default the newest", schema: ["type": "integer", "minimum": 1])],
                responses: [.init(200, "The file", mediaTypes: [Self.yaml])], handler: get),
            Route(
                .delete, one, "Offer a service no more; what is open is gone on with", tag: Self.tag, parameters: [Self.municipality, Self.code],
                responses: [.init(204, "Nothing new is filed")], handler: withdraw),
        ]
    }

    private func name(_ request: DoorRequest) throws -> MunicipalityName {
        let text = try request.pathParameter("municipality")
        guard let name = MunicipalityName(text) else { throw CityError.badRequestData("municipality: \(text.prefix(100)) is not a municipality's name") }
        return name
    }

    private func list(_ request: DoorRequest) async throws -> Response {
        let access = try await gatekeeper.administering(name(request), request.credential)
        let services = try await broker.services(access.writing.reading).map { service -> JSON in
            ["code": .string(service.code), "version": .integer(Int64(service.version)), "offered": .bool(service.isOffered)]
        }
        return SystemDoor.json(.array(services))
    }

    private func put(_ request: DoorRequest) async throws -> Response {
        let access = try await gatekeeper.administering(name(request), request.credential)
        let (code, text) = (try request.pathParameter("code"), String(buffer: request.body))
        let purposes = try await gatekeeper.purposes(of: access)
        do throws(DeclarationError) {
            let definition = try ServiceDefinition(parsing: text)
            for field in definition.fields {
                guard case .consent(let purpose) = field.kind, !purposes.contains(purpose) else { continue }
                throw DeclarationError(line: 1, key: "fields.\(field.id).purpose", reason: "\(purpose) is not among the purposes of this municipality")
            }
            guard definition.id.text == code else { throw DeclarationError(line: 1, key: "id", reason: "the file declares \(definition.id), not \(code.prefix(60))") }
        } catch { throw CityError.badRequestData("service: \(error)") }
        let version = try await broker.putService(code, text: text, access, at: request.now)
        return SystemDoor.json(["code": .string(code), "version": .integer(Int64(version))])
    }

    private func get(_ request: DoorRequest) async throws -> Response {
        let access = try await gatekeeper.administering(name(request), request.credential)
        let (code, version) = (try request.pathParameter("code"), try request.query.integer("version", in: 1...1_000_000))
        guard let service = try await broker.service(code, version: version, access.writing.reading) else {
            throw CityError.resourceNotFound("there is no service \(code.prefix(60))\(version.map { " of version \($0)" } ?? "")")
        }
        return Response(status: .ok, headers: [.contentType: Self.yaml], body: .init(byteBuffer: ByteBuffer(string: service.text)))
    }

    private func withdraw(_ request: DoorRequest) async throws -> Response {
        let access = try await gatekeeper.administering(name(request), request.credential)
        try await broker.withdrawService(try request.pathParameter("code"), access, at: request.now)
        return Response(status: .noContent)
    }
}
