package import Broker
package import Cases
package import CityModel
package import Door
internal import HTTPTypes
internal import Hummingbird
package import Query
package import Trust

/// `/open311/v2`: Open311 GeoReport v2 (wiki.open311.org/GeoReport_v2), and the extension by which FixMyStreet tells and is told what becomes of requests.
/// Whatever comes in here and on the pages are the same cases.
package struct Open311Door: Sendable {
    let broker: Broker
    let gatekeeper: Gatekeeper
    let desk: CaseDesk
    let configuration: Open311Configuration

    package init(broker: Broker, gatekeeper: Gatekeeper, desk: CaseDesk, configuration: Open311Configuration) {
        (self.broker, self.gatekeeper, self.desk, self.configuration) = (broker, gatekeeper, desk, configuration)
    }

    static let prefix = "/open311/v2"
}

/// A photo that was made safe, and the picture for lists.
package typealias PreparedPhoto = (jpeg: [UInt8], thumbnail: [UInt8])

package struct Open311Configuration: Sendable {
    /// What the installation is called.
    package var name: String
    /// The zone whose offset times are told with.
    package var zone: CivilZone
    /// Where this program is reached; nil: where the request says.
    package var publicAddress: String?
    package var municipalities: @Sendable () async throws -> [MunicipalityName]
    /// Makes a photo safe; nil: none are taken.
    package var preparePhoto: (@Sendable ([UInt8]) async throws -> PreparedPhoto)?
    /// What is to be said of a report before it is filed, such as its district; it may refuse one by throwing.
    package var complete: @Sendable (_ report: CaseReport, _ request: DoorRequest, _ access: ReadAccess, _ hasKey: Bool) async throws -> CaseReport = { report, _, _, _ in report }
    package var limits = Open311Limits()

    package init(name: String, zone: CivilZone = .utc, municipalities: @escaping @Sendable () async throws -> [MunicipalityName]) {
        (self.name, self.zone, self.municipalities) = (name, zone, municipalities)
    }
}

package struct Open311Limits: Sendable {
    /// Requests in one answer; the standard says so.
    package var pageSizeMax = 1000
    /// How far into a list pages reach.
    package var listedCountMax = 100_000
    /// Days between `start_date` and `end_date`; the standard says so.
    package var spanDays = 90
    /// Identifiers, codes and other words in one parameter.
    package var wordCountMax = 200
    /// Metres around a point.
    package var radiusMax = 50_000.0
    /// Days that updates are asked for, and those where nothing is said.
    package var updateSpanDays = 31
    package var updateDays = 7
    /// Requests that changed within that time.
    package var changedCountMax = 500
    /// Bytes of a form without files, and of a JSON body.
    package var formByteCountMax = 1_000_000
    /// Characters of a description; the standard says so.
    package var descriptionCountMax = 4000
    package init() {}
}

// MARK: - Whom a request speaks to, and as whom

extension Open311Door {
    /// The municipality that `jurisdiction_id` names. Where there is only one it need not be named; the standard one counts where it offers services.
    func municipality(_ jurisdiction: String?) async throws -> MunicipalityName {
        let known = try await configuration.municipalities()
        if let jurisdiction, !jurisdiction.isEmpty {
            guard let name = MunicipalityName(jurisdiction), known.contains(name) || (known.isEmpty && name == .standard) else {
                throw Open311Fault(404, "jurisdiction_id: there is no \(jurisdiction.prefix(100)) here")
            }
            return name
        }
        guard known.count > 1 else { return known.first ?? .standard }
        var serving = known
        if known.contains(.standard) {
            let services = try await broker.services(gatekeeper.reading(.standard, .none))
            if services.isEmpty { serving.removeAll { $0 == .standard } }
        }
        guard serving.count == 1, let name = serving.first else {
            throw Open311Fault(400, "jurisdiction_id was not provided: several municipalities are served here, each by its name")
        }
        return name
    }

    /// A key is a token of the municipality.
    func credential(_ key: String?, _ request: DoorRequest) -> Credential {
        guard let key, !key.isEmpty else { return request.credential }
        return .bearer(key)
    }

    func reading(_ request: DoorRequest) async throws -> ReadAccess {
        let name = try await municipality(request.query["jurisdiction_id"])
        return try await gatekeeper.reading(name, credential(request.query["api_key"], request), request.terms)
    }

    /// Where links lead.
    func address(_ request: DoorRequest) -> String { configuration.publicAddress ?? request.origin }
}

extension DoorRequest {
    /// A parameter; one that says nothing counts as absent, as the standard has it.
    func said(_ name: String) -> String? { query[name].flatMap { $0.isEmpty ? nil : $0 } }
}
