package import CityModel

/// A request and the entity that it is about, out of a file.
package struct Question: Sendable {
    package var requester = Requester.anonymous
    package var action: AccessAction
    /// In its short form.
    package var purpose: String?
    package var agreement: String?
    package var moment: Instant?
    package var resource = Resource()

    /// The facts of an entity as a file states them.
    package struct Resource: Sendable {
        package var types: Set<IRI> = []
        package var scopes: [Scope] = []
        package var classification = Classification.open
        package var source: String?
        package var subject: String?
        package var location: Geometry?
        package var consents: Set<String> = []

        package init() {}

        package var facts: ResourceFacts {
            ResourceFacts(
                types: types, scopes: scopes, classification: classification, source: source, dataSubject: subject,
                location: { location.map { .at([$0]) } ?? .nowhere }, consents: { consents })
        }
    }

    package init(action: AccessAction) { self.action = action }

    /// - Parameter now: the moment that a question means which names none.
    package func verdict(of policies: Policies, now: Instant) -> Verdict {
        policies.decide(
            requester, action, on: resource.facts, purpose: purpose, agreement: agreement, now: moment ?? now)
    }
}
