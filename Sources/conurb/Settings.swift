import ArgumentParser
import Configuration
import Foundation
import Server
import SystemPackage

/// The options that every command has which opens a data directory.
struct DataOption: ParsableArguments {
    @Option(name: .customLong("data"), help: "The folder that holds the municipalities (CONURB_DATA). Default: ./data")
    var data: String?

    /// The folder that the option, else the environment, names.
    var directory: String { data ?? ProcessInfo.processInfo.environment["CONURB_DATA"] ?? "data" }
}

/// The options of a server. Each is also an environment variable, `CONURB_` and the key in capitals with `_`, and a key of
/// the configuration file; an option outdoes the environment, which outdoes the file.
struct ServerOptions: ParsableArguments {
    @OptionGroup var data: DataOption
    @Option(help: "The address to listen on (host). Default: 127.0.0.1") var host: String?
    @Option(help: "The port to listen on (port). Default: 1026") var port: Int?
    @Option(help: "A JSON file with configuration keys.") var config: String?
    @Option(name: .customLong("contexts"), help: "A folder of JSON-LD contexts with an index.json from URL to file name (contexts).")
    var contexts: String?
    @Flag(help: "Let outbound requests reach private addresses (allowPrivateEgress).") var allowPrivateEgress = false
    @Option(help: "text or json (log.format).") var logFormat: String?
    @Option(help: "trace, debug, info, notice, warning, error or critical (log.level).") var logLevel: String?
}

/// What a server is to be, gathered from options, environment and file.
struct Settings {
    let server: ServerConfiguration
    let logFormat: LogFormat
    let logLevel: String

    /// - Throws: `ValidationError` that names the key at fault.
    init(_ options: ServerOptions, isOpen: Bool, defaultsToOpen: Bool = false) async throws {
        let reader = try await Self.reader(options, isOpen: isOpen)
        var server = ServerConfiguration(dataDirectory: reader.string(forKey: "data", default: "data"))
        server.host = reader.string(forKey: "host", default: server.host)
        server.port = try Self.integer(reader, "port", server.port, in: 0...65535)
        server.isOpen = reader.bool(forKey: "open", default: defaultsToOpen)
        server.createsMunicipalities = reader.string(forKey: "createMunicipalities").map { $0 == "true" }
        server.contextsDirectory = reader.string(forKey: "contexts")
        server.allowsPrivateEgress = reader.bool(forKey: "allowPrivateEgress", default: false)
        try Self.read(reader, &server.limits)
        Self.read(reader, &server.site)
        guard !server.isOpen || Self.isLoopback(server.host) else {
            throw ValidationError("--open switches authentication off and is possible on a loopback host only, not on \(server.host)")
        }
        self.server = server
        let format = reader.string(forKey: "log.format", default: StandardError.isTerminal ? "text" : "json")
        guard let logFormat = LogFormat(rawValue: format) else { throw ValidationError("log.format: \(format) is neither text nor json") }
        self.logFormat = logFormat
        logLevel = reader.string(forKey: "log.level", default: "info")
    }

    private static func reader(_ options: ServerOptions, isOpen: Bool) async throws -> ConfigReader {
        var given: [AbsoluteConfigKey: ConfigValue] = [:]
        func give(_ key: String, _ value: String?) { if let value { given[AbsoluteConfigKey(ConfigKey(key))] = ConfigValue(.string(value), isSecret: false) } }
        give("data", options.data.data)
        give("host", options.host)
        if let port = options.port { given["port"] = ConfigValue(.int(port), isSecret: false) }
        give("contexts", options.contexts)
        give("log.format", options.logFormat)
        give("log.level", options.logLevel)
        if isOpen { given["open"] = ConfigValue(.bool(true), isSecret: false) }
        if options.allowPrivateEgress { given["allowPrivateEgress"] = ConfigValue(.bool(true), isSecret: false) }
        var providers: [any ConfigProvider] = [
            InMemoryProvider(values: given), EnvironmentVariablesProvider().prefixKeys(with: "conurb"),
        ]
        if let config = options.config {
            do { providers.append(try await FileProvider<JSONSnapshot>(filePath: FilePath(config))) } catch {
                throw ValidationError("--config: \(config) can't be read as JSON: \(error)")
            }
        }
        return ConfigReader(providers: providers)
    }

    private static func read(_ reader: ConfigReader, _ limits: inout ServerLimits) throws {
        limits.bodyByteCountMax = try integer(reader, "http.bodyBytesMax", limits.bodyByteCountMax, in: 1024...(1 << 30))
        limits.headerByteCountMax = try integer(reader, "http.headerBytesMax", limits.headerByteCountMax, in: 1024...(1 << 20))
        limits.connectionCountMax = try integer(reader, "http.connectionsMax", limits.connectionCountMax, in: 1...100_000)
        limits.idleSecondsMax = try integer(reader, "http.idleSecondsMax", limits.idleSecondsMax, in: 1...3600)
        limits.bodySecondsMax = try integer(reader, "http.bodySecondsMax", limits.bodySecondsMax, in: 1...3600)
        limits.nestingDepthMax = try integer(reader, "json.nestingMax", limits.nestingDepthMax, in: 4...256)
        limits.pageCountMax = try integer(reader, "page.entitiesMax", limits.pageCountMax, in: 1...10_000)
        limits.instanceCountMax = try integer(reader, "page.instancesMax", limits.instanceCountMax, in: 1...50_000)
        limits.batchCountMax = try integer(reader, "batch.entitiesMax", limits.batchCountMax, in: 1...100_000)
        limits.querySecondsMax = try integer(reader, "query.secondsMax", limits.querySecondsMax, in: 1...600)
        limits.openFileCountMax = try integer(reader, "files.openMax", limits.openFileCountMax, in: 1...10_000)
        limits.subscriptionCountMax = try integer(reader, "subscriptions.countMax", limits.subscriptionCountMax, in: 0...1_000_000)
        limits.queuedNotificationCountMax = try integer(
            reader, "notifications.queuedMax", limits.queuedNotificationCountMax, in: 1...10_000_000)
        limits.notificationAttemptCountMax = try integer(
            reader, "notifications.attemptsMax", limits.notificationAttemptCountMax, in: 1...1000)
        limits.notifiedEndpointCountMax = try integer(
            reader, "notifications.endpointsMax", limits.notifiedEndpointCountMax, in: 1...4096)
    }

    private static func read(_ reader: ConfigReader, _ site: inout SiteSettings) {
        site.name = reader.string(forKey: "site.name", default: site.name)
        site.timeZone = reader.string(forKey: "site.timeZone", default: site.timeZone)
        site.tileURL = reader.string(forKey: "site.tileUrl")
        site.tileAttribution = reader.string(forKey: "site.tileAttribution")
        site.leafletDirectory = reader.string(forKey: "site.leafletDirectory", default: site.leafletDirectory)
    }

    private static func integer(_ reader: ConfigReader, _ key: String, _ standard: Int, in range: ClosedRange<Int>) throws -> Int {
        let value = reader.int(forKey: ConfigKey(key), default: standard)
        guard range.contains(value) else {
            throw ValidationError("\(key): \(value) is not between \(range.lowerBound) and \(range.upperBound)")
        }
        return value
    }

    private static func isLoopback(_ host: String) -> Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}
