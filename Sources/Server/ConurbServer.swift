internal import AsyncHTTPClient
package import Broker
internal import Cases
package import CityModel
package import Door
internal import Federation
internal import Foundation
internal import History
internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import Mail
internal import NGSILD
internal import NIOCore
internal import Open311
internal import Photos
internal import Query
internal import Scanner
internal import ServiceLifecycle
internal import Services
internal import Site
internal import Sources
internal import Store
internal import Subscriptions
internal import Synchronization
internal import Transparency
package import Trust

/// The whole program but for its command line: the store, the rooms above it and the doors, on a network address and on a
/// control socket in the data directory. A service: it ends when its service group does, after it has answered what it
/// has accepted.
package final class ConurbServer: Service {
    package let broker: Broker
    package let gatekeeper: Gatekeeper
    package let accounts: Accounts
    package let table: RouteTable

    private let configuration: ServerConfiguration
    let store: Store
    private let site: SiteDoor
    private let metrics = ServerMetrics()
    private let client: HTTPClient
    private let notifying: Notifying
    private let snapshotting: Snapshotting
    private let federation: Federation
    let accountability: Accountability
    private let egress: EgressPolicy
    private let readiness: Readiness
    /// Nil where plain HTTP is spoken.
    private let certificates: TLSCertificates?
    private let logger: Logger

    /// Opens the data directory.
    /// - Throws: `StoreError.locked` when another process has it; an error that names a faulty contexts directory; `TLSFault`; `OpenToOthers`.
    package init(_ configuration: ServerConfiguration, logger: Logger) throws {
        self.configuration = configuration
        self.logger = logger
        let limits = configuration.limits
        guard !configuration.isOpen || !configuration.listens || OpenInstallation.isLoopback(configuration.host) else {
            throw OpenToOthers(host: configuration.host)
        }
        certificates = try configuration.listens ? configuration.tls.map(TLSCertificates.init) : nil
        let ring = KeyRing(directory: configuration.keys)
        store = try Store(
            directory: configuration.dataDirectory,
            limits: StoreLimits(
                openFileCountMax: limits.openFileCountMax, promptReadMax: .milliseconds(limits.promptReadMillisecondsMax), cacheByteCountMax: limits.cacheByteCountMax),
            keys: ring.residentKeys(publicAddress: configuration.publicAddress))
        try configuration.accounts.check()
        accountability = Accountability(store: store, ring: ring, publicAddress: configuration.publicAddress)
        accounts = Accounts(store: store, settings: configuration.accounts, accountability: accountability)
        let egress = EgressPolicy(allowsPrivate: configuration.allowsPrivateEgress)
        self.egress = egress
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: egress.guarding(Self.clientConfiguration))
        let issuers = IssuerDownload(client: client, egress: egress).issuerClient
        gatekeeper = Gatekeeper(
            store: store, isOpen: configuration.isOpen, accounts: accounts, bearers: configuration.bearers.map { Bearers($0, client: issuers) })
        let provider = configuration.provider.map { [accounts] in SignInProvider($0, accounts: accounts, client: issuers) }
        var brokering = BrokerConfiguration(
            createsMunicipalities: configuration.createsMunicipalities ?? configuration.isOpen,
            searchLimits: .init(duration: .seconds(limits.querySecondsMax)), batchCountMax: limits.batchCountMax)
        brokering.contextSourceAlias = configuration.contextSourceAlias
        brokering.packing = configuration.history.packing
        broker = Broker(store: store, configuration: brokering, keys: ring)
        let download = ContextDownload(client: client, egress: egress)
        let contexts = ContextLibrary(
            broker: broker, overrides: try ContextDirectory.documents(configuration.contextsDirectory), download: download.fetch)
        let notificationLimits = NotificationLimits(
            queuedCountMax: limits.queuedNotificationCountMax, attemptCountMax: limits.notificationAttemptCountMax,
            inFlightCountMax: limits.notifiedEndpointCountMax)
        let hop = InstallationHop(gatekeeper: gatekeeper, logger: logger)
        let sources = SourceClient(client: client, egress: egress)
        let passedOver = PassedOverLog(logger)
        let readiness = Readiness(awaited: configuration.listens ? 2 : 1)
        self.readiness = readiness
        let federation = Federation(
            broker: broker, contexts: contexts,
            limits: FederationLimits(registrationCountMax: limits.registrationCountMax), notifications: notificationLimits,
            publicAddress: configuration.publicAddress, address: { configuration.address(port: readiness.port) }, passedOver: passedOver.note
        ) { request, asker in
            switch request.endpoint {
            case .web(let address): await sources.send(request, to: address)
            case .municipality(let name): await hop.send(request, to: name, asker)
            }
        }
        self.federation = federation
        notifying = Notifying(
            store: store, gatekeeper: gatekeeper, contexts: contexts, limits: notificationLimits, tellOfSources: federation.watchers.tell, egress: egress,
            passedOver: passedOver, logger: logger)
        snapshotting = Snapshotting(broker: broker, gatekeeper: gatekeeper, contexts: contexts, federation: federation, egress: egress, logger: logger)
        site = Doors.site(broker, gatekeeper, configuration, provider, accountability, logger)
        let doors = Doors(
            broker: broker, gatekeeper: gatekeeper, contexts: contexts, federation: federation, accountability: accountability, store: store,
            metrics: metrics, site: site, isReady: { readiness.isReady }, waitingEndpointCount: { [notifying] in notifying.waitingEndpointCount },
            passedOverCount: { passedOver.count }, configuration: configuration, address: { configuration.shownAddress(port: readiness.port) })
        table = RouteTable(doors.routes)
        hop.open(table)
    }

    private static var clientConfiguration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: .seconds(3), read: .seconds(5))
        // A connection that is refused is not tried again: whoever needs the document hears of it at once (clause 5.5.6).
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }

    /// The link with which the first administrator sets a password, where nobody can administer this installation yet; nil where somebody can, and where everybody
    /// may do everything.
    package func firstAdministratorLink(at now: Instant) async throws -> String? {
        guard !configuration.isOpen, let first = try await accounts.firstAdministrator(gatekeeper, at: now) else { return nil }
        return (configuration.shownAddress(port: readiness.port) ?? "") + "/account/set-up/" + first.invitation
    }

    /// Returns once requests are served.
    package func untilReady() async { await readiness.wait() }

    /// The port of the network address, once requests are served; it differs from the configured one when that was 0.
    package var port: Int? { readiness.port }

    package func run() async throws {
        let result: Result<Void, any Error>
        do { result = .success(try await serve()) } catch {
            result = .failure((error as? IOError).map { CannotListen(host: configuration.host, port: configuration.port, code: $0.errnoCode) } ?? error)
        }
        readiness.close()
        try? FileManager.default.removeItem(atPath: configuration.controlSocketPath)
        try await close()
        try result.get()
    }

    /// Lets go of everything. `run` does so itself at its end; this is for a server that was never run.
    package func close() async throws {
        try await client.shutdown()
        try await notifying.close()
        try await snapshotting.close()
        try store.close()
    }

    private func serve() async throws {
        try store.migrateAll { name, error in
            if let error {
                logger.error("a file can't be opened", metadata: ["municipality": "\(name)", "error": "\(error)"])
            } else {
                logger.info("bringing a file to this version", metadata: ["municipality": "\(name)"])
            }
        }
        var group = ServiceGroupConfiguration(services: try services().map { .init(service: $0) }, logger: logger)
        // Longer than a notification's endpoint may take.
        group.maximumGracefulShutdownDuration = .seconds(35)
        try await ServiceGroup(configuration: group).run()
    }

    private func services() throws -> [NamedService] {
        let (history, zone) = (configuration.history, configuration.site.timeZone)
        let services = [
            NamedService("sweeper", Sweeper(broker: broker, federation: federation, logger: logger)), NamedService("notifying", notifying),
            NamedService("snapshotting", snapshotting), NamedService("sealing", Sealing(broker: broker, settings: history, logger: logger)),
            NamedService("retaining", Retaining(broker: broker, settings: history, zone: zone, logger: logger)),
            NamedService("bookkeeping", Bookkeeping(gatekeeper: gatekeeper, ticks: ContinuousClock(), now: { .now }, logger: logger)),
            NamedService("passing", Passing(federation, gatekeeper, logger: logger)),
            NamedService("cases", CaseSweeper(store: store, gatekeeper: gatekeeper, desk: site.desk, ticks: ContinuousClock(), now: { .now }, logger: logger)),
            NamedService("control socket", try application(.unixDomainSocket(path: prepareSocket()), isControl: true)),
        ]
        return configuration.listens ? services + (try listeningServices()) : services
    }

    /// Not for the length of a command: opening every file, for one, is for who stays.
    private func listeningServices() throws -> [NamedService] {
        var services = [NamedService("witnessing", Witnessing(store, accountability, gatekeeper, WitnessClient(client: client, egress: egress), logger: logger))]
        if let mail = configuration.mail {
            let noticing = Noticing(
                store: store, gatekeeper: gatekeeper, desk: site.desk, names: site.noticeNames, sender: SMTPSender(mail),
                address: { [configuration, readiness] in configuration.shownAddress(port: readiness.port) }, ticks: ContinuousClock(), now: { .now }, logger: logger)
            services.append(NamedService("noticing", noticing))
        }
        if let certificates {
            services.append(NamedService("certificates", CertificateWatch(certificates: certificates, ticks: ContinuousClock(), now: { .now }, logger: logger)))
        }
        services.append(NamedService("network", try application(.hostname(configuration.host, port: configuration.port), isControl: false)))
        return services
    }

    private func prepareSocket() throws -> String {
        let path = configuration.controlSocketPath
        guard path.utf8.count < 104 else {
            throw StoreError.cannotUse(path: path, reason: "the path of the data directory is too long for a control socket")
        }
        // A socket that an earlier process left behind; the directory's lock says that none is using it.
        try? FileManager.default.removeItem(atPath: path)
        return path
    }

    private func application(_ address: BindAddress, isControl: Bool) throws -> some Service {
        let limits = configuration.limits
        let responder = Responder(table: table, limits: limits, largeBodies: LargeBodies(byteCountMax: limits.largeBodiesByteCountMax), bodyTurns: BodyTurns(byteCountMax: limits.workedBodiesByteCountMax), metrics: metrics, isControl: isControl, isSecure: !isControl && certificates != nil,
            isOpen: configuration.isOpen && !isControl, notFound: site.notFound, log: logger)
        let places = isControl ? nil : Places(max: limits.connectionCountMax)
        let readiness = readiness
        let socketPath = configuration.controlSocketPath
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .notice)
        return Application(
            responder: responder,
            server: protocols(places, responder, isControl: isControl),
            configuration: ApplicationConfiguration(
                address: address, serverName: nil, backlog: Self.backlog, availableConnectionsDelegate: places.map { .maximum($0.acceptedMax, logger: quiet) }),
            onServerRunning: { channel in
                if isControl { chmod(socketPath, 0o600) }
                try? await channel.setOption(.maxMessagesPerRead, value: Self.acceptedAtOnce).get()
                readiness.serverRuns(port: isControl ? nil : channel.localAddress?.port)
            }, logger: quiet)
    }
}

