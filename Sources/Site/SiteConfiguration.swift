package import Cases
package import CityModel
package import Logging
package import Trust

/// What the pages show of the installation, and what they may cost.
package struct SiteConfiguration: Sendable {
    /// The name in the head of every page.
    package var name: String
    /// IANA name of the zone that times are shown in.
    package var timeZone: String
    /// A tile server's URL with `{z}`, `{x}` and `{y}`; without one the ground is drawn from entities.
    package var tileURL: String?
    package var tileAttribution: String?
    /// Where Debian's `libjs-leaflet` lies.
    package var leafletDirectory: String
    /// The municipalities to show, in order.
    package var municipalities: @Sendable () async throws -> [MunicipalityName]
    package var limits: SiteLimits
    /// Whether the head of every page leads to signing in. Where authentication is switched off there is no use in it.
    package var showsAccounts = true
    /// Where people may sign in besides here.
    package var provider: SignInProvider?
    /// What proves to people who used their data; nil where nobody signs a ledger.
    package var accountability: Accountability?
    /// Where people reach the pages; nil: where the request says.
    package var publicAddress: String?
    /// Looks at files of residents for what is harmful; nil: nobody does.
    package var scan: FileScan?
    package var logger = Logger(label: "conurb")

    package init(
        name: String, timeZone: String = "UTC", tileURL: String? = nil, tileAttribution: String? = nil,
        leafletDirectory: String = "/usr/share/javascript/leaflet", limits: SiteLimits = .init(),
        municipalities: @escaping @Sendable () async throws -> [MunicipalityName]
    ) {
        (self.name, self.timeZone, self.tileURL, self.tileAttribution) = (name, timeZone, tileURL, tileAttribution)
        (self.leafletDirectory, self.limits, self.municipalities) = (leafletDirectory, limits, municipalities)
    }
}

package struct SiteLimits: Sendable {
    /// Event streams that are open at once.
    package var streamCountMax = 500
    /// Changes that a stream may be behind; beyond, its page loads all anew.
    package var changesBehindMax = 5000
    /// Entities whose marks are kept in memory, some 300 bytes each.
    package var markCountMax = 250_000
    /// Entities that one request looks at in one municipality.
    package var placeCountMax = 200_000
    /// Seconds that one request may spend on reading entities that are not kept in memory.
    package var readingSecondsMax = 4.0
    /// Seconds for which the list of layers is not made anew, though the city changes.
    package var catalogueSeconds = 15.0
    /// Seconds for which the outlines are not made anew, though the city changes.
    package var outlineSeconds = 60.0
    /// How often a stream looks for changes.
    package var streamPeriodSeconds = 0.3
    package init() {}
}
