package import Broker
package import Door
package import Trust

/// The pages for people and the answers that their scripts ask for (`docs/pages.md`). It shows what may be read without
/// a credential, whoever asks, so that what it keeps in memory can be shown to everybody.
package struct SiteDoor: Sendable {
    let broker: Broker
    let configuration: SiteConfiguration
    let city: City
    let languages: Languages
    let assets: Assets
    let templates: Templates
    let outlines: OutlineKeeper
    let streams: EventStreams

    package init(broker: Broker, gatekeeper: Gatekeeper, configuration: SiteConfiguration) {
        self.broker = broker
        self.configuration = configuration
        city = City(broker: broker, gatekeeper: gatekeeper, configuration: configuration)
        languages = Languages.standard
        assets = Assets(leafletDirectory: configuration.leafletDirectory)
        templates = Templates()
        outlines = OutlineKeeper(city: city)
        streams = EventStreams(city: city, limits: configuration.limits)
    }

    package var routes: [Route] { pageRoutes + liveRoutes + tableRoutes + assetRoutes }
}