extension ConurbServer {
    /// Connections that the system keeps until they are accepted, where it lets that be: many come in the same moment, and of one that finds the queue full its client
    /// hears nothing, or only that it is connected.
    private static let backlog = 4096
    /// Connections that are accepted before those that are there are served again: with a few only, the last of many that come at once waits for as many rounds of all the others.
    private static let acceptedAtOnce: UInt = 64

    /// What is spoken on an address: HTTP/1.1, and where there is a certificate HTTP/2 or HTTP/1.1 over TLS.
    private func protocols(_ places: Places?, _ prompt: Responder, isControl: Bool) -> HTTPServerBuilder {
        let (limits, table) = (configuration.limits, table)
        let decoder = HTTP1Channel.Configuration.DecoderConfiguration(
            maxHeaderFieldSize: limits.headerByteCountMax, maxHeaderListSize: limits.headerByteCountMax,
            maxHeaderFieldCount: limits.headerCountMax)
        let http1 = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionGuard(limits: limits, places: places, isStreamed: table.streams)],
            idleTimeout: isControl ? nil : .seconds(Int64(limits.idleSecondsMax)), httpDecoderConfiguration: decoder)
        let isCached = !isControl && limits.microcacheByteCountMax > 0
        let microcache = isCached ? Microcache(byteCountMax: limits.microcacheByteCountMax, idleSecondsMax: limits.idleSecondsMax) : nil
        guard !isControl, let certificates else {
            return HTTPServerBuilder {
                PromptChannel(http1: HTTP1Channel(responder: $0, configuration: http1), responder: prompt, places: places, microcache: microcache)
            }
        }
        return HTTPServerBuilder { responder in
            let http1 = PromptChannel(http1: HTTP1Channel(responder: responder, configuration: http1), responder: prompt, places: nil, microcache: microcache)
            return SecureChannel(certificates: certificates, limits: limits, places: places, http1: http1) {
                ConnectionGuard(limits: limits, places: places, isStream: true, isStreamed: table.streams)
            }
        }
    }
}

