package import CityModel

/// Who could do something with an entity, for which purposes, and which rules say so: every role that there is, and everybody whom
/// rules name, asked for every purpose.
package struct Explanation: Sendable {
    package struct Party: Sendable {
        /// In words: `anonymous`, a role, `partner-operator of lattes`.
        package let name: String
        package let requester: Requester
        /// Refusals included; in the order in which purposes bring them up. At least one.
        package let answers: [Answer]
    }

    /// What a party is told for some purposes.
    package struct Answer: Sendable {
        /// Nil stands for a request that names no purpose.
        package fileprivate(set) var purposes: [String?]
        package let condition: Condition
        package let verdict: Verdict
    }

    /// What a request must have beside a purpose.
    package enum Condition: Hashable, Sendable {
        case none
        case agreement(String)
        /// The person whom the entity is about has consented to the purpose.
        case consent
    }

    package let parties: [Party]

    /// The most parties that are asked about.
    package static let partyCountMax = 500
}

extension Policies {
    /// - Parameters:
    ///   - resource: whose stated consents count for all answers.
    ///   - now: the moment at which rules must hold.
    package func explanation(_ action: AccessAction, _ resource: Question.Resource, now: Instant) -> Explanation {
        Explanation(parties: parties(resource).map { name, requester in
            .init(name: name, requester: requester, answers: answers(requester, action, resource, now))
        })
    }

    private func answers(
        _ requester: Requester, _ action: AccessAction, _ resource: Question.Resource, _ now: Instant
    ) -> [Explanation.Answer] {
        let asked: [String?] = [nil] + purposes.ids
        func verdict(_ purpose: String?, _ condition: Explanation.Condition) -> Verdict {
            var resource = resource
            var agreement: String?
            if case .agreement(let name) = condition { agreement = name }
            if condition == .consent, let purpose { resource.consents.insert(purpose) }
            return decide(requester, action, on: resource.facts, purpose: purpose, agreement: agreement, now: now)
        }
        var answers: [Explanation.Answer] = []
        let plain = asked.map { verdict($0, .none) }
        for condition in conditions {
            for (purpose, without) in zip(asked, plain) {
                let verdict = condition == .none ? without : verdict(purpose, condition)
                guard condition == .none || verdict != without else { continue }
                if let index = answers.firstIndex(where: { $0.condition == condition && $0.verdict == verdict }) {
                    answers[index].purposes.append(purpose)
                } else {
                    answers.append(.init(purposes: [purpose], condition: condition, verdict: verdict))
                }
            }
        }
        return answers
    }

    /// Those that make a difference somewhere in the rules.
    private var conditions: [Explanation.Condition] {
        let agreements = Set(rules.compactMap(\.agreement)).sorted().map { Explanation.Condition.agreement($0) }
        return [.none] + agreements + (rules.contains(where: \.needsConsent) ? [.consent] : [])
    }

    private func parties(_ resource: Question.Resource) -> [(name: String, requester: Requester)] {
        var parties: [(name: String, requester: Requester)] = [("anonymous", .anonymous)]
        func add(_ name: String, _ requester: Requester) {
            guard parties.count < Explanation.partyCountMax, !parties.contains(where: { $0.name == name }) else { return }
            parties.append((name, requester))
        }
        if let subject = resource.subject { add("the person whom it is about", Requester(account: subject, roles: [])) }
        for role in Role.allCases { add(role.rawValue, Requester(account: "somebody", roles: [role])) }
        for who in rules.map(\.who) where who.accounts != nil || who.municipalities != nil {
            for role in who.roles.map({ $0.sorted { $0.rawValue < $1.rawValue } as [Role?] }) ?? [nil] {
                for account in who.accounts.map({ $0.sorted() as [String?] }) ?? [nil] {
                    for municipality in who.municipalities.map({ $0.sorted() as [MunicipalityName?] }) ?? [nil] {
                        let words = [account ?? role.map(\.rawValue) ?? "somebody", account == nil ? nil : role?.rawValue].compactMap(\.self)
                        add(
                            words.joined(separator: ", ") + (municipality.map { " of \($0)" } ?? ""),
                            Requester(account: account ?? "somebody", roles: role.map { [$0] } ?? [], municipality: municipality))
                    }
                }
            }
        }
        return parties
    }
}

extension Purposes {
    /// Those of some purposes that none of the others includes: enough to name them all where whole branches are meant.
    package func broadest(of ids: [String]) -> [String] {
        let all = Set(ids)
        return ids.filter { lineage(of: $0).intersection(all).count == 1 }
    }
}
