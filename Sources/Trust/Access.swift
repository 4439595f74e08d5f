package import CityModel
package import Policy
package import Store

/// Who asks.
package enum Principal: Hashable, Sendable {
    /// Nobody who said who they are.
    case anonymous
    /// The holder of a token, by the token's identifier.
    case token(String)
    /// Somebody who signed in, by the account's identifier.
    case account(String)
    /// The subject of a token that an issuer outside made.
    case subject(String)
    /// Whoever runs the program on its machine: the control socket and the command line.
    case operatorOnMachine
    /// Anyone, on an installation that runs with authentication switched off.
    case openInstallation
    /// The program itself: the simulator, the sweeper of expired entities.
    case program

    /// A short text for logs and lineage.
    package var label: String {
        switch self {
        case .anonymous: "anonymous"
        case .token(let id): "token:\(id)"
        case .account(let id): "account:\(id)"
        case .subject(let id): "subject:\(id)"
        case .operatorOnMachine: "operator"
        case .openInstallation: "open"
        case .program: "conurb"
        }
    }
}

/// What a request is allowed to do: each includes those before it.
package enum Right: Int, Hashable, Sendable, Comparable, CaseIterable {
    case read = 1, write, administer

    package var name: String {
        switch self {
        case .read: "read"
        case .write: "write"
        case .administer: "administer"
        }
    }

    package init?(name: String) {
        guard let match = Right.allCases.first(where: { $0.name == name }) else { return nil }
        self = match
    }

    package static func < (left: Right, right: Right) -> Bool { left.rawValue < right.rawValue }
}

/// What a request says that it is for, and the agreement that it rests on.
package struct RequestTerms: Hashable, Sendable {
    /// In its short form, such as `dpv:ServiceProvision`; nil for a request that names none.
    package var purpose: String?
    package var agreement: String?

    package init(purpose: String? = nil, agreement: String? = nil) { (self.purpose, self.agreement) = (purpose, agreement) }

    package static let none = RequestTerms()

    /// For whoever works on cases: who serves people sees their data for that, unless something else is said.
    package var serving: RequestTerms { purpose == nil ? RequestTerms(purpose: "dpv:RequestedServiceProvision", agreement: agreement) : self }
}

/// Permission to read in one municipality, or in a snapshot of one: who asks, what for, and how much of it may be seen.
///
/// Only `Gatekeeper` can make one, and every reading operation of the Broker takes one: whoever forgets to ask cannot
/// compile.
package struct ReadAccess: Hashable, Sendable {
    package let municipality: MunicipalityName
    package let principal: Principal
    /// Who asks and what for, as rules know it; nil for whom no rule holds.
    package let claimant: Claimant?
    /// What is done with what is read.
    package let action: AccessAction
    /// What may be seen, counted or let be noticed.
    package let sight: Sight
    /// The most confidential class of data of which anything may be.
    package var classificationMax: Classification { sight.classificationMax }

    init(municipality: MunicipalityName, principal: Principal, claimant: Claimant?, action: AccessAction, sight: Sight) {
        (self.municipality, self.principal, self.claimant, self.action, self.sight) = (municipality, principal, claimant, action, sight)
    }
}

/// Permission to change entities in one municipality. It includes the permission to read there.
package struct WriteAccess: Hashable, Sendable {
    package let reading: ReadAccess
    /// What may be changed, where rules decide; nil for everything.
    package let permit: WritePermit?
    /// What the key of a device is held to; nil for whoever else writes.
    let device: TokenScope?
    package var municipality: MunicipalityName { reading.municipality }

    init(reading: ReadAccess, permit: WritePermit?, device: TokenScope?) { (self.reading, self.permit, self.device) = (reading, permit, device) }

    /// - Throws: `forbidden` for the key of a device, which is for entities alone.
    package func checkIsMore() throws(CityError) {
        guard device == nil else { throw .forbidden("Authorization: the key of a device writes entities, and nothing else") }
    }

    /// - Throws: `forbidden` for the key of a device that does not name the source.
    package func checkFeeding(_ source: String) throws(CityError) {
        guard let device, !(device.sources?.contains(source) ?? false) else { return }
        throw .forbidden("Authorization: this key does not feed source \(source)")
    }
}

/// Permission to administer one municipality. It includes the permission to write there.
package struct AdministerAccess: Hashable, Sendable {
    package let writing: WriteAccess
    package var municipality: MunicipalityName { writing.municipality }

    init(writing: WriteAccess) { self.writing = writing }
}

/// Permission to create, list and remove municipalities on the installation.
package struct InstallationAccess: Hashable, Sendable {
    package let principal: Principal

    init(principal: Principal) { self.principal = principal }
}
