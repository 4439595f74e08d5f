package import Broker
package import CityModel
package import Subscriptions

/// Context sources: the registry of them, and the distribution of operations to them (clauses 4.3.6 and 5.9 to 5.12).
package struct Federation: Sendable {
    package let registrations: RegistrationLibrary
    /// Tells subscriptions to registrations which there are.
    package let watchers: SourceWatchers
    /// Where subscriptions or registrations are others than they were.
    package let passingWork = PassingWork()
    let broker: Broker
    let contexts: ContextLibrary
    let catalogue: RegistrationCatalogue
    let book: ForwardingBook
    let cooldown = Cooldown()
    let intake = NotificationIntake()
    let gate: OutboundGate
    let limits: FederationLimits
    let notifications: NotificationLimits
    let send: SendToSource
    /// Told of registrations and subscriptions that can't be read.
    package let passedOver: @Sendable (MunicipalityName, PassedOver) -> Void
    /// Where context sources reach this program; nil while it is not known.
    let address: @Sendable () -> String?
    /// The same where the configuration says it.
    package let publicAddress: String?

    /// - Parameter address: asked when it is needed, where the configuration says nothing: the port may be known late.
    /// - Parameter passedOver: told of registrations and subscriptions that can't be read.
    /// - Parameter send: carries a request to its source.
    package init(
        broker: Broker, contexts: ContextLibrary, limits: FederationLimits = .init(), notifications: NotificationLimits = .init(),
        publicAddress: String? = nil, address: @escaping @Sendable () -> String? = { nil },
        passedOver: @escaping @Sendable (MunicipalityName, PassedOver) -> Void = { _, _ in }, send: @escaping SendToSource
    ) {
        self.publicAddress = publicAddress
        self.address = { publicAddress ?? address() }
        (self.broker, self.contexts, self.limits, self.send) = (broker, contexts, limits, send)
        self.passedOver = passedOver
        book = ForwardingBook()
        catalogue = RegistrationCatalogue(report: passedOver)
        gate = OutboundGate(countMax: limits.inFlightCountMax)
        self.notifications = notifications
        watchers = SourceWatchers(contexts: contexts, limits: notifications, report: passedOver)
        registrations = RegistrationLibrary(
            broker: broker, watchers: watchers, book: book, work: passingWork, countMax: limits.registrationCountMax)
    }
}

/// What distribution may take.
package struct FederationLimits: Sendable {
    /// Registrations of one municipality.
    package var registrationCountMax: Int
    /// Requests to sources that one request leads to at the same time.
    package var concurrentCountMax: Int
    /// Requests to sources on the web that all requests together have under way.
    package var inFlightCountMax: Int
    /// Sources in a row that a request is passed on by, as its `Via` counts them.
    package var hopCountMax: Int
    /// Bytes of one answer of a source.
    package var answerByteCountMax: Int
    /// Seconds for one request to a source where its registration says nothing, and where it says more.
    package var timeoutSeconds: Double
    package var timeoutSecondsMax: Double
    /// Entities that are asked of each source for one page.
    package var gatheredCountMax: Int
    /// Names of types and attributes that are read of all sources together.
    package var discoveredCountMax = 100_000

    package init(
        registrationCountMax: Int = 1000, concurrentCountMax: Int = 8, inFlightCountMax: Int = 32, hopCountMax: Int = 3,
        answerByteCountMax: Int = 16 << 20, timeoutSeconds: Double = 5, timeoutSecondsMax: Double = 30, gatheredCountMax: Int = 1000
    ) {
        (self.registrationCountMax, self.concurrentCountMax) = (registrationCountMax, concurrentCountMax)
        (self.inFlightCountMax, self.hopCountMax) = (inFlightCountMax, hopCountMax)
        (self.answerByteCountMax, self.gatheredCountMax) = (answerByteCountMax, gatheredCountMax)
        (self.timeoutSeconds, self.timeoutSecondsMax) = (timeoutSeconds, timeoutSecondsMax)
    }
}
