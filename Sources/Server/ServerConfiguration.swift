internal import Broker
package import Mail
package import Scanner
package import Store
package import Trust

/// How a server runs. Every value has a limit's job: what is not said here is not unbounded.
package struct ServerConfiguration: Sendable {
    /// The folder that holds the municipalities.
    package var dataDirectory: String
    /// The folder that holds the municipalities' keys; nil: `_keys` in the data folder, which no municipality can have for its name.
    package var keysDirectory: String?
    package var host: String
    package var port: Int
    /// Whether to listen on the network at all; the control socket is always there.
    package var listens: Bool
    /// Whether authentication is switched off.
    package var isOpen: Bool
    /// Whether the first write to a municipality that is not there makes it; nil: when the installation is open.
    package var createsMunicipalities: Bool?
    /// A folder of JSON-LD contexts to use instead of the network, with `index.json` mapping URL to file name.
    package var contextsDirectory: String?
    /// Whether outbound requests may go to private and link-local addresses.
    package var allowsPrivateEgress: Bool
    /// By which name other context sources know this installation (clause 5.2.40); nil: by one that is made up. Without `~`, which
    /// stands before the name of a municipality.
    package var contextSourceAlias: String?
    /// The address by which context sources reach this program, without a slash at its end; nil: the one that it listens on. Never what a
    /// client calls it: anybody could have sources tell somebody else.
    package var publicAddress: String?
    /// The files of the certificate, where this program itself speaks TLS; nil: it speaks plain HTTP, behind a proxy that does.
    package var tls: TLSSettings?
    package var limits: ServerLimits
    package var history: HistorySettings
    package var site: SiteSettings
    package var accounts = AccountSettings()
    /// Whose tokens are taken besides this program's own.
    package var bearers: BearerSettings?
    /// Where people may sign in besides here.
    package var provider: ProviderSettings?
    /// The server that e-mail goes through; nil: nobody is told anything by e-mail.
    package var mail: SMTPSettings?
    /// Who looks at files of residents for what is harmful; nil: nobody.
    package var scanner: ScannerSettings?

    package init(dataDirectory: String) {
        self.dataDirectory = dataDirectory
        (host, port, listens, isOpen, allowsPrivateEgress) = ("127.0.0.1", 1026, true, false, false)
        (createsMunicipalities, contextsDirectory, limits) = (nil, nil, ServerLimits())
        (history, site) = (HistorySettings(), SiteSettings())
    }

    /// Where this program listens; nil while it has no port.
    /// - Parameter port: the one that it was given, where it was to get any.
    package func address(port given: Int?) -> String? {
        (port == 0 ? given : port).map { "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\($0)" }
    }

    package var scheme: String { tls == nil ? "http" : "https" }

    var keys: String { keysDirectory ?? dataDirectory + "/_keys" }

    /// Where people reach the pages: the public address, or the one that this program listens on.
    func shownAddress(port given: Int?) -> String? { publicAddress ?? address(port: given) }

    /// Where the command line reaches a running server.
    package var controlSocketPath: String { dataDirectory + "/conurb.sock" }
}

/// What one request, one connection or one file may take.
package struct ServerLimits: Sendable {
    package var bodyByteCountMax = 16 << 20
    /// Of all bodies of more than 1 MiB that are worked on at the same time.
    package var largeBodiesByteCountMax = 128 << 20
    /// Of bodies of more than 64 KiB, of which something is made at the same time.
    package var workedBodiesByteCountMax = 4 << 20
    package var headerByteCountMax = 32 << 10
    package var headerCountMax = 100
    package var nestingDepthMax = 64
    package var pageCountMax = 1000
    /// Instances of one attribute in one answer about history.
    package var instanceCountMax = 1000
    package var batchCountMax = 10_000
    /// Connections, and streams of HTTP/2, that are served at once.
    package var connectionCountMax = 1000
    /// Streams of one connection that speaks HTTP/2.
    package var streamCountMax = 100
    /// Seconds that a TLS handshake may take.
    package var handshakeSecondsMax = 10
    /// Seconds after which a connection that says nothing is closed.
    package var idleSecondsMax = 60
    /// Seconds that a request's body may take to arrive.
    package var bodySecondsMax = 30
    /// Seconds for which a client may take nothing of an answer.
    package var answerSecondsMax = 60
    /// Answers that are given again within a second, together; 0: none is.
    package var microcacheByteCountMax = 8 << 20
    /// Seconds that a query may take.
    package var querySecondsMax = 10
    package var promptReadMillisecondsMax = 2
    /// Municipalities whose files are open at once.
    package var openFileCountMax = 64
    /// What all connections keep of all files.
    package var cacheByteCountMax = 256 << 20
    /// Subscriptions of one municipality.
    package var subscriptionCountMax = 10_000
    /// Registrations of context sources in one municipality.
    package var registrationCountMax = 1000
    /// Notifications that wait for one endpoint.
    package var queuedNotificationCountMax = 10_000
    /// Attempts to deliver one notification.
    package var notificationAttemptCountMax = 20
    /// Endpoints that are sent to at the same time.
    package var notifiedEndpointCountMax = 256
    package init() {}

    /// How many streams of a connection a client may reset in so many seconds. More than a page does whose reader is in a hurry.
    static var resetCountMax: Int { 200 }
    static var resetSeconds: Int64 { 30 }
}

/// How history is kept.
package struct HistorySettings: Sendable {
    /// What was observed so many hours ago is packed into chunks; 0: nothing is.
    package var sealAfterHours = 24
    /// Rows of one series that are packed together, at least.
    package var sealRowCountMin = 1024
    /// The rest between two walks over all series.
    package var sealEverySeconds = 300
    /// How long what no source has a rule for is kept; nil: for ever.
    package var retention: RetentionRule?
    /// What was recorded of the past stays whole for so long, for more may follow.
    package var settleHours = 24
    package init() {}

    /// What arrives old is packed as what grows old.
    var packing: HistoryPacking? {
        sealAfterHours > 0 ? HistoryPacking(ageSeconds: sealAfterHours * 3600, countMin: sealRowCountMin) : nil
    }
}

/// What the pages show of the installation.
package struct SiteSettings: Sendable {
    package var name = "Conurb"
    /// IANA name of the zone that pages show times in.
    package var timeZone = "UTC"
    /// A tile server's URL with `{z}`, `{x}` and `{y}`; without one, maps show outlines.
    package var tileURL: String?
    package var tileAttribution: String?
    package var leafletDirectory = "/usr/share/javascript/leaflet"
    package init() {}
}