/// The network address can't be had.
package struct CannotListen: Error, CustomStringConvertible {
    let host: String
    let port: Int
    /// The operating system's error number.
    let code: CInt

    package var description: String {
        let reason = code == EADDRINUSE ? "another program listens there already" : String(cString: strerror(code))
        return "host and port: can't listen on \(host):\(port): \(reason)"
    }
}

/// Makes all doors and gathers their routes.
private struct Doors {
    let broker: Broker
    let gatekeeper: Gatekeeper
    let contexts: ContextLibrary
    let federation: Federation
    let accountability: Accountability
    let store: Store
    let metrics: ServerMetrics
    let site: SiteDoor
    let isReady: @Sendable () -> Bool
    let waitingEndpointCount: @Sendable () -> Int
    let passedOverCount: @Sendable () -> Int
    let configuration: ServerConfiguration
    let address: @Sendable () -> String?

    var routes: [Route] {
        let limits = configuration.limits
        let ngsild = NGSILDDoor(
            broker: broker, gatekeeper: gatekeeper, contexts: contexts, federation: federation,
            limits: NGSILDLimits(
                pageCountMax: limits.pageCountMax, nestingDepthMax: limits.nestingDepthMax,
                evolution: EvolutionLimits(instanceCountMax: limits.instanceCountMax), subscriptionCountMax: limits.subscriptionCountMax))
        let system = SystemDoor(store: store, metrics: metrics, isReady: isReady, waitingEndpointCount: waitingEndpointCount, passedOverCount: passedOverCount)
        let administration = AdministrationDoor(
            broker: broker, gatekeeper: gatekeeper, contexts: contexts, transitDirectory: configuration.dataDirectory + "/.transit")
        let sources = SourcesDoor(broker: broker, gatekeeper: gatekeeper, contexts: contexts, desk: site.desk, findPlaces: site.positions)
        let history = HistoryDoor(broker: broker, gatekeeper: gatekeeper, contexts: contexts, zone: configuration.site.timeZone)
        let ledger = TransparencyDoor(accountability: accountability, gatekeeper: gatekeeper)
        let accounts = AccountsDoor(gatekeeper: gatekeeper, accounts: gatekeeper.accounts, address: address)
        let administering = administration.routes + accounts.routes + TokensDoor(gatekeeper: gatekeeper).routes
            + ResidentsDoor(broker: broker, gatekeeper: gatekeeper).routes + ServicesDoor(broker: broker, gatekeeper: gatekeeper).routes
        let all = site.routes + ngsild.routes + history.routes + sources.routes + open311.routes + ledger.routes + administering + system.routes
        return all + [openAPI(all)]
    }

