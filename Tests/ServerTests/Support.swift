import AsyncHTTPClient
import Broker
import CityModel
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import OrderedCollections
@testable import Server
import ServiceLifecycle
import Store
import Testing
import Trust

/// An answer with its body read.
struct Answer {
    let status: Int
    let headers: HTTPHeaders
    let bytes: [UInt8]

    var json: JSON { get throws { try JSON(parsing: bytes) } }
    var text: String { String(decoding: bytes, as: UTF8.self) }
    var warnings: [String] { headers["NGSILD-Warning"] }
}

/// A whole server on a port of its own, asked over HTTP.
final class RunningServer: Sendable {
    let server: ConurbServer
    let port: Int
    let path: String
    private let group: ServiceGroup
    private let run: Task<Void, any Error>

    /// - Parameter publicAddress: where context sources are told to reach it.
    /// - Parameter earlier: one that was closed, whose files it takes over.
    init(isOpen: Bool = true, publicAddress: String? = nil, after earlier: RunningServer? = nil) async throws {
        path = FileManager.default.temporaryDirectory.appending(path: "cnrb-\(UInt32.random(in: 0 ... .max))").path
        if let earlier {
            try FileManager.default.moveItem(atPath: earlier.path, toPath: path)
            // It is held as long as anybody holds that server.
            try FileManager.default.removeItem(atPath: path + "/conurb.lock")
        }
        var configuration = ServerConfiguration(dataDirectory: path)
        (configuration.port, configuration.isOpen, configuration.allowsPrivateEgress) = (0, isOpen, true)
        configuration.createsMunicipalities = true
        configuration.publicAddress = publicAddress
        // What a password costs elsewhere would hold up all other tests.
        configuration.accounts.cost = PasswordCost(roundsExponent: 4)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        server = try ConurbServer(configuration, logger: logger)
        let group = ServiceGroup(services: [server], logger: logger)
        self.group = group
        run = Task { try await group.run() }
        await server.untilReady()
        port = try #require(server.port)
    }

    var address: String { "http://127.0.0.1:\(port)" }

    func close(keepingFiles: Bool = false) async throws {
        await group.triggerGracefulShutdown()
        try await run.value
        if !keepingFiles { try? FileManager.default.removeItem(atPath: path) }
    }

    /// - Parameter target: below `/ngsi-ld/v1/`, unless it begins with a slash.
    @discardableResult
    func ask(
        _ method: HTTPMethod, _ target: String, _ body: String? = nil, tenant: String? = nil, token: String? = nil, headers: [(String, String)] = []
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: address + (target.hasPrefix("/") ? "" : "/ngsi-ld/v1/") + target)
        request.method = method
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let tenant { request.headers.add(name: "NGSILD-Tenant", value: tenant) }
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let body {
            if request.headers["Content-Type"].isEmpty { request.headers.add(name: "Content-Type", value: "application/json") }
            request.body = .bytes(ByteBuffer(string: body))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let bytes = try await response.body.collect(upTo: 32 << 20)
        return Answer(status: Int(response.status.code), headers: response.headers, bytes: Array(bytes.readableBytesView))
    }

    /// Creates what has to succeed.
    func create(_ target: String, _ body: String, tenant: String? = nil, token: String? = nil) async throws {
        let answer = try await ask(.POST, target, body, tenant: tenant, token: token)
        try #require(answer.status == 201, "\(target): \(answer.status) \(answer.text)")
    }

    /// A lamp as a source of that classification brings it.
    func record(_ number: Int, _ classification: Classification, in municipality: String) async throws {
        let access = try await server.gatekeeper.writing(try #require(MunicipalityName(municipality)), .program)
        let lamp = Entity(
            id: IRI(known: "urn:ngsi-ld:Lamp:\(number)"), types: [IRI(known: IRI.defaultContextNamespace + "Lamp")],
            attributes: [IRI(known: IRI.defaultContextNamespace + "level"): [Attribute(kind: .property, value: .integer(Int64(number)))]])
        try await server.broker.create(lamp, access, at: .now, provenance: .init(classification: classification))
    }

    /// A token for a municipality, as `conurb token` makes it.
    func token(_ right: Right, in municipality: String) async throws -> String {
        let name = try #require(MunicipalityName(municipality))
        try? await server.broker.createMunicipality(name, server.gatekeeper.installation(.program), at: .now)
        let access = try await server.gatekeeper.administering(name, .program)
        return try await server.gatekeeper.createToken(access, name: "test", right: right, now: .now).text
    }
}

func lamp(_ number: Int, _ attributes: String) -> String { #"{"id":"urn:ngsi-ld:Lamp:\#(number)","type":"Lamp",\#(attributes)}"# }
func property(_ name: String, _ value: String, _ more: String = "") -> String { #""\#(name)":{"type":"Property","value":\#(value)\#(more)}"# }

func registration(_ endpoint: String, _ more: String = "", information: String = #"[{"entities":[{"type":"Lamp"}]}]"#) -> String {
    #"{"id":"urn:ngsi-ld:ContextSourceRegistration:\#(UInt32.random(in: 0 ... .max))","type":"ContextSourceRegistration","#
        + #""information":\#(information),"endpoint":"\#(endpoint)"\#(more.isEmpty ? "" : "," + more)}"#
}
