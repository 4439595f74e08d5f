package import Broker
package import CityModel
package import LinkedData
internal import OrderedCollections
package import Store
internal import Subscriptions
package import Trust

/// A registration as it was found: what is kept of it, and which elements of its information match.
package struct FoundRegistration: Sendable {
    package let id: String
    package let document: RegistrationDocument
    package let information: [Int]?
    package let forwarding: DeliveryState
}

/// The operations on registrations of context sources (clauses 5.9 and 5.10).
///
/// Registering needs the right to administer: a registration changes what everybody's requests mean, sends what they write to
/// others, and may carry a credential. Looking at registrations needs the right to read that a token gives.
package struct RegistrationLibrary: Sendable {
    private let broker: Broker
    private let watchers: SourceWatchers
    private let book: ForwardingBook
    private let work: PassingWork
    private let countMax: Int

    /// - Parameter work: told where registrations change.
    /// - Parameter countMax: the most registrations of one municipality.
    package init(broker: Broker, watchers: SourceWatchers, book: ForwardingBook, work: PassingWork, countMax: Int) {
        (self.broker, self.watchers, self.book, self.work, self.countMax) = (broker, watchers, book, work, countMax)
    }

    /// - Returns: the new registration's identifier.
    /// - Throws: `badRequestData`, `alreadyExists`, `conflict`, `tooManyResults`.
    package func create(_ given: JSONObject, _ context: Context, _ access: AdministerAccess, at now: Instant) async throws -> IRI {
        guard given["type"] == "ContextSourceRegistration" else {
            throw CityError.badRequestData("type: a registration's type is ContextSourceRegistration")
        }
        let id = try Self.identifier(given["id"])
        let document = RegistrationDocument(members: try RegistrationDocument.expanded(given, context), createdAt: now, modifiedAt: now)
        let registration = try document.registration(id)
        try Self.checkExpiry(registration, at: now)
        try await checkEndpoint(registration, access)
        let countMax = countMax
        try await change(access, at: now) { transaction in
            guard try transaction.registration(id.text) == nil else { throw CityError.alreadyExists("registration \(id) exists already") }
            guard try transaction.registrationCount() < countMax else {
                throw CityError.tooManyResults("a municipality has at most \(countMax) registrations")
            }
            try transaction.checkConflicts(of: registration, at: now)
            let record = RegistrationRecord(id: id.text, body: document.json, expiresAt: registration.expiresAt)
            try transaction.put(record)
            try transaction.record(Act(.registrationPut, id.text), access, at: now)
            return [RegistrationChange(before: nil, after: record)]
        }
        return id
    }

    /// Puts the members of a fragment in the place of those that were (clauses 5.9.3.4 and 5.5.8).
    /// - Throws: `resourceNotFound`, `badRequestData`, `conflict`.
    package func update(
        _ id: IRI, with fragment: JSONObject, _ context: Context, _ access: AdministerAccess, at now: Instant
    ) async throws {
        if let type = fragment["type"], type != "ContextSourceRegistration" {
            throw CityError.badRequestData("type: a registration's type is ContextSourceRegistration")
        }
        if let other = fragment["id"], other.stringValue != id.text { throw CityError.badRequestData("id: a registration's id can't be changed") }
        let removed = fragment.filter { $0.value == .null || $0.value == .string(Attribute.nullText) }
        let changed = try RegistrationDocument.expanded(fragment.filter { removed[$0.key] == nil }, context)
        let removedNames = removed.keys.map { RegistrationDocument.known.contains($0) ? $0 : context.expand($0)?.text ?? $0 }
        guard let before = try await broker.readRegistrations(access.writing.reading, { try $0.registration(id.text) }) else { throw Self.notFound(id) }
        var preview = try RegistrationDocument(before.body)
        preview.apply(changed, removing: removedNames, at: now)
        try await checkEndpoint(preview.registration(id), access)
        try await change(access, at: now) { transaction in
            guard let before = try transaction.registration(id.text) else { throw Self.notFound(id) }
            var document = try RegistrationDocument(before.body)
            document.apply(changed, removing: removedNames, at: now)
            let registration = try document.registration(id)
            if changed["expiresAt"] != nil { try Self.checkExpiry(registration, at: now) }
            try transaction.checkConflicts(of: registration, at: now)
            let after = RegistrationRecord(id: id.text, body: document.json, expiresAt: registration.expiresAt)
            try transaction.put(after)
            try transaction.record(Act(.registrationPut, id.text), access, at: now)
            return [RegistrationChange(before: before, after: after)]
        }
    }

    /// - Throws: `resourceNotFound`.
    package func delete(_ id: IRI, _ access: AdministerAccess, at now: Instant) async throws {
        try await change(access, at: now) { transaction in
            guard let before = try transaction.registration(id.text) else { throw Self.notFound(id) }
            _ = try transaction.removeRegistration(id.text)
            try transaction.record(Act(.registrationRemoved, id.text), access, at: now)
            return [RegistrationChange(before: before, after: nil)]
        }
    }

    /// - Throws: `resourceNotFound`, `unauthenticated`.
    package func retrieve(_ id: IRI, _ access: ReadAccess, at now: Instant) async throws -> FoundRegistration {
        try Self.check(access)
        guard let record = try await broker.readRegistrations(access, { try $0.registration(id.text) }), record.isValid(at: now) else {
            throw Self.notFound(id)
        }
        return try found(record, information: nil, access)
    }

    /// Registrations of sources that may have what is asked for, by identifier (clause 5.10.2).
    package func query(
        _ specification: SourceSpecification, offset: Int, limit: Int, _ access: ReadAccess, at now: Instant
    ) async throws -> (page: [FoundRegistration], count: Int) {
        try Self.check(access)
        let matching = try await broker.readRegistrations(access) { snapshot in
            try snapshot.registrations().compactMap { record -> (RegistrationRecord, [Int])? in
                let information = (try? Registration(record))?.matches(specification) ?? []
                return information.isEmpty || !record.isValid(at: now) ? nil : (record, information)
            }
        }
        let page = matching.dropFirst(offset).prefix(limit)
        return (try page.map { try found($0.0, information: $0.1, access) }, matching.count)
    }

    private func found(_ record: RegistrationRecord, information: [Int]?, _ access: ReadAccess) throws -> FoundRegistration {
        var forwarding = record.forwarding
        if let news = book.news(of: record.id, in: access.municipality) { forwarding.add(news) }
        return FoundRegistration(
            id: record.id, document: try RegistrationDocument(record.body), information: information, forwarding: forwarding)
    }

    /// Removes what has expired (clause 5.9.2.4), and writes down how requests to sources went.
    /// - Parameter failed: told of each file that can't be swept; it holds up no other.
    package func sweep(at now: Instant, _ failed: (MunicipalityName, any Error) -> Void) async {
        for file in broker.store.openFiles {
            do { try await sweep(file, at: now) } catch { failed(file.name, error) }
        }
    }

    private func sweep(_ file: MunicipalityFile, at now: Instant) async throws {
        let news = book.take(from: file.name)
        if !news.isEmpty { try await file.write { transaction in for (id, state) in news { try transaction.addForwarding(state, to: id) } } }
        guard try await file.read({ try !$0.expiredRegistrations(at: now, limit: 1).isEmpty }) else { return }
        try await watchers.write(file, at: now) { transaction in
            try transaction.expiredRegistrations(at: now, limit: 100).map { record in
                _ = try transaction.removeRegistration(record.id)
                return RegistrationChange(before: record, after: nil)
            }
        }
        work.publish(file.name)
    }

    private func change(
        _ access: AdministerAccess, at now: Instant, _ body: @escaping @Sendable (WriteTransaction) throws -> [RegistrationChange]
    ) async throws {
        try await watchers.write(try broker.registry(access), at: now, body)
        work.publish(access.municipality)
    }

    /// A municipality that is not there can't be pointed at, and none points at itself.
    private func checkEndpoint(_ registration: Registration, _ access: AdministerAccess) async throws {
        guard case .municipality(let name) = registration.endpoint else { return }
        guard name != access.municipality else { throw CityError.badRequestData("endpoint: a municipality is no context source of its own") }
        guard name == .standard || broker.store.exists(name) else { throw CityError.badRequestData("endpoint: there is no municipality \(name)") }
    }

    private static func check(_ access: ReadAccess) throws(CityError) {
        guard access.principal != .anonymous else {
            throw .unauthenticated("Authorization: looking at registrations needs a bearer token with the right to read")
        }
    }

    private static func checkExpiry(_ registration: Registration, at now: Instant) throws(CityError) {
        guard registration.hasExpired(at: now) else { return }
        throw .badRequestData("expiresAt: is in the past")
    }

    private static func identifier(_ value: JSON?) throws(CityError) -> IRI {
        guard let value else {
            return IRI(known: "urn:ngsi-ld:ContextSourceRegistration:" + String(UInt64.random(in: .min ... .max), radix: 36) + String(UInt64.random(in: .min ... .max), radix: 36))
        }
        guard let id = value.stringValue.flatMap({ IRI($0) }) else { throw .badRequestData("id: a registration's id is a URI") }
        return id
    }

    private static func notFound(_ id: IRI) -> CityError { .resourceNotFound("there is no registration \(id)") }
}

extension RegistrationDocument {
    fileprivate mutating func apply(_ changed: JSONObject, removing removed: [String], at now: Instant) {
        for name in removed { members[name] = nil }
        for (name, value) in changed { members[name] = value }
        modifiedAt = now
    }
}

extension RegistrationRecord {
    fileprivate func isValid(at now: Instant) -> Bool { expiresAt.map { now < $0 } ?? true }
}
