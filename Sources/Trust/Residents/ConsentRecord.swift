internal import CityModel
internal import OrderedCollections
internal import Policy

/// A record of consent, shaped after ISO/IEC TS 27560:2023 (clause 6.3): what it is a record of, what is processed and what for, who the
/// parties are, and what happened to it. Withdrawing adds an event; giving again makes a new record.
enum ConsentRecord {
    /// Clause 6.3.2: which edition of the specification it follows.
    private static let schemaVersion = "ISO/IEC TS 27560:2023"

    /// - Parameter language: of the page on which it was given.
    static func given(
        _ id: String, by subject: String, _ purpose: Purposes.Purpose, iri: String, to municipality: MunicipalityName, language: String, at now: Instant
    ) -> JSON {
        let event = event("consent-given", by: subject, at: now)
        return [
            "schema_version": .string(schemaVersion), "record_id": .string(id), "pii_principal_id": .string(subject),
            "pii_processing": [
                "privacy_notice": ["reference": "/account/data", "language": .string(language)],
                "purposes": [
                    [
                        "purpose": .string(iri), "purpose_type": .string(purpose.id), "purpose_description": .string(purpose.title),
                        "lawful_basis": "https://w3id.org/dpv#Consent", "pii_information": [["pii_type": "https://w3id.org/dpv#PersonalData", "sensitivity": "as classified"]],
                        "pii_controllers": [.string(municipality.text)], "processing_methods": ["https://w3id.org/dpv#Use"], "withdrawal_method": "/account/data",
                    ]
                ],
            ],
            "party_identification": [["party_id": .string(municipality.text), "party_type": "https://w3id.org/dpv#DataController", "party_name": .string(municipality.text)]],
            "event": [event],
        ]
    }

    /// The same with the withdrawal.
    static func withdrawn(_ record: JSON, by subject: String, at now: Instant) -> JSON {
        guard case .object(var members) = record else { return record }
        members["event"] = .array((members["event"]?.arrayValue ?? []) + [event("consent-withdrawn", by: subject, at: now)])
        return .object(members)
    }

    private static func event(_ state: String, by subject: String, at now: Instant) -> JSON {
        ["event_time": .string(now.description), "event_state": .string(state), "entity_id": .string(subject), "method": "form on the page /account/data, signed in"]
    }
}
