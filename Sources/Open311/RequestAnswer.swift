internal import Cases
internal import CityModel
internal import OrderedCollections
internal import Query
internal import Services
internal import Store

/// A request as the standard has it, made of its entity: one that was filed here, or one that a source brought.
struct RequestAnswer {
    let entity: Entity
    let zone: CivilZone
    /// In the asked language; nil for services that are not known here.
    var definition: ServiceDefinition?
    var language: AnswerLanguage
    /// Where its public photos are.
    var photos: [String] = []
    var isExtended = false

    /// All members of the standard, null where nothing is known.
    var json: JSON {
        let point = entity.point?.boundingBox.center
        let latitude: JSON = point.map { JSON.number($0.latitude) } ?? .null
        let longitude: JSON = point.map { JSON.number($0.longitude) } ?? .null
        let media: JSON = photos.first.map(JSON.string) ?? text(CaseTerm.mediaURL)
        var members: JSONObject = [
            "service_request_id": text(CaseTerm.reference), "status": .string(status), "status_notes": text(CaseTerm.answer), "service_name": name,
            "service_code": text(CaseTerm.serviceCode), "description": text(CaseTerm.description), "agency_responsible": text(CaseTerm.department),
            "service_notice": .null, "requested_datetime": time(requestedAt), "updated_datetime": time(updatedAt), "expected_datetime": time(entity.saidMoment(CaseTerm.expectedAt)),
            "address": text(CaseTerm.address), "address_id": text(Self.addressID), "zipcode": text(Self.zipcode), "lat": latitude, "long": longitude, "media_url": media,
        ]
        if isExtended { members["extended_attributes"] = extended }
        return .object(members)
    }

    private static let addressID = IRI(known: IRI.defaultContextNamespace + "address_id")
    private static let zipcode = IRI(known: IRI.defaultContextNamespace + "zipcode")

    /// The standard knows no more than two.
    private var status: String { Self.isClosed(entity) ? "closed" : "open" }
    static func isClosed(_ entity: Entity) -> Bool { entity.said(CaseTerm.status)?.lowercased() == "closed" }

    private var name: JSON {
        guard language.code != nil, let definition else { return text(CaseTerm.serviceName) }
        return .string(language.text(definition.title))
    }

    private var requestedAt: Instant? { entity.saidMoment(CaseTerm.requestedAt) }

    /// Of a request that is closed, when it was.
    private var updatedAt: Instant? {
        let closedAt = Self.isClosed(entity) ? entity.saidMoment(CaseTerm.closedAt) : nil
        return closedAt ?? entity.saidMoment(CaseTerm.updatedAt) ?? requestedAt
    }

    private func text(_ name: IRI) -> JSON { entity.said(name).map(JSON.string) ?? .null }
    private func time(_ moment: Instant?) -> JSON { moment.map { .string(zone.w3c($0)) } ?? .null }

    /// What else everybody may know of it, where it is asked for (`extensions`).
    private var extended: JSON {
        let title = entity.said(CaseTerm.step).flatMap { definition?.step($0) }.map { language.text($0.title) }
        let followers: JSON = entity.number(CaseTerm.followerCount).map { .integer(Int64($0)) } ?? .null
        let concerned: JSON = entity.target(CaseTerm.concerns).map { .string($0.text) } ?? .null
        var members: JSONObject = [
            "channel": text(CaseTerm.channel), "step": text(CaseTerm.step), "step_name": title.map(JSON.string) ?? .null, "district": text(CaseTerm.district),
            "followers": followers, "concerns": concerned, "photos": .array(photos.map(JSON.string)), "answers": answers,
        ]
        if let other = entity.target(CaseTerm.duplicateOf).flatMap(CaseType.request.key) { members["duplicate_of"] = .string(other) }
        return .object(members)
    }

    private var answers: JSON {
        let known = entity.instance(of: CaseTerm.answers)?.value.objectValue ?? [:]
        return .array(known.map { code, value in ["code": .string(code), "value": value] })
    }
}

extension Entity {
    /// A value as a text, whether a case wrote it or a source did: texts, numbers, typed values of JSON-LD.
    func said(_ name: IRI) -> String? {
        guard let value = instance(of: name)?.value else { return nil }
        return value.stringValue ?? value.integerValue.map { String($0) } ?? value.doubleValue?.description ?? value["@value"]?.stringValue
    }

    func saidMoment(_ name: IRI) -> Instant? { said(name).flatMap { Instant($0) } }
}

extension CivilZone {
    /// To the second, as the clients of Open311 read it.
    func w3c(_ moment: Instant) -> String { text(Instant(seconds: moment.seconds)) }
}
