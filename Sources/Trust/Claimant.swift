package import CityModel
internal import OrderedCollections
package import Policy
package import Store

/// Who asked and what for, as it is kept with what goes on asking in their name, such as a subscription.
package struct Claimant: Hashable, Sendable {
    package let requester: Requester
    package let terms: RequestTerms

    init(_ requester: Requester, _ terms: RequestTerms) { (self.requester, self.terms) = (requester, terms) }

    package var json: JSON {
        var members: JSONObject = ["roles": .array(requester.roles.map(\.rawValue).sorted().map(JSON.string))]
        members["account"] = requester.account.map(JSON.string)
        members["municipality"] = requester.municipality.map { .string($0.text) }
        let bounds = requester.bounds
        if let types = bounds.types { members["types"] = .array(types.map(\.text).sorted().map(JSON.string)) }
        if let sources = bounds.sources { members["sources"] = .array(sources.sorted().map(JSON.string)) }
        members["purpose"] = terms.purpose.map(JSON.string)
        members["agreement"] = terms.agreement.map(JSON.string)
        return .object(members)
    }

    /// Nil for what is no claimant. A role that is not known any more gives nothing.
    init?(_ json: JSON) {
        guard let roles = json["roles"]?.arrayValue else { return nil }
        func texts(_ member: String) -> Set<String>? { json[member].map { Set(($0.arrayValue ?? []).compactMap(\.stringValue)) } }
        let bounds = RequesterBounds(types: texts("types").map { Set($0.compactMap { IRI($0) }) }, sources: texts("sources"))
        let requester = Requester(
            account: json["account"]?.stringValue, roles: Set(roles.compactMap { $0.stringValue.flatMap(Role.init) }),
            municipality: json["municipality"]?.stringValue.flatMap(MunicipalityName.init), bounds: bounds)
        self.init(requester, RequestTerms(purpose: json["purpose"]?.stringValue, agreement: json["agreement"]?.stringValue))
    }
}

extension Gatekeeper {
    /// What a claimant may see by the rules as they are now: what was withdrawn is withdrawn at once.
    /// - Parameter claimant: as `Claimant.json`; nil for one for whom no rule holds.
    package func sight(of claimant: JSON?, in municipality: MunicipalityName, to action: AccessAction) async throws -> Sight {
        guard let claimant else { return .upTo(.special) }
        guard let known = Claimant(claimant) else { throw CityError.internalFault("who asks in \(municipality) can't be read") }
        return Sight(try await ruling(known.requester, in: municipality.city, known.terms, action))
    }
}
