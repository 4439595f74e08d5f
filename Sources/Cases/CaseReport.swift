package import CityModel
package import Services
package import Trust

/// What somebody reports, whichever way it comes in.
package struct CaseReport: Sendable {
    package var service: OfferedService
    package var answers: ServiceAnswers
    package var channel: CaseChannel
    package var contact: CaseContact
    package var attachments: [NewAttachment]
    /// Told to everybody who may see the case: where the place lies, as people say it.
    package var address: String?
    package var district: String?
    /// What was said besides the answers, for staff alone.
    package var remark: String?
    /// The name of this one form: filed again, it is the same case.
    package var formToken: String?
    /// The row of a table that it is: imported again, it is the same case, however long ago that was.
    package var row: CaseRow?
    /// Whether who left an e-mail address is told at once that it has come in.
    package var isAcknowledged = true
    /// Whether somebody has to look at it before it is public, whatever its service says.
    package var isHeldForReview = false
    /// When it was said, where that was before it was entered.
    package var requestedAt: Instant?

    package init(
        service: OfferedService, answers: ServiceAnswers, channel: CaseChannel, contact: CaseContact = .init(), attachments: [NewAttachment] = [],
        address: String? = nil, district: String? = nil, formToken: String? = nil, requestedAt: Instant? = nil
    ) {
        (self.service, self.answers, self.channel, self.contact, self.attachments) = (service, answers, channel, contact, attachments)
        (self.address, self.district, self.formToken, self.requestedAt) = (address, district, formToken, requestedAt)
    }
}

/// A row of a table by a source's identifier and the row's own key.
package struct CaseRow: Hashable, Sendable {
    package let source: String
    package let key: String
    package init(source: String, key: String) { (self.source, self.key) = (source, key) }

    /// Of what its digest is made. Identifiers of sources have no blanks in them.
    var name: String { "case row \(source) \(key)" }
}

/// How somebody is reached; all of it may be missing.
package struct CaseContact: Hashable, Sendable {
    package var name: String?
    package var email: String?
    package var telephone: String?
    /// A language's code.
    package var language: String
    package init(name: String? = nil, email: String? = nil, telephone: String? = nil, language: String = "en") {
        (self.name, self.email, self.telephone, self.language) = (name, email, telephone, language)
    }
}

extension CaseContact {
    /// Whether a text may be an e-mail address: something, `@` and a name with a dot; whether anybody is there, only sending tells.
    package static func isAddress(_ text: String) -> Bool { TextPattern.email.matches(text) && text.utf8.count <= 254 }
}

/// A photo that was made safe, or a file as it came.
package struct NewAttachment: Sendable {
    package let field: String
    package let mediaType: String
    package let name: String
    package let bytes: [UInt8]
    /// The picture for lists.
    package let small: [UInt8]?
    package init(field: String, mediaType: String, name: String = "", bytes: [UInt8], small: [UInt8]? = nil) {
        (self.field, self.mediaType, self.name, self.bytes, self.small) = (field, mediaType, name, bytes, small)
    }
}

/// A case that was filed, with the private link of whoever reported it.
package struct FiledCase: Hashable, Sendable {
    package let reference: CaseReference
    package let link: CaseLink
    /// Whether the form had been filed before: nothing was done.
    package let isRepeated: Bool
}