    /// It shares with the pages what makes photos safe, and what counts reports from one connection.
    private var open311: Open311Door {
        let (broker, site, desk, reports) = (broker, site, site.desk, site.reports)
        var settings = Open311Configuration(
            name: configuration.site.name, zone: CivilZone(configuration.site.timeZone) ?? .utc, municipalities: { try broker.municipalities() })
        settings.publicAddress = configuration.publicAddress
        settings.preparePhoto = { bytes in
            do throws(PhotoFault) { return try await site.prepare(photo: bytes) } catch {
                guard error != .busy else { throw CityError.overloaded("media: \(error)") }
                throw error
            }
        }
        settings.complete = { report, request, access, hasKey in
            var report = report
            if !hasKey {
                switch reports.verdict(on: request.network ?? "unknown", at: request.now) {
                case .accepted(let isMany): report.isHeldForReview = isMany
                case .refused(let seconds): throw CityError.overloaded("too many requests came from this connection; come again in \(seconds) seconds")
                }
            }
            guard try await !desk.isOutside(report.answers, report.service.definition, access, at: request.now) else {
                throw CityError.badRequestData("lat, long: this place is outside of the municipality")
            }
            report.district = try await desk.district(of: report.answers, report.service.definition, access, at: request.now)
            return report
        }
        return Open311Door(broker: broker, gatekeeper: gatekeeper, desk: desk, configuration: settings)
    }

