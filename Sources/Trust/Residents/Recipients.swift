package import CityModel
package import Policy
internal import Store

/// Whom an act names, as far as the person whose data it is has to know.
package enum Recipient: Hashable, Sendable {
    /// Somebody who works for the city, by what they are and not by their name.
    case account(roles: [String])
    /// A program with a token, by the token's name.
    case token(String)
    /// Whoever runs the installation, or the machine.
    case operatorOnMachine
    /// Somebody whom another issuer knows.
    case subject
    case anonymous
    /// Gone since.
    case unknown
}

extension ReadSnapshot {
    /// - Parameter tokens: names by identifier, of those that there are.
    func recipient(_ label: String, tokens: [String: String]) throws -> Recipient {
        let (kind, id) = (label.prefix { $0 != ":" }, String(label.drop { $0 != ":" }.dropFirst()))
        switch kind {
        case "account": return try account(id).map { .account(roles: $0.roles) } ?? .unknown
        case "token": return tokens[id].map { .token($0) } ?? .unknown
        case "subject": return .subject
        case "operator": return .operatorOnMachine
        case "anonymous", "open": return .anonymous
        default: return .unknown
        }
    }

    var tokenNames: [String: String] {
        get throws {
            Dictionary(try documents(.token).compactMap(Token.init).map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        }
    }
}

/// Who could see something, and what for.
package struct Onlooker: Hashable, Sendable {
    /// A role, or whom a rule names.
    package let party: String
    /// The broadest purposes; none where the purpose does not matter.
    package let purposes: [Purposes.Purpose]
    package let needsConsent: Bool
    package let agreement: String?
}

extension Gatekeeper {
    /// Who could see data of these kinds about somebody, by the rules as they are now.
    /// - Parameter kinds: types and classifications of what is held; a few of them.
    package func onlookers(_ signedIn: SignedIn, _ kinds: Set<HeldKind>, at now: Instant) async throws -> [Onlooker] {
        let policies = try await policies(of: signedIn.municipality)
        var found: [Onlooker] = []
        for kind in kinds.sorted(by: { $0.order < $1.order }).prefix(Self.kindCountMax) {
            var resource = Question.Resource()
            (resource.types, resource.classification, resource.subject) = (Set(kind.types), kind.classification, signedIn.subject)
            for party in policies.explanation(.read, resource, now: now).parties where party.requester.account != signedIn.subject {
                for answer in party.answers {
                    if case .hidden = answer.verdict { continue }
                    let isForAny = answer.purposes.contains(nil)
                    let ids = isForAny ? [] : policies.purposes.broadest(of: answer.purposes.compactMap { $0 })
                    var agreement: String?
                    if case .agreement(let name) = answer.condition { agreement = name }
                    let onlooker = Onlooker(
                        party: party.name, purposes: ids.compactMap { policies.purposes[$0] }, needsConsent: answer.condition == .consent, agreement: agreement)
                    if !found.contains(onlooker) { found.append(onlooker) }
                }
            }
        }
        return found
    }

    private static var kindCountMax: Int { 20 }
}

/// What entities of one kind have in common for rules.
package struct HeldKind: Hashable, Sendable {
    package let types: [IRI]
    package let classification: Classification
    package init(types: [IRI], classification: Classification) { (self.types, self.classification) = (types, classification) }
    fileprivate var order: String { classification.rawValue + " " + types.map(\.text).joined(separator: " ") }
}
