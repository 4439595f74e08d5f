import Cases
import CityModel
import Door
import HTTPTypes
import Logging
import NIOCore
@testable import Open311
import Services
import Trust

enum Example {
    static let lamp = """
        id: street-light
        title: {en: Street light, fr: Éclairage public}
        keywords: [lamp, dark]
        fields:
          - {id: place, label: {en: Where?, fr: 'Where?'}, type: place, required: true}
          - {id: fault, label: {en: What is wrong?, fr: 'What is wrong?'}, type: choice, required: true, public: true, choices: [{id: out, label: {en: It is out, fr: 'It is out'}}, {id: flickers, label: {en: It flickers, fr: 'It flickers'}}]}
          - {id: since, label: {en: Since when?, fr: 'Since when?'}, type: date, when: past}
          - {id: why, label: {en: Why?, fr: 'Why?'}, type: text, asked: {field: fault, is: flickers}, required: true}
          - {id: photos, label: {en: Photos, fr: 'Photos'}, type: photo, maxCount: 1}
          - {id: description, label: {en: What else?, fr: 'What else?'}, type: text, lines: 4, maxLength: 1000, public: true}
        departments: [{department: Lights}]
        steps:
          - {id: new, title: {en: Received, fr: 'Received'}, phase: open, next: [ordered, done, declined]}
          - {id: ordered, title: {en: Ordered, fr: Commandé}, phase: working, next: [declined, done]}
          - {id: done, title: {en: Mended, fr: 'Mended'}, phase: closed, done: true, next: [ordered]}
          - {id: declined, title: {en: Declined, fr: 'Declined'}, phase: closed, needsAnswer: true}
        calendar: {zone: Europe/Paris, hours: {weekdays: '08:30-17:00'}}
        notices:
          received: {subject: {en: Thank you, fr: Merci}, text: {en: '{service} {reference}: {link}', fr: '{service} {reference}'}}
        public: {when: atOnce, place: exact, photos: reviewed}
        """

    static func definition() throws -> ServiceDefinition { try ServiceDefinition(parsing: lamp) }
    static let now = Instant("2026-03-01T12:00:00Z")!

    static func request(_ query: String) throws -> DoorRequest {
        DoorRequest(
            method: .get, path: "/open311/v2/requests.json", headers: [:], authority: "city.example", query: try QueryParameters(query[...]), pathParameters: [:], credential: .none,
            now: now, content: .collected(ByteBuffer()), logger: Logger(label: "test"))
    }

    static func language(_ code: String? = nil) throws -> AnswerLanguage { try AnswerLanguage(code) }
}
