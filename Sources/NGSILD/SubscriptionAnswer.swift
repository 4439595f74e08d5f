internal import Broker
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import OrderedCollections
internal import Subscriptions
internal import Subscriptions

/// How one request wants subscriptions to be written (clauses 6.3.4, 6.3.6). GeoJSON is none of the ways.
struct SubscriptionAnswer {
    let mediaType: String
    private let context: Context
    private let includesSystemMembers: Bool
    /// A subscription has no form for earlier versions: it is answered as it is (clause 4.3.6.8).
    private let version: PreferredVersion?
    private let now: Instant

    init(_ request: DoorRequest, _ door: NGSILDDoor) async throws {
        mediaType = try door.accepted(request, offers: NGSILDDoor.jsonTypes)
        context = try await door.linkContext(request)
        let options = request.query.list("options")
        for option in options where !["sysAttrs", QueryParameters.countOption].contains(option) {
            throw CityError.invalidRequest("options: \(option) is not an option of this operation")
        }
        includesSystemMembers = options.contains("sysAttrs")
        version = PreferredVersion(request.headers[values: .prefer])
        now = request.now
    }

    private var isLinkedData: Bool { mediaType == "application/ld+json" }

    func json(_ listed: ListedSubscription, in municipality: MunicipalityName) throws -> JSON {
        let json = try listed.answer(context, includesSystemMembers: includesSystemMembers, in: municipality, at: now)
        guard case .object(var members) = json else { return .null }
        if isLinkedData { members["@context"] = context.answered }
        return .object(members)
    }

    func response(_ json: JSON) -> Response {
        var response = NGSILDDoor.json(json)
        response.headers[.contentType] = mediaType
        if !isLinkedData { response.headers[.link] = LinkHeader.value(context.linkURL) }
        if let version { response.headers[.preferenceApplied] = version.applied }
        return response
    }
}