    /// Made once: it keeps caches and counts streams.
    static func site(
        _ broker: Broker, _ gatekeeper: Gatekeeper, _ server: ServerConfiguration, _ provider: SignInProvider?, _ accountability: Accountability,
        _ logger: Logger
    ) -> SiteDoor {
        let settings = server.site
        var configuration = SiteConfiguration(
            name: settings.name, timeZone: settings.timeZone, tileURL: settings.tileURL, tileAttribution: settings.tileAttribution,
            leafletDirectory: settings.leafletDirectory, municipalities: { try broker.municipalities() })
        configuration.logger = logger
        configuration.showsAccounts = !gatekeeper.isOpen
        (configuration.provider, configuration.publicAddress, configuration.accountability) = (provider, server.publicAddress, accountability)
        configuration.scan = server.scanner.map { scan(ClamdScanner($0), logger) }
        return SiteDoor(broker: broker, gatekeeper: gatekeeper, configuration: configuration)
    }

    /// What the scanner says of a file, for those who decide about it; the log tells what was found, and nothing of whose it was.
    private static func scan(_ scanner: ClamdScanner, _ logger: Logger) -> FileScan {
        { bytes in
            switch await scanner.scan(bytes) {
            case .clean: return .clean
            case .found(let name):
                logger.warning("a file was refused: it is harmful", metadata: ["found": "\(name.prefix(200))"])
                return .harmful(name)
            case .unknown(let reason):
                logger.error("a file could not be scanned, and was refused", metadata: ["reason": "\(reason.prefix(200))"])
                return .unknown
            }
        }
    }

    private func openAPI(_ routes: [Route]) -> Route {
        let own = Route(
            .get, "/openapi.json", "This document", tag: "Operation", responses: [.init(200, "OpenAPI 3.1", mediaTypes: ["application/json"])]
        ) { _ in Response(status: .ok) }
        let document = Mutex<Response?>(nil)
        return Route(.get, own.path, own.summary, tag: own.tag, responses: own.responses) { _ in
            document.withLock { known in
                let response = known ?? SystemDoor.json(OpenAPI.document(routes + [own]))
                known = response
                return response
            }
        }
    }
}

/// Which servers run, and whether they all do.
private final class Readiness: Sendable {
    private struct State {
        var missing: Int
        var port: Int?
        var isClosed = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(awaited: Int) { state = Mutex(State(missing: awaited)) }

    var isReady: Bool { state.withLock { $0.missing == 0 && !$0.isClosed } }
    var port: Int? { state.withLock { $0.port } }

    func serverRuns(port: Int?) { release { state in
        state.missing -= 1
        state.port = port ?? state.port
    } }

    func close() { release { $0.isClosed = true } }

    private func release(_ change: (inout State) -> Void) {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            change(&state)
            guard state.missing == 0 || state.isClosed else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.missing == 0 || state.isClosed { return true }
                state.waiting.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }
}

/// Removes what has expired, once a second (clause 4.22 lets it lag).
private struct Sweeper: Service {
    let broker: Broker
    let federation: Federation
    let logger: Logger

    private func failed(_ municipality: MunicipalityName, _ error: any Error) {
        logger.error("sweeping failed", metadata: ["municipality": "\(municipality)", "error": "\(error)"])
    }

    func run() async throws {
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
            await broker.sweep(at: .now, failed)
            await federation.registrations.sweep(at: .now, failed)
        }
    }
}
