package import CityModel
internal import Policy
package import Store
package import Trust

/// Reads that pages for people need. They see what the access lets them see, and nothing of the rest: not in a count, not
/// in a box, not in a list of types.
extension Broker {
    package func livePlaces(in box: BoundingBox, countMax: Int, _ access: ReadAccess, at now: Instant) async throws -> [LivePlace] {
        try await file(toRead: access).read { try $0.livePlaces(in: box, access.classificationMax, at: now, countMax: countMax) }
    }

    /// - Parameter types: none means all.
    package func livePlaces(ofTypes types: [IRI], countMax: Int, _ access: ReadAccess, at now: Instant) async throws -> [LivePlace] {
        try await file(toRead: access).read { try $0.livePlaces(ofTypes: types, access.classificationMax, at: now, countMax: countMax) }
    }

    /// Entities of which one of the attributes is a text that satisfies `matches`, or is no plain text.
    package func liveNames(
        of attributes: [IRI], visitCountMax: Int, _ access: ReadAccess, at now: Instant, matches: @escaping @Sendable (String) -> Bool
    ) async throws -> [LivePlace] {
        try await file(toRead: access).read {
            try $0.liveNames(of: attributes, access.classificationMax, at: now, visitCountMax: visitCountMax, matches: matches)
        }
    }

    /// Entities of which one address, or the name of the street that they are, has all of some words (`AddressWords`). What is personal is not among them.
    package func addressed(_ words: [String], limit: Int, _ access: ReadAccess, at now: Instant) async throws -> [LiveEntity] {
        try await file(toRead: access).read { try $0.addressed(words, access.classificationMax, at: now, limit: limit) }
    }

    /// For those who choose among them and account for what they show.
    package func liveEntities(_ numbers: [Int64], _ access: ReadAccess, at now: Instant) async throws -> [LiveEntity] {
        try await file(toRead: access).read { try $0.liveEntities(numbers: numbers, access.classificationMax, at: now) }
    }

    /// - Throws: `resourceNotFound`.
    package func liveEntity(_ id: IRI, _ access: ReadAccess, at now: Instant) async throws -> LiveEntity {
        let found = try await show(access, at: now) { snapshot in
            let found = try snapshot.liveEntity(id, access.classificationMax, at: now)
            if let found { snapshot.show(found.number, found.classification) }
            return found
        }
        guard let found else { throw Broker.notFound(id) }
        return found
    }

    /// Of the entities with these identifiers those that are there, in the order asked for.
    package func liveEntities(_ ids: [IRI], _ access: ReadAccess, at now: Instant) async throws -> [LiveEntity] {
        try await show(access, at: now) { snapshot in
            let found = try ids.compactMap { try snapshot.liveEntity($0, access.classificationMax, at: now) }
            for one in found { snapshot.show(one.number, one.classification) }
            return found
        }
    }

    /// The numeric values of an attribute, by entity number. To be used for entities that were found with the same access.
    package func liveNumbers(of attribute: IRI, types: [IRI], _ access: ReadAccess) async throws -> [Int64: Double] {
        try await file(toRead: access).read { try $0.liveNumbers(of: attribute, types: types) }
    }
}

/// What a municipality's file holds, for lists of layers.
package struct LiveVocabulary: Sendable {
    package let types: [LiveType]
    /// A few entities of each type.
    package let samples: [IRI: [LiveEntity]]
    package let attributes: [IRI]
    /// The smallest box that holds every place.
    package let box: BoundingBox?
    /// The newest change when this was read, or one before it.
    package let position: Int64
    package let incarnation: UInt64
}

extension Broker {
    /// Changes with the file: what was kept by numbers of entities is worth nothing then. So it does with consents, where what is seen rests on
    /// them: what was kept may be what somebody lets nobody see any more.
    package func incarnation(_ access: ReadAccess) throws -> UInt64 {
        let file = try file(toRead: access)
        guard access.sight.ruling?.needs.contains(.consents) ?? false else { return file.incarnation }
        return file.incarnation &+ UInt64(bitPattern: file.consents.revision) &* 0x9E37_79B9_7F4A_7C15
    }

    /// Another whenever the rules of access or the consents of a municipality are others, for whoever keeps an access for long.
    package func rulesRevision(_ access: ReadAccess) throws -> Int64 {
        let file = try file(toRead: access)
        return file.policies.revision &+ file.consents.revision
    }

    package func liveVocabulary(sampleCountMax: Int, _ access: ReadAccess, at now: Instant) async throws -> LiveVocabulary {
        let file = try file(toRead: access)
        let visible = access.classificationMax
        let (position, incarnation) = (file.journal.last, try incarnation(access))
        return try await file.read { snapshot in
            let types = try snapshot.liveTypes(visible)
            var samples: [IRI: [LiveEntity]] = [:]
            for type in types {
                samples[type.type] = try snapshot.liveSample(of: type.type, visible, at: now, countMax: sampleCountMax)
            }
            return LiveVocabulary(
                types: types, samples: samples, attributes: try snapshot.attributes(visible), box: try snapshot.livePlacesBox(visible),
                position: position, incarnation: incarnation)
        }
    }
}

/// The past of entities, for charts and for the slider.
extension Broker {
    /// - Throws: `resourceNotFound` when the entity is not there or may not be seen.
    package func livePoints(
        of id: IRI, attribute: IRI, in interval: Range<Instant>, countMax: Int, _ access: ReadAccess, at now: Instant
    ) async throws -> [LivePoint] {
        try await show(access, at: now) { snapshot in
            guard let found = try snapshot.liveEntity(id, access.classificationMax, at: now) else { throw Broker.notFound(id) }
            snapshot.show(found.number, found.classification)
            return try snapshot.livePoints(of: found.number, attribute: attribute, in: interval, countMax: countMax, access.classificationMax, at: now)
        }
    }

    /// For each attribute whether history holds more than its current value. To be asked of an entity that was found with
    /// the same access.
    package func haveHistory(_ questions: [PastQuestion], _ access: ReadAccess, at now: Instant) async throws -> [Bool] {
        try await file(toRead: access).read { snapshot in
            try questions.map { try snapshot.hasLiveHistory(of: $0.number, attribute: $0.attribute, access.classificationMax, at: now) }
        }
    }

    /// To be asked of entities that were found with the same access.
    package func pastValues(
        _ questions: [PastQuestion], at moment: Instant, _ access: ReadAccess, now: Instant
    ) async throws -> [HistoryInstance?] {
        try await file(toRead: access).read { try $0.pastValues(questions, at: moment, access.classificationMax, now: now) }
    }
}
