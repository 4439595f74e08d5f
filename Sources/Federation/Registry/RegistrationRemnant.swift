internal import CityModel
internal import Store

extension Registration {
    /// What is left of a stored registration that can't be read but says that what it registers must not be held here. Its source is
    /// asked for nothing; what it has, or may have where that can't be read either, is written nowhere until it is mended or deleted.
    /// - Returns: nil for one of another mode: that is passed over.
    init?(remnantOf record: RegistrationRecord) {
        guard let id = IRI(record.id), let document = record.body["document"], let mode = document["mode"]?.stringValue.flatMap(Mode.init),
            mode.isProxied
        else { return nil }
        let isTemporal = document["observationInterval"] != nil || document["managementInterval"] != nil
        self.init(
            id: id, mode: mode, operations: [], information: (try? InformationReader(document["information"]).information()) ?? [RegistrationInfo()],
            endpoint: .web(""), sourceInfo: SourceInfo(), scopes: [], places: [:],
            observationInterval: isTemporal ? TimeInterval(start: Instant(microseconds: 0), end: nil) : nil, expiresAt: record.expiresAt,
            management: Management(), properties: Entity(id: id, types: []), isRemnant: true)
    }
}

extension ProvisionPart {
    /// Why a proxied part reaches nobody.
    var refusal: CityError {
        let id = source.registration.id
        guard !source.registration.isRemnant else {
            return .conflict("registration \(id) has this and can't be read; it has to be mended or deleted first")
        }
        return .conflict("registration \(id) has this, and its source does not offer the operation")
    }
}
