package import Broker
package import Cases
package import Door
internal import Photos
package import Trust

/// The pages for people and the answers that their scripts ask for (`docs/pages.md`). Who has no
/// credential sees what is open; a token shows all of its own municipality besides. What is kept in memory is kept for each
/// audience by itself.
package struct SiteDoor: Sendable {
    let broker: Broker
    let configuration: SiteConfiguration
    let city: City
    let gatekeeper: Gatekeeper
    let accounts: Accounts
    let languages: Languages
    let assets: Assets
    let templates: Templates
    let outlines: Kept<OutlineKeeper>
    let streams: EventStreams
    package let desk: CaseDesk
    let caseFigures: FiguresKeeper<CaseInterval, CityFigures>
    let measureFigures: FiguresKeeper<MeasureQuestion, MeasureFigures>
    let workshop = PhotoWorkshop()
    package let reports = ReportThrottle()

    package init(broker: Broker, gatekeeper: Gatekeeper, configuration: SiteConfiguration) {
        self.broker = broker
        self.configuration = configuration
        city = City(broker: broker, gatekeeper: gatekeeper, configuration: configuration)
        (accounts, self.gatekeeper) = (gatekeeper.accounts, gatekeeper)
        languages = Languages.standard
        assets = Assets(leafletDirectory: configuration.leafletDirectory)
        templates = Templates()
        desk = CaseDesk(broker: broker, catalogue: ServiceCatalogue(broker: broker), scan: configuration.scan)
        let (city, desk) = (city, desk)
        caseFigures = FiguresKeeper(desk: desk) { try await desk.figures($0, $1, at: $2) }
        measureFigures = FiguresKeeper(desk: desk) { try await desk.figures($0, $1, at: $2) }
        outlines = Kept { OutlineKeeper($0, city: city) }
        streams = EventStreams(city: city, limits: configuration.limits)
    }

    package var routes: [Route] {
        pageRoutes + liveRoutes + tableRoutes + exploreRoutes + signInRoutes + providerRoutes + accountRoutes + tokenRoutes + dataRoutes
        + serviceRoutes + caseRoutes + feedRoutes + deskRoutes + figureRoutes + textRoutes + measureRoutes + deskMeasureRoutes + assetRoutes
    }
}
