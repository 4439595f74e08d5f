internal import CityModel
internal import Query

/// Reads one answer as a question of some kind needs it.
struct AnswerReader {
    struct Fault: Error {
        let reason: AnswerFault.Reason
        init(_ reason: AnswerFault.Reason) { self.reason = reason }
    }

    let kind: ServiceField.Kind
    let today: CivilDay

    /// - Returns: nil without an answer.
    func answer(_ raw: [String]) throws(Fault) -> ServiceAnswers.Answer? {
        var texts: [String] = []
        for text in raw {
            let text = AnswerText.normalised(text)
            guard !text.unicodeScalars.contains(where: AnswerText.isControl) else { throw Fault(.controlCharacter) }
            if !text.isEmpty { texts.append(text) }
        }
        switch kind {
        case .text(let lineCount, let countMax, let pattern): return try single(texts).map { text throws(Fault) in try self.text(text, lineCount, countMax, pattern) }
        case .number(let range): return try single(texts).map { text throws(Fault) in .number(try number(text, range)) }
        case .choice(let choices, let several): return try self.choices(texts, among: choices, several: several)
        case .date(let range): return try single(texts).map { text throws(Fault) in .date(try date(text, range)) }
        case .place: return try place(texts)
        case .consent: return try single(texts).flatMap { text throws(Fault) in try consent(text) }
        case .entity: return try single(texts).map { text throws(Fault) in .entity(try entity(text)) }
        case .photo, .file: return nil
        }
    }

    func uploads(_ count: Int) throws(Fault) -> ServiceAnswers.Answer? {
        guard count > 0 else { return nil }
        switch kind {
        case .photo(let countMax), .file(_, let countMax):
            guard count <= countMax else { throw Fault(.tooMany(countMax: countMax)) }
            return .uploads(count)
        case .text, .number, .choice, .date, .place, .consent, .entity: return nil
        }
    }

    private func single(_ texts: [String]) throws(Fault) -> String? {
        guard texts.count <= 1 else { throw Fault(.tooMany(countMax: 1)) }
        return texts.first
    }

    private func text(_ text: String, _ lineCount: Int, _ countMax: Int, _ pattern: TextPattern?) throws(Fault) -> ServiceAnswers.Answer {
        let text = lineCount > 1 ? text : AnswerText.oneLine(text)
        guard text.unicodeScalars.count <= countMax else { throw Fault(.tooLong(countMax: countMax)) }
        guard let pattern else { return .text(text) }
        let plain = AnswerText.withASCIIDigits(text)
        guard pattern.matches(plain) else { throw Fault(.pattern(pattern)) }
        return .text(plain)
    }

    private func number(_ text: String, _ range: ServiceField.Range) throws(Fault) -> Double {
        guard let number = AnswerText.number(text) else { throw Fault(.notANumber) }
        if range.isWhole, number != number.rounded() { throw Fault(.notWhole) }
        if let minimum = range.minimum, number < minimum { throw Fault(.below(minimum)) }
        if let maximum = range.maximum, number > maximum { throw Fault(.above(maximum)) }
        return number
    }

    private func choices(_ texts: [String], among choices: [ServiceField.Choice], several: Bool) throws(Fault) -> ServiceAnswers.Answer? {
        let chosen = Set(texts)
        guard chosen.isSubset(of: choices.map(\.id)) else { throw Fault(.unknownChoice) }
        guard several || chosen.count <= 1 else { throw Fault(.tooMany(countMax: 1)) }
        return chosen.isEmpty ? nil : .choices(choices.map(\.id).filter(chosen.contains))
    }

    private func date(_ text: String, _ range: ServiceField.DateRange) throws(Fault) -> CivilDay {
        guard let day = CivilDay(AnswerText.withASCIIDigits(text)) else { throw Fault(.notADate) }
        switch range {
        case .any: break
        case .past: if day.number > today.number { throw Fault(.notPast) }
        case .future: if day.number < today.number { throw Fault(.notFuture) }
        }
        return day
    }

    /// What has no letters is meant as coordinates.
    private func place(_ texts: [String]) throws(Fault) -> ServiceAnswers.Answer? {
        let isAddress: (String) -> Bool = { $0.unicodeScalars.contains { $0.properties.isAlphabetic } }
        let coordinates = texts.filter { !isAddress($0) }, addresses = texts.filter(isAddress)
        guard coordinates.count <= 1, addresses.count <= 1 else { throw Fault(.notAPlace) }
        let address = addresses.first.map(AnswerText.oneLine)
        if let address, address.unicodeScalars.count > ServiceDefinition.addressCountMax { throw Fault(.tooLong(countMax: ServiceDefinition.addressCountMax)) }
        let found = try coordinates.first.map { text throws(Fault) in try self.coordinates(text) }
        return ServiceAnswers.Place(coordinates: found, address: address).map { .place($0) }
    }

    /// `latitude,longitude` in degrees, as clients of Open311 say them.
    private func coordinates(_ text: String) throws(Fault) -> ServiceAnswers.Place.Coordinates {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { AnswerText.number(AnswerText.trimmed(String($0))) }
        guard parts.count == 2, let latitude = parts[0], let longitude = parts[1], (-90...90).contains(latitude), (-180...180).contains(longitude) else {
            throw Fault(.notAPlace)
        }
        return .init(latitude: latitude, longitude: longitude)
    }

    private func consent(_ text: String) throws(Fault) -> ServiceAnswers.Answer? {
        switch text.lowercased() {
        case "yes", "true", "on", "1": return .consent
        case "no", "false", "off", "0": return nil
        default: throw Fault(.unknownChoice)
        }
    }

    private func entity(_ text: String) throws(Fault) -> IRI {
        guard let id = IRI(text) else { throw Fault(.notAnIdentifier) }
        return id
    }
}
