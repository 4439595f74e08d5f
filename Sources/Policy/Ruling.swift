package import CityModel
internal import Query

/// The rules that speak to one request: who asks, for which act and purpose, and when, is decided; what about is not.
///
/// Two rulings are equal when the same rules of the same policies speak, so that answers can be kept by them.
package struct Ruling: Sendable {
    private let book: Policies.Book
    /// Places in the book, ascending.
    private let permits: [Int]
    private let forbids: [Int]
    /// The account that asks, where a rule is for what is about that person; else nil, so that others share the ruling.
    private let account: String?
    /// Consent to any of these counts: the purpose of the request and all that include it. Empty where no rule asks for consent.
    private let lineage: Set<String>
    private let bounds: RequesterBounds
    /// The next moment at which a rule begins or ends to hold that speaks to this request; nil when none does. A ruling that is kept, as a
    /// subscription does, is made anew then.
    package let goodUntil: Instant?

    init(_ book: Policies.Book, permits: [Int], forbids: [Int], requester: Requester, lineage: Set<String>, goodUntil: Instant?) {
        (self.book, self.permits, self.forbids, self.goodUntil) = (book, permits, forbids, goodUntil)
        bounds = requester.bounds
        account = (permits + forbids).contains { book.rules[$0].what.isAboutRequester } ? requester.account : nil
        self.lineage = permits.contains { book.rules[$0].needsConsent } ? lineage : []
    }

    private var permitRules: some Sequence<Rule> { permits.lazy.map { book.rules[$0] } }
    private var forbidRules: some Sequence<Rule> { forbids.lazy.map { book.rules[$0] } }

    /// What the rules say of one entity: a forbid that speaks of it, or of an attribute, beats every permit; what no permit speaks of
    /// is hidden.
    package func verdict(on facts: ResourceFacts) -> Verdict {
        guard bounds.include(facts) else { return .hidden(.nothingPermits) }
        var places = Places(facts)
        var taken: [(rule: String, attributes: Set<IRI>)] = []
        for rule in forbidRules where speaks(rule, of: facts, &places) {
            guard let attributes = rule.what.attributes else { return .hidden(.forbidden(by: rule.id)) }
            taken.append((rule.id, attributes))
        }
        let forbidden = taken.reduce(into: Set<IRI>()) { $0.formUnion($1.attributes) }
        var layers: [View.Layer] = []
        var emptied = AttributeSet.none
        for rule in permitRules where speaks(rule, of: facts, &places) {
            let left = rule.attributesShown.subtracting(forbidden)
            guard !left.isEmpty else {
                emptied = emptied.union(rule.attributesShown)
                continue
            }
            layers.append(
                .init(rule: rule.id, attributes: left, precision: rule.narrowing.precision, entityCountMin: rule.narrowing.entityCountMin))
        }
        guard !layers.isEmpty else {
            let cause = taken.first { !emptied.intersection(.only($0.attributes)).isEmpty }
            return .hidden(cause.map { .forbidden(by: $0.rule) } ?? .nothingPermits)
        }
        return layers.contains { $0.entityCountMin == nil } ? .visible(View(layers: layers)) : .aggregatesOnly(View(layers: layers))
    }

    /// The cheap questions first; places and consents only when all else fits.
    private func speaks(_ rule: Rule, of facts: ResourceFacts, _ places: inout Places) -> Bool {
        let what = rule.what
        if let classifications = what.classifications, !classifications.contains(facts.classification) { return false }
        if let types = what.types, types.isDisjoint(with: facts.types) { return false }
        if let sources = what.sources, !(facts.source.map(sources.contains) ?? false) { return false }
        if what.isAboutRequester, account == nil || facts.dataSubject != account { return false }
        if let scopes = what.scopes, !facts.scopes.contains(where: { scope in scopes.contains { $0.matches(scope) } }) { return false }
        if let area = what.area, !places.lie(in: area, as: rule.effect) { return false }
        return !rule.needsConsent || !lineage.isDisjoint(with: facts.consents())
    }

    /// Where an entity is; asked once, and only if a rule wants to know.
    private struct Places {
        private let facts: ResourceFacts
        private var location: ResourceFacts.Location?

        init(_ facts: ResourceFacts) { self.facts = facts }

        mutating func lie(in area: Area, as effect: Rule.Effect) -> Bool {
            let known = location ?? facts.location()
            location = known
            return switch known {
            case .nowhere: false
            case .unknown: effect == .forbid
            case .at(let geometries):
                effect == .permit
                    ? !geometries.isEmpty && geometries.allSatisfy { area.covers($0) } : geometries.contains { area.touches($0) }
            }
        }
    }
}

