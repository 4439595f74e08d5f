internal import CityModel
internal import OrderedCollections
internal import Store

/// A registration as the file has it, and what of it is kept with every copy.
struct CopySource {
    let registration: Registration
    /// Enough to change the copy and to take it back when the registration is another one, or gone.
    let kept: JSON

    private static let keptMembers: Set<String> = ["endpoint", "tenant", "contextSourceInfo", "operations", "management", "localOnly"]
    /// A registration says what the source has; of whom is told to take something back it does not matter.
    private static let anything: JSON = [["propertyNames": ["urn:ngsi-ld:anything"]]]

    init(_ record: RegistrationRecord) throws {
        registration = try Registration(record)
        var document = try RegistrationDocument(record.body)
        document.members = document.members.filter { Self.keptMembers.contains($0.key) }
        document.members["information"] = Self.anything
        (document.createdAt, document.modifiedAt) = (Instant(microseconds: 0), Instant(microseconds: 0))
        kept = document.json
    }

    /// Whether a copy lies there: a registration that is moved has to be told anew.
    func isPlace(of record: PassedOnRecord) -> Bool {
        guard let kept = try? Self.registration(of: record) else { return false }
        return (kept.endpoint, kept.tenant) == (registration.endpoint, registration.tenant)
    }

    /// The registration as far as it is kept.
    static func registration(of record: PassedOnRecord) throws -> Registration {
        try Registration(RegistrationRecord(id: record.registration, body: record.source, expiresAt: nil))
    }
}
