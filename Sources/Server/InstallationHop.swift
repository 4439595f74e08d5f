internal import CityModel
internal import Door
internal import Federation
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import Store
internal import Synchronization
internal import Trust

/// Takes a request to another municipality on this installation: the same doors answer it, and no byte leaves the program. Who
/// asked is asked anew there: what his credential is not worth in that municipality, it is not worth by this way either.
final class InstallationHop: Sendable {
    private let gatekeeper: Gatekeeper
    private let logger: Logger
    private let table = Mutex<RouteTable?>(nil)

    init(gatekeeper: Gatekeeper, logger: Logger) { (self.gatekeeper, self.logger) = (gatekeeper, logger) }

    /// The doors are made after the federation that they use.
    func open(_ routes: RouteTable) { table.withLock { $0 = routes } }

    /// Who takes too long is left; what he asked of others ends before that, so that he can answer without them.
    func send(_ source: SourceRequest, to municipality: MunicipalityName, _ asker: Asker) async -> SourceAnswer {
        let (start, limit) = (ContinuousClock.now, Duration.seconds(source.timeoutSeconds))
        return await withTaskGroup(of: SourceAnswer.self) { group in
            group.addTask {
                await Allowance.$inheritedDeadline.withValue(start.advanced(by: limit * 0.8)) { await self.ask(source, municipality, asker) }
            }
            group.addTask {
                try? await Task.sleep(until: start.advanced(by: limit), clock: .continuous)
                return .timedOut
            }
            defer { group.cancelAll() }
            return await group.next() ?? .timedOut
        }
    }

    private func ask(_ source: SourceRequest, _ municipality: MunicipalityName, _ asker: Asker) async -> SourceAnswer {
        let path = "/ngsi-ld/v1/" + source.path
        guard let table = table.withLock({ $0 }), let method = HTTPRequest.Method(source.method.rawValue),
            case .route(let route, let parameters) = table.match(method, path[...])
        else { return .answer(status: 404, headers: [], body: []) }
        let credential = await gatekeeper.credential(asker.credential, takenTo: municipality)
        do {
            var query = QueryParameters()
            for (name, value) in source.query { query.append(name, value) }
            var headers: HTTPFields = [:]
            for (name, value) in source.headers { if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) } }
            let request = DoorRequest(
                method: method, path: path, headers: headers, authority: nil, query: query, pathParameters: parameters, credential: credential,
                now: asker.now, content: .collected(ByteBuffer(bytes: source.body ?? [])), logger: logger)
            return try await answer(try await route.handler(request), source)
        } catch let error as CityError {
            return problem(Problem(error))
        } catch let problem as Problem {
            return self.problem(problem)
        } catch StoreError.notFound {
            return problem(Problem(.nonexistentTenant("there is no municipality \(municipality)")))
        } catch is NIOTooManyBytesError {
            return .failed(Federation.tooLarge)
        } catch {
            logger.error("a request to another municipality failed", metadata: ["municipality": "\(municipality)", "error": "\(error)"])
            return .failed("the municipality can't answer")
        }
    }

    private func problem(_ problem: Problem) -> SourceAnswer {
        .answer(status: problem.status, headers: [], body: Array(problem.json.description.utf8))
    }

    private func answer(_ response: Response, _ source: SourceRequest) async throws -> SourceAnswer {
        let body = BodyCollector(byteCountMax: source.answerByteCountMax)
        try await response.body.write(body)
        return .answer(
            status: response.status.code, headers: response.headers.map { ($0.name.rawName, $0.value) }, body: Array(body.bytes.readableBytesView))
    }
}