extension Ruling: Hashable {
    package static func == (left: Ruling, right: Ruling) -> Bool {
        left.permits == right.permits && left.forbids == right.forbids && left.account == right.account && left.lineage == right.lineage && left.bounds == right.bounds
            && left.goodUntil == right.goodUntil && (left.book === right.book || left.book.rules == right.book.rules)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(permits)
        hasher.combine(forbids)
        hasher.combine(account)
        hasher.combine(bounds)
    }
}

// MARK: What can be known before an entity is looked at

extension Ruling {
    /// The facts that the verdict on some entity may need.
    package var needs: FactNeeds {
        var needs: FactNeeds = []
        func add(_ rule: Rule) {
            if rule.what.types != nil { needs.insert(.types) }
            if rule.what.scopes != nil { needs.insert(.scopes) }
            if rule.what.classifications != nil { needs.insert(.classification) }
            if rule.what.sources != nil { needs.insert(.source) }
            if rule.what.isAboutRequester { needs.insert(.dataSubject) }
            if rule.what.area != nil { needs.insert(.location) }
            if rule.needsConsent { needs.insert(.consents) }
        }
        if bounds.types != nil { needs.insert(.types) }
        if bounds.sources != nil { needs.insert(.source) }
        permitRules.forEach(add)
        forbidRules.forEach(add)
        return needs
    }

    /// Whether no entity can be visible, nor count in a figure.
    package var isNothing: Bool { classificationsReached.isEmpty || bounds.types?.isEmpty ?? false || bounds.sources?.isEmpty ?? false }

    /// The classifications of entities that some permit may reach: no entity of another is visible or counts.
    package var classificationsReached: Set<Classification> {
        permitRules.reduce(into: Set()) { $0.formUnion($1.classifications) }.subtracting(classificationsForbidden)
    }

    /// The types of entities that some permit may reach; nil when they can be any.
    package var typesReached: Set<IRI>? { bounds.types ?? union(\.types) }

    /// The sources of entities that some permit may reach; nil when they can be any, and none at all.
    package var sourcesReached: Set<String>? { bounds.sources ?? union(\.sources) }

    /// To how many metres the permit tells places that tells them most roughly; nil when all tell them as they are.
    package var placeMetresMax: Int? { permitRules.compactMap(\.narrowing.precision.placeMetres).max() }

    /// Whether some permit tells places roughly.
    package var tellsPlacesRoughly: Bool { placeMetresMax != nil }

    /// The attributes that some permit may show.
    package var attributesReached: AttributeSet { permitRules.reduce(.none) { $0.union($1.attributesShown) } }

    /// Whether the ruling amounts to "all entities up to a classification, whole, and nothing else": then which. Nil when it amounts
    /// to anything else, nothing included.
    package var everythingUpTo: Classification? {
        guard bounds == .none else { return nil }
        let forbidden = classificationsForbidden
        let whole = permitRules.filter(\.isOfClassificationsAlone).reduce(into: Set<Classification>()) { $0.formUnion($1.classifications) }
            .subtracting(forbidden)
        guard let highest = whole.max(), whole.count == highest.rank + 1 else { return nil }
        let othersAddNothing = permitRules.allSatisfy { $0.classifications.subtracting(forbidden).isSubset(of: whole) }
        let othersTakeNothing = forbidRules.allSatisfy { $0.isOfClassificationsAlone || $0.classifications.isDisjoint(with: whole) }
        return othersAddNothing && othersTakeNothing ? highest : nil
    }

    private var classificationsForbidden: Set<Classification> {
        forbidRules.filter(\.isOfClassificationsAlone).reduce(into: []) { $0.formUnion($1.classifications) }
    }

    private func union<Name: Hashable>(_ names: (What) -> Set<Name>?) -> Set<Name>? {
        var all: Set<Name> = []
        for rule in permitRules {
            guard let some = names(rule.what) else { return nil }
            all.formUnion(some)
        }
        return all
    }
}

extension Rule {
    /// What a permit shows of an entity that it speaks of.
    fileprivate var attributesShown: AttributeSet {
        what.attributes.map { narrowing.attributes.intersection(.only($0)) } ?? narrowing.attributes
    }

    fileprivate var classifications: Set<Classification> { what.classifications ?? Set(Classification.allCases) }

    /// Whether it speaks of all entities of its classifications, whole.
    fileprivate var isOfClassificationsAlone: Bool {
        var rest = what
        rest.classifications = nil
        return rest == .everything && narrowing == .whole && !needsConsent
    }
}
