import ArgumentParser
import CitySimulator
import Configuration
import Foundation
import Logging
import Server
import Store
import SystemPackage
import Trust

/// The options that every command has which opens a data directory.
struct DataOption: ParsableArguments {
    @Option(name: .customLong("data"), help: "The folder that holds the municipalities (CONURB_DATA). Default: ./data")
    var data: String?

    /// The folder of keys that the environment names, for commands that read no configuration.
    static var keysDirectory: String? { ProcessInfo.processInfo.environment["CONURB_KEYS"] }

    /// The folder that the option, else the environment, names.
    var directory: String { data ?? ProcessInfo.processInfo.environment["CONURB_DATA"] ?? "data" }
}

/// The options of a server. Each is also an environment variable, `CONURB_` and the key in capitals with `_`, and a key of
/// the configuration file; an option outdoes the environment, which outdoes the file.
struct ServerOptions: ParsableArguments {
    @OptionGroup var data: DataOption
    @Option(help: "The address to listen on (host). Default: 127.0.0.1") var host: String?
    @Option(help: "The port to listen on (port). Default: 1026") var port: Int?
    @Option(help: "A PEM file with the certificate to speak TLS with, and those above it (tls.certificate).", completion: .file()) var tlsCertificate: String?
    @Option(help: "A PEM file with the certificate's private key (tls.key).", completion: .file()) var tlsKey: String?
    @Option(help: "A JSON file with configuration keys.") var config: String?
    @Option(name: .customLong("contexts"), help: "A folder of JSON-LD contexts with an index.json from URL to file name (contexts).")
    var contexts: String?
    @Flag(help: "Let outbound requests reach private addresses (allowPrivateEgress).") var allowPrivateEgress = false
    @Option(help: "text or json (log.format).") var logFormat: String?
    @Option(help: "trace, debug, info, notice, warning, error or critical (log.level).") var logLevel: String?
}

/// The options of the demo, given like those of a server: `demo.speed`, `CONURB_DEMO_SPEED`.
struct DemoOptions: ParsableArguments {
    @Option(help: "How many times faster than the clock the city lives, 0.1 to 3600 (demo.speed). Default: 1") var speed: Double?
    @Option(help: "The metropolis: equal seeds give equal cities (demo.seed). Default: 1") var seed: Int?
    @Option(help: "How many municipalities, 8 to 60 (demo.municipalities). Default: 8") var municipalities: Int?
    @Option(help: "How many sensors, 10 to 100000 (demo.sensors). Default: 1500") var sensors: Int?
}

/// What a server is to be, gathered from options, environment and file.
struct Settings {
    let server: ServerConfiguration
    let plan: SimulationPlan
    /// How many times faster than the clock the simulated city lives.
    let speed: Double
    let logFormat: LogFormat
    let logLevel: String

    /// - Parameter folder: where the municipalities are when nothing says so.
    /// - Throws: `ValidationError` that names the key at fault.
    init(
        _ options: ServerOptions, isOpen: Bool, demo: DemoOptions? = nil, defaultsToOpen: Bool = false, folder: String = "data"
    ) async throws {
        let file = options.config ?? ProcessInfo.processInfo.environment["CONURB_CONFIG"]
        let reader = SettingsReader(try await Self.reader(options, demo, isOpen: isOpen, file: file))
        var server = ServerConfiguration(dataDirectory: try reader.text("data") ?? folder)
        server.keysDirectory = try reader.text("keys")
        server.host = try reader.text("host") ?? server.host
        server.port = try reader.integer("port", in: 0...65535) ?? server.port
        server.tls = try Self.tls(reader)
        server.isOpen = try reader.flag("open") ?? defaultsToOpen
        server.createsMunicipalities = try reader.flag("createMunicipalities")
        server.contextsDirectory = try reader.text("contexts")
        server.allowsPrivateEgress = try reader.flag("allowPrivateEgress") ?? false
        server.contextSourceAlias = try Self.alias(reader)
        server.publicAddress = try Self.address(reader)
        try Self.read(reader, &server.limits)
        server.history.sealAfterHours = try reader.integer("history.sealAfterHours", in: 0...876_000) ?? server.history.sealAfterHours
        server.history.sealRowCountMin = try reader.integer("history.sealRowsMin", in: 16...8192) ?? server.history.sealRowCountMin
        server.history.sealEverySeconds = try reader.integer("history.sealEverySeconds", in: 1...86_400) ?? server.history.sealEverySeconds
        server.history.retention = try Self.retention(reader)
        server.history.settleHours = try reader.integer("history.settleHours", in: 0...8760) ?? server.history.settleHours
        try Self.read(reader, &server.site)
        try Self.read(reader, &server.accounts, name: server.site.name)
        server.bearers = try IdentitySettings.bearers(reader)
        server.provider = try IdentitySettings.provider(reader)
        server.mail = try MailSettings.server(reader)
        server.scanner = try ScannerOptions.scanner(reader)
        if server.isOpen, !OpenInstallation.isLoopback(server.host) { throw ValidationError(OpenToOthers(host: server.host).description) }
        self.server = server
        speed = try reader.number("demo.speed", in: 0.1...3600) ?? 1
        plan = SimulationPlan(
            seed: UInt64(try reader.integer("demo.seed", in: 0...Int.max) ?? 1),
            municipalityCount: try reader.integer("demo.municipalities", in: 8...60) ?? 8,
            sensorCount: try reader.integer("demo.sensors", in: 10...100_000) ?? 1500)
        let format = try reader.text("log.format") ?? (StandardError.isTerminal ? "text" : "json")
        guard let logFormat = LogFormat(rawValue: format) else { throw ValidationError("log.format: \(format) is neither text nor json") }
        self.logFormat = logFormat
        logLevel = try reader.text("log.level") ?? "info"
        guard Logger.Level(rawValue: logLevel) != nil else { throw ValidationError("log.level: \(logLevel) is not a level") }
        if let file { try reader.checkKeys(of: file) }
    }

