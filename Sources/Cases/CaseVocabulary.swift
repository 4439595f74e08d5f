package import CityModel

/// What cases are called as entities. A case is three of them, since not everybody may see all of it; each follower adds one.
///
/// - `Open311ServiceRequest` (Smart Data Models): the case itself, open once it is public and internal before.
/// - `ServiceRequestFile`: how it is worked on, internal.
/// - `ServiceRequestDossier`: what the resident said that is not for everybody, and what staff noted; personal.
/// - `ServiceRequestContact`: how somebody who follows it is reached; personal, one for each.
package enum CaseType: String, CaseIterable, Sendable {
    case request = "Open311ServiceRequest"
    case file = "ServiceRequestFile"
    case dossier = "ServiceRequestDossier"
    case contact = "ServiceRequestContact"

    package var iri: IRI { .plain(rawValue) }

    /// - Parameter key: of a case its reference, of a contact its own.
    package func id(_ key: String) -> IRI { IRI(known: "urn:ngsi-ld:\(rawValue):\(key)") }

    /// What an identifier ends with, where it is one of this type.
    package func key(of id: IRI) -> String? {
        let prefix = "urn:ngsi-ld:\(rawValue):"
        return id.text.hasPrefix(prefix) ? String(id.text.dropFirst(prefix.utf8.count)) : nil
    }
}

extension IRI {
    static func plain(_ name: String) -> IRI { IRI(known: IRI.defaultContextNamespace + name) }
}

/// Attributes of a case. Names with underscores are those of Open311 GeoReport v2.
package enum CaseTerm {
    // Of the case.
    package static let reference = IRI.plain("service_request_id")
    package static let serviceCode = IRI.plain("service_code")
    package static let serviceName = IRI.plain("service_name")
    /// With which version of its definition it began.
    package static let serviceVersion = IRI.plain("serviceVersion")
    /// This and `status` are terms of the NGSI-LD core context, so they are what clients and sources write by these names.
    package static let description = IRI(known: "http://purl.org/dc/terms/description")
    /// `open`, `inProgress`, `closed`, for everybody who knows no steps.
    package static let status = IRI(known: IRI.ngsildNamespace + "status")
    /// The step of its service that it is in, or one of `CaseStep`.
    package static let step = IRI.plain("step")
    /// The last that was said in public.
    package static let answer = IRI.plain("status_notes")
    package static let requestedAt = IRI.plain("requested_datetime")
    package static let updatedAt = IRI.plain("updated_datetime")
    package static let expectedAt = IRI.plain("expected_datetime")
    /// Until when somebody should have said something.
    package static let answerExpectedAt = IRI.plain("answerExpected_datetime")
    package static let answeredAt = IRI.plain("answered_datetime")
    package static let closedAt = IRI.plain("closed_datetime")
    /// Whether it was closed because it was done.
    package static let isDone = IRI.plain("isDone")
    package static let department = IRI.plain("agency_responsible")
    package static let address = IRI.plain("address_string")
    package static let district = IRI.plain("district")
    /// As Smart Data Models have it; of imported cases, where there is no `district`.
    package static let neighbourhood = IRI.plain("neighbourhood")
    package static let mediaURL = IRI.plain("media_url")
    package static let channel = IRI.plain("channel")
    /// The thing that it is about.
    package static let concerns = IRI.plain("concerns")
    package static let duplicateOf = IRI.plain("duplicateOf")
    /// How many follow it, whoever reported it among them.
    package static let followerCount = IRI.plain("followerCount")
    package static let answers = IRI.plain("answers")

    // Of the file.
    package static let request = IRI.plain("refersToRequest")
    package static let assignee = IRI.plain("assignee")
    /// `waiting`, `public`, `withheld`.
    package static let review = IRI.plain("review")
    package static let withheldReason = IRI.plain("withheldReason")
    package static let appeal = IRI.plain("appeal")
    /// From 1 to 5, by who reported it.
    package static let rating = IRI.plain("rating")
    /// The keys of the contacts that follow the case: their entities are sealed, and found by no index.
    package static let followers = IRI.plain("followers")
    /// Until when is kept who reported it, and until when the case itself; only of what is closed.
    package static let contactUntil = IRI.plain("contactKeptUntil")
    package static let caseUntil = IRI.plain("caseKeptUntil")
    /// The municipality that goes on with it.
    package static let transferredTo = IRI.plain("transferredTo")
    package static let reopenedCount = IRI.plain("reopenedCount")

    // Of the dossier.
    package static let note = IRI.plain("note")
    package static let author = IRI.plain("author")

    /// The private page of the case where it goes on.
    package static let continuedAt = IRI.plain("continuedAt")

    // Of contacts.
    package static let name = IRI.plain("name")
    package static let email = IRI.plain("email")
    package static let telephone = IRI.plain("telephone")
    package static let language = IRI.plain("preferredLanguage")
}

/// Steps that every service has besides its own: both are ends.
package enum CaseStep {
    /// It is told of together with another.
    package static let merged = "merged"
    /// Another municipality goes on with it.
    package static let transferred = "transferred"
}

/// By which way a case came in, so that nobody is left out of the figures. The raw values stand in entities.
package enum CaseChannel: String, Hashable, Sendable, CaseIterable {
    case web, text, open311, phone, paper, counter, spreadsheet
}
