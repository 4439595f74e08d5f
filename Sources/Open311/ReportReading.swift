internal import Cases
internal import CityModel
internal import Door
internal import Query
internal import Services

/// A form as a report to one service, or all that is wrong with it.
struct ReportReading {
    let fields: PostedFields
    let definition: ServiceDefinition
    let language: AnswerLanguage
    let limits: Open311Limits

    private(set) var answers = ServiceAnswers()
    private(set) var contact = CaseContact()
    private(set) var address: String?
    /// What no question of the service asks for.
    private(set) var remark: String?
    private var faults: [String] = []

    private static let mediaURL = "media_url"
    private static let nameCountMax = 200, telephoneCountMax = 40, urlCountMax = 2000, urlsMax = 10

    /// - Parameter now: the day of which it is decides what lies in the past.
    /// - Throws: `Open311Fault` with everything that is wrong.
    init(_ fields: PostedFields, _ definition: ServiceDefinition, _ language: AnswerLanguage, _ limits: Open311Limits, at now: Instant) throws(Open311Fault) {
        (self.fields, self.definition, self.language, self.limits) = (fields, definition, language, limits)
        readContact()
        let texts = texts()
        let uploads = readUploads()
        let zone = CivilZone(definition.calendar.zone) ?? .utc
        do throws(AnswerFaults) {
            answers = try definition.answers(to: texts, uploads: uploads, today: zone.day(of: now))
        } catch {
            faults += error.faults.compactMap { $0.field == definition.placeField?.id && hasPlaceFault ? nil : $0.words(name(of: $0.field)) }
        }
        guard faults.isEmpty else { throw Open311Fault(faults) }
    }

    /// By which parameter a question is answered.
    private func name(of field: String) -> String {
        if field == definition.placeField?.id { return "lat, long, address_string" }
        if field == definition.descriptionField?.id { return "description" }
        if field == definition.photoField?.id { return "media" }
        return "attribute[\(field.prefix(60))]"
    }

    // MARK: Answers

    private mutating func texts() -> [String: [String]] {
        var texts = fields.attributes
        for field in definition.fields {
            if case .date = field.kind { texts[field.id] = texts[field.id]?.map { day($0) } }
            guard field.isUploaded, texts.removeValue(forKey: field.id) != nil else { continue }
            faults.append("attribute[\(field.id)]: a file in multipart/form-data is needed; addresses of files are not fetched")
        }
        var remarks: [String] = []
        if let description = fields["description"] {
            if description.count > limits.descriptionCountMax { faults.append("description has more than \(limits.descriptionCountMax) characters") }
            if let field = definition.descriptionField { texts[field.id, default: []].append(description) } else { remarks.append(SaidText.cleaned(description)) }
        }
        let urls = fields.all(Self.mediaURL)
        if urls.count > Self.urlsMax { faults.append("\(Self.mediaURL) stands more than \(Self.urlsMax) times") }
        for url in urls.prefix(Self.urlsMax) {
            if url.utf8.count > Self.urlCountMax { faults.append("\(Self.mediaURL) has more than \(Self.urlCountMax) bytes") }
            if isAsked(Self.mediaURL) { texts[Self.mediaURL, default: []].append(url) } else { remarks.append("\(Self.mediaURL): \(SaidText.cleaned(url))") }
        }
        remark = remarks.isEmpty ? nil : remarks.joined(separator: "\n")
        readPlace(&texts)
        return texts
    }

    /// Whether a text of that name is one of the questions.
    private func isAsked(_ field: String) -> Bool { definition.field(field).map { if case .text = $0.kind { true } else { false } } ?? false }

    /// The standard has moments where a service asks for a day.
    private func day(_ text: String) -> String {
        guard let moment = Instant(text) else { return text }
        let zone = CivilZone(definition.calendar.zone) ?? .utc
        return String(zone.text(moment).prefix(10))
    }

    // MARK: Where it is

    private var hasPlaceFault = false

    private mutating func readPlace(_ texts: inout [String: [String]]) {
        address = fields["address_string"].map { SaidText.cleaned($0) }.flatMap { $0.isEmpty ? nil : $0 }
        if let address, address.unicodeScalars.count > ServiceDefinition.addressCountMax {
            placeFault("address_string has more than \(ServiceDefinition.addressCountMax) characters")
        }
        let (latitude, longitude) = (degrees("lat", in: -90...90), degrees("long", in: -180...180))
        if (fields["lat"] == nil) != (fields["long"] == nil) { placeFault("lat, long: both are needed") }
        // A service that is nowhere takes no place.
        guard let field = definition.placeField else { return }
        if let latitude, let longitude { texts[field.id, default: []].append("\(latitude),\(longitude)") }
        // What has no letters would be taken for degrees.
        if let address, address.unicodeScalars.contains(where: \.properties.isAlphabetic) { texts[field.id, default: []].append(address) }
        guard texts[field.id] == nil, !hasPlaceFault, field.asked == nil else { return }
        if fields["address_id"] != nil {
            placeFault("address_id: no register of addresses is kept here; lat and long, or address_string, are needed")
        } else {
            placeFault("lat, long, address_string: a place is needed")
        }
    }

    private mutating func placeFault(_ words: String) {
        hasPlaceFault = true
        faults.append(words)
    }

    private mutating func degrees(_ name: String, in range: ClosedRange<Double>) -> Double? {
        guard let text = fields[name] else { return nil }
        guard let number = Double(text), range.contains(number) else {
            placeFault("\(name) is not a number between \(Int(range.lowerBound)) and \(Int(range.upperBound))")
            return nil
        }
        return number
    }

    // MARK: Photos, and who it is

    private mutating func readUploads() -> [String: Int] {
        var counts: [String: Int] = [:]
        for part in fields.files {
            if let field = PostedFields.field(ofFile: part.name, definition) { counts[field.id, default: 0] += 1 } else {
                let known = definition.fields.filter(\.isUploaded).map { "attribute[\($0.id)]" }
                faults.append("\(part.name.prefix(60)): this service takes \(known.isEmpty ? "no photos or files" : "files called media, \(known.joined(separator: ", "))")")
            }
        }
        return counts
    }

    private mutating func readContact() {
        func text(_ name: String) -> String? { fields[name].map { SaidText.cleaned($0) }.flatMap { $0.isEmpty ? nil : $0 } }
        let name = [text("first_name"), text("last_name")].compactMap { $0 }.joined(separator: " ")
        if name.count > Self.nameCountMax { faults.append("first_name, last_name: more than \(Self.nameCountMax) characters") }
        let (email, phone) = (text("email"), text("phone"))
        if let email, !TextPattern.email.matches(email) { faults.append("email is not an e-mail address") }
        if let phone, phone.utf8.count > Self.telephoneCountMax || !TextPattern.telephone.matches(phone) { faults.append("phone is not a telephone number") }
        contact = CaseContact(name: name.isEmpty ? nil : name, email: email, telephone: phone, language: language.known(for: definition))
    }
}