    private static func reader(_ options: ServerOptions, _ demo: DemoOptions?, isOpen: Bool, file: String?) async throws -> ConfigReader {
        var given: [AbsoluteConfigKey: ConfigValue] = [:]
        func give(_ key: String, _ value: String?) { if let value { given[AbsoluteConfigKey(ConfigKey(key))] = ConfigValue(.string(value), isSecret: false) } }
        give("data", options.data.data)
        give("host", options.host)
        func give(_ key: AbsoluteConfigKey, _ value: Int?) { if let value { given[key] = ConfigValue(.int(value), isSecret: false) } }
        give("port", options.port)
        if let speed = demo?.speed { given["demo.speed"] = ConfigValue(.double(speed), isSecret: false) }
        give("demo.seed", demo?.seed)
        give("demo.municipalities", demo?.municipalities)
        give("demo.sensors", demo?.sensors)
        give("tls.certificate", options.tlsCertificate)
        give("tls.key", options.tlsKey)
        give("contexts", options.contexts)
        give("log.format", options.logFormat)
        give("log.level", options.logLevel)
        if isOpen { given["open"] = ConfigValue(.bool(true), isSecret: false) }
        if options.allowPrivateEgress { given["allowPrivateEgress"] = ConfigValue(.bool(true), isSecret: false) }
        var providers: [any ConfigProvider] = [
            InMemoryProvider(values: given), EnvironmentVariablesProvider().prefixKeys(with: "conurb"),
        ]
        if let file {
            do { providers.append(try await FileProvider<JSONSnapshot>(filePath: FilePath(file))) } catch {
                throw ValidationError("--config: \(file) can't be read as JSON: \(error)")
            }
        }
        return ConfigReader(providers: providers)
    }

    private static func read(_ reader: SettingsReader, _ limits: inout ServerLimits) throws {
        func set(_ limit: WritableKeyPath<ServerLimits, Int>, _ key: String, in range: ClosedRange<Int>) throws {
            if let value = try reader.integer(key, in: range) { limits[keyPath: limit] = value }
        }
        try set(\.bodyByteCountMax, "http.bodyBytesMax", in: 1024...(1 << 30))
        try set(\.largeBodiesByteCountMax, "http.largeBodiesBytesMax", in: (1 << 20)...(1 << 36))
        try set(\.workedBodiesByteCountMax, "http.workedBodiesBytesMax", in: (1 << 16)...(1 << 36))
        try set(\.headerByteCountMax, "http.headerBytesMax", in: 1024...(1 << 20))
        try set(\.connectionCountMax, "http.connectionsMax", in: 1...100_000)
        try set(\.streamCountMax, "http.streamsMax", in: 1...1000)
        try set(\.handshakeSecondsMax, "http.handshakeSecondsMax", in: 1...600)
        try set(\.idleSecondsMax, "http.idleSecondsMax", in: 1...3600)
        try set(\.bodySecondsMax, "http.bodySecondsMax", in: 1...3600)
        try set(\.answerSecondsMax, "http.answerSecondsMax", in: 1...3600)
        try set(\.microcacheByteCountMax, "http.microcacheBytesMax", in: 0...(1 << 30))
        try set(\.nestingDepthMax, "json.nestingMax", in: 4...256)
        try set(\.pageCountMax, "page.entitiesMax", in: 1...10_000)
        try set(\.instanceCountMax, "page.instancesMax", in: 1...50_000)
        try set(\.batchCountMax, "batch.entitiesMax", in: 1...100_000)
        try set(\.querySecondsMax, "query.secondsMax", in: 1...600)
        try set(\.promptReadMillisecondsMax, "query.promptMillisecondsMax", in: 1...1000)
        try set(\.openFileCountMax, "files.openMax", in: 1...10_000)
        try set(\.cacheByteCountMax, "files.cacheBytesMax", in: (1 << 20)...(1 << 40))
        try set(\.subscriptionCountMax, "subscriptions.countMax", in: 0...1_000_000)
        try set(\.queuedNotificationCountMax, "notifications.queuedMax", in: 1...10_000_000)
        try set(\.notificationAttemptCountMax, "notifications.attemptsMax", in: 1...1000)
        try set(\.notifiedEndpointCountMax, "notifications.endpointsMax", in: 1...4096)
    }

