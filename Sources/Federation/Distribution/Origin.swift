internal import Broker
package import CityModel
package import LinkedData
package import Store
package import Trust

/// The request that is to be distributed, as far as those that come of it need to know it.
package struct Origin: Sendable {
    package let access: ReadAccess
    /// What may be written, where rules decide and something is.
    package let permit: WritePermit?
    package let asker: Asker
    /// The context that its names were read with.
    package let context: Context
    /// Where the request has been: the pseudonyms of its `Via` (RFC 7230, section 5.7.1).
    package let via: [String]
    /// `Via` as it came, to be continued.
    package let viaText: String?
    /// A header of the request, for what `contextSourceInfo` takes from it.
    package let header: @Sendable (String) -> String?
    /// What all requests that come of this one may take together.
    let allowance: Allowance

    package init(
        access: ReadAccess, permit: WritePermit? = nil, asker: Asker, context: Context, via: [String], header: @escaping @Sendable (String) -> String?
    ) {
        (self.access, self.permit, self.asker, self.context, self.header) = (access, permit, asker, context, header)
        allowance = Allowance()
        viaText = via.isEmpty ? nil : via.joined(separator: ", ")
        self.via = via.flatMap { $0.split(separator: ",") }.compactMap { entry in
            let words = entry.split(separator: " ")
            return words.count > 1 ? String(words[1]) : nil
        }
    }
}

/// A registration that a request matches, with the elements of its information that do.
package struct MatchedSource: Sendable {
    package let registration: Registration
    package let information: [RegistrationInfo]

    /// The attributes that it registers for what was asked; nil for all.
    var attributes: Set<IRI>? {
        var union: Set<IRI> = []
        for info in information {
            guard let attributes = info.attributes else { return nil }
            union.formUnion(attributes)
        }
        return union
    }

    /// Whether an entity can be one of those that are registered.
    func admits(_ id: IRI, types: [IRI]) -> Bool { information.contains { $0.admits(id, types: types) } }

    /// Whether an attribute of an entity is registered.
    package func covers(_ attribute: IRI, of id: IRI, types: [IRI]) -> Bool {
        information.contains { $0.covers(attribute) && $0.admits(id, types: types) }
    }
}

extension RegistrationInfo {
    /// - Parameter types: empty where they are not known.
    package func admits(_ id: IRI, types: [IRI]) -> Bool {
        entities?.contains { entity in
            entity.admits(id) && (types.isEmpty || entity.types.allSatisfy(types.contains))
        } ?? true
    }
}

/// The sources that a request is to be distributed to.
package struct Matching: Sendable {
    /// By identifier of their registrations.
    package var sources: [MatchedSource] = []
    /// Those that were left out, for the request has been there (clause 4.3.6.4).
    package var looping: [MatchedSource] = []

    package var isEmpty: Bool { sources.isEmpty && looping.isEmpty }
}

/// The registrations that a request may be led to at all: those that are valid, and whose answers the asker may be shown. What is
/// held against them may be many: the entries of a batch.
struct Candidates: Sendable {
    fileprivate(set) var registrations: [Registration] = []
    /// Of those, where the request has been, or which would take it further than it may go.
    fileprivate(set) var looping: Set<IRI> = []

    /// All of them, with all that they register.
    func all(offering operations: Set<SourceOperation>) -> Matching {
        var matching = Matching()
        for registration in registrations where !registration.operations.isDisjoint(with: operations) {
            let source = MatchedSource(registration: registration, information: registration.information)
            if looping.contains(registration.id) { matching.looping.append(source) } else { matching.sources.append(source) }
        }
        return matching
    }

    /// - Parameter operations: nil where what is not supported has to be known too.
    func matching(_ specification: SourceSpecification, _ operations: Set<SourceOperation>?) -> Matching {
        var matching = Matching()
        var specification = specification
        specification.takesSilenceForAnywhere = true
        for registration in registrations where operations.map({ !registration.operations.isDisjoint(with: $0) }) ?? true {
            let information = registration.matches(specification)
            guard !information.isEmpty else { continue }
            let source = MatchedSource(registration: registration, information: information.map { registration.information[$0] })
            if looping.contains(registration.id) { matching.looping.append(source) } else { matching.sources.append(source) }
        }
        return matching
    }
}

extension Federation {
    /// The registrations that match and support one of the operations, as far as the asker may be shown what they have.
    package func matching(
        _ specification: SourceSpecification, _ operations: Set<SourceOperation>?, _ origin: Origin
    ) async throws -> Matching {
        try await candidates(origin).matching(specification, operations)
    }

    func candidates(_ origin: Origin) async throws -> Candidates {
        let now = origin.asker.now
        var candidates = Candidates()
        candidates.registrations = try await registrations(origin.access).filter {
            !$0.hasExpired(at: now) && $0.classification <= origin.access.sight.wholeClassificationMax
        }
        guard !candidates.registrations.isEmpty else { return candidates }
        let ownAlias = try await broker.contextSourceAlias(of: origin.access.municipality, at: now)
        // Municipalities that all point at each other make as many ways as there are orders of them.
        let isFar = origin.via.count >= limits.hopCountMax || origin.via.contains(ownAlias)
        for registration in candidates.registrations {
            var isLooping = isFar
            if !isLooping { isLooping = try await alias(of: registration, at: now).map(origin.via.contains) ?? false }
            if isLooping { candidates.looping.insert(registration.id) }
        }
        return candidates
    }

    /// Whether a municipality has registered any source, whatever of: where it has none, nobody needs to look which might be asked.
    package func hasSources(_ access: ReadAccess) async throws -> Bool { try await !registrations(access).isEmpty }

    /// Those of a municipality; none where it is not there yet, for a first write makes it.
    func registrations(_ access: ReadAccess) async throws -> [Registration] {
        do { return try await catalogue.registrations(of: broker.registry(access)) } catch CityError.nonexistentTenant { return [] }
    }

    private func alias(of registration: Registration, at now: Instant) async throws -> String? {
        if let alias = registration.alias { return alias }
        guard case .municipality(let name) = registration.endpoint else { return nil }
        return try await broker.contextSourceAlias(of: name, at: now)
    }
}
