package import CityModel

/// Who asks.
package enum Principal: Hashable, Sendable {
    /// Nobody who said who they are.
    case anonymous
    /// The holder of a token, by the token's identifier.
    case token(String)
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

/// What the answer is for. A declared list of purposes takes the place of this one when accounts arrive.
package enum Purpose: String, Hashable, Sendable {
    case publicService = "public-service", administration, simulation
}

/// Permission to read in one municipality, or in a snapshot of one: who asks, what for, and how much of it may be seen.
///
/// Only `Gatekeeper` can make one, and every reading operation of the Broker takes one: whoever forgets to ask cannot
/// compile.
package struct ReadAccess: Hashable, Sendable {
    package let municipality: MunicipalityName
    package let principal: Principal
    package let purpose: Purpose
    /// The most confidential class of data that may be seen, counted or let be noticed.
    package let classificationMax: Classification

    init(municipality: MunicipalityName, principal: Principal, purpose: Purpose, classificationMax: Classification) {
        self.municipality = municipality
        self.principal = principal
        self.purpose = purpose
        self.classificationMax = classificationMax
    }
}

/// Permission to change entities in one municipality. It includes the permission to read there.
package struct WriteAccess: Hashable, Sendable {
    package let reading: ReadAccess
    package var municipality: MunicipalityName { reading.municipality }

    init(reading: ReadAccess) { self.reading = reading }
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