    private static func read(_ reader: SettingsReader, _ site: inout SiteSettings) throws {
        site.name = try reader.text("site.name") ?? site.name
        site.timeZone = try reader.text("site.timeZone") ?? site.timeZone
        guard TimeZone(identifier: site.timeZone) != nil else {
            throw ValidationError("site.timeZone: \(site.timeZone) is not a time zone such as Europe/Paris")
        }
        site.tileURL = try reader.text("site.tileUrl")
        site.tileAttribution = try reader.text("site.tileAttribution")
        site.leafletDirectory = try reader.text("site.leafletDirectory") ?? site.leafletDirectory
    }

    private static func read(_ reader: SettingsReader, _ accounts: inout AccountSettings, name: String) throws {
        accounts.issuer = name
        accounts.breachedList = try reader.text("accounts.breachedList")
        accounts.sessionIdleMinutes = try reader.integer("accounts.sessionIdleMinutes", in: 5...1440) ?? accounts.sessionIdleMinutes
        accounts.sessionHours = try reader.integer("accounts.sessionHours", in: 1...720) ?? accounts.sessionHours
        if let text = try reader.text("accounts.requireSecondFactor") { accounts.secondFactorRoles = try secondFactorRoles(text) }
        // Less is for machines without memory, and for tests; more than 256 MiB is never taken.
        accounts.cost.roundsExponent = try reader.integer("accounts.passwordCost", in: 14...18) ?? accounts.cost.roundsExponent
        do { try accounts.check() } catch { throw ValidationError("accounts.breachedList: \(error)") }
    }

    /// `all`, `none`, or roles with commas between them.
    /// - Returns: nil for everybody.
    private static func secondFactorRoles(_ text: String) throws -> Set<String>? {
        if text == "all" { return nil }
        if text == "none" { return [] }
        let roles = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        guard !roles.isEmpty, roles.allSatisfy(AccountRoles.known.contains) else {
            throw ValidationError("accounts.requireSecondFactor: all, none, or roles with commas between them: \(AccountRoles.known.joined(separator: ", "))")
        }
        return Set(roles)
    }

    /// `history.keepRaw`, `history.keepHourly`, `history.keepDaily`.
    private static func retention(_ reader: SettingsReader) throws -> RetentionRule? {
        func key(_ member: String) -> String { "history.keep" + member.prefix(1).uppercased() + member.dropFirst() }
        var texts: [String: String] = [:]
        for member in RetentionRule.members { if let text = try reader.text(key(member)), !text.isEmpty { texts[member] = text } }
        guard !texts.isEmpty else { return nil }
        do throws(RetentionRule.Invalid) { return try RetentionRule { texts[$0] } } catch {
            throw ValidationError("\(key(error.member)): \(error.reason)")
        }
    }

    /// - Throws: `ValidationError` unless both files are named or none; what they hold is looked at when the server is made.
    private static func tls(_ reader: SettingsReader) throws -> TLSSettings? {
        switch (try reader.text("tls.certificate"), try reader.text("tls.key")) {
        case (nil, nil): return nil
        case (let certificate?, let key?): return TLSSettings(certificate: certificate, key: key)
        case (_?, nil): throw ValidationError("tls.key: the file of the private key has to be named where tls.certificate is")
        case (nil, _?): throw ValidationError("tls.certificate: the file of the certificate has to be named where tls.key is")
        }
    }

    /// A pseudonym in `Via` is a token (RFC 9110, section 7.6.3).
    private static func alias(_ reader: SettingsReader) throws -> String? {
        guard let alias = try reader.text("federation.alias") else { return nil }
        let isToken = alias.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "!#$%&'*+-.^_`|".utf8.contains(byte)
        }
        guard isToken, (1...100).contains(alias.utf8.count) else {
            throw ValidationError("federation.alias: \(alias.prefix(100)) is no name of letters, digits and hyphens")
        }
        return alias
    }

    private static func address(_ reader: SettingsReader) throws -> String? {
        guard let address = try reader.text("federation.address") else { return nil }
        guard let url = URL(string: address), ["http", "https"].contains(url.scheme?.lowercased()), let host = url.host(), !host.isEmpty,
            url.user() == nil, url.query() == nil, url.fragment() == nil
        else { throw ValidationError("federation.address: \(address.prefix(200)) is no address such as https://city.example") }
        return String(address[...(address.lastIndex { $0 != "/" } ?? address.startIndex)])
    }
}
