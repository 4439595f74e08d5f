internal import Broker
package import CityModel
internal import Services
internal import Store
package import Trust

/// A notice as it is to be sent: to whom, and what it says. It is put together when it is sent, of what its receiver may see then.
package struct ReadyNotice: Sendable {
    package let id: Int64
    package let email: String
    package let language: String
    package let subject: String
    package let text: String
    /// Where the receiver follows the case.
    package let link: String
    package let reference: CaseReference
    package let attemptCount: Int
}

/// How an attempt to send a notice ended.
package enum NoticeOutcome: Hashable, Sendable {
    case sent
    /// It is tried again later, a few times.
    case failed
    /// It can't be delivered, whatever is tried.
    case refused
}

/// Notices to those who follow cases. What waits is in the municipality's file (`WaitingNotice`), and says nothing about anybody.
extension CaseDesk {
    package static let attemptCountMax = 8

    /// Notices that are due, with what they say. Those that nobody can be told any more are removed.
    /// - Parameter address: where the pages are, such as `https://city.example`.
    package func dueNotices(
        _ access: WriteAccess, names: NoticeNames, address: String, limit: Int, at now: Instant
    ) async throws -> [ReadyNotice] {
        var ready: [ReadyNotice] = []
        for waiting in try await broker.dueNotices(access, limit: limit, at: now) {
            if let notice = try await notice(waiting, access, names, address: address, at: now) { ready.append(notice) } else {
                try await broker.finishNotice(waiting.id, access)
            }
        }
        return ready
    }

    /// To be told how sending it ended.
    package func settle(_ notice: ReadyNotice, _ outcome: NoticeOutcome, _ access: WriteAccess, at now: Instant) async throws {
        guard outcome == .failed, notice.attemptCount + 1 < Self.attemptCountMax else { return try await broker.finishNotice(notice.id, access) }
        // A minute, then twice as long each time: two hours in all.
        try await broker.postponeNotice(notice.id, until: now.adding(seconds: 60 * Double(1 << notice.attemptCount)), access)
    }

    private func notice(
        _ waiting: WaitingNotice, _ access: WriteAccess, _ names: NoticeNames, address: String, at now: Instant
    ) async throws -> ReadyNotice? {
        guard let contact = try await broker.retrieve([waiting.contact], access.reading, at: now).first, let email = contact.text(CaseTerm.email),
            let key = CaseType.contact.key(of: contact.id),
            let reference = contact.target(CaseTerm.request).flatMap(CaseType.request.key).flatMap(CaseReference.init)
        else { return nil }
        let shown = try await shown(reference, access.reading, at: now)
        let isReporter = contact.id == reference.reporter
        // Who follows what is public no more is told nothing.
        let classification = try await broker.classification(of: reference.request, access.reading)
        guard isReporter || classification == .open else { return nil }
        let language = contact.text(CaseTerm.language) ?? "en"
        let link = "\(address)/cases/\(access.municipality).\(try await broker.link(to: key, access.reading).text)"
        let words = NoticeWords(shown: shown, occasion: waiting.occasion, language: language, link: link, names: names)
        return ReadyNotice(
            id: waiting.id, email: email, language: language, subject: words.subject, text: words.text, link: link, reference: reference,
            attemptCount: waiting.attemptCount)
    }
}

/// The texts of notices for which a service has none of its own, and what steps are called that all services have.
package struct NoticeNames: Sendable {
    package let municipality: @Sendable (_ language: String) -> String
    /// - Parameter occasion: `received`, `answered`, `transferred`, `merged`, `reopened` or `step`.
    package let subject: @Sendable (_ occasion: String, _ language: String) -> String
    package let text: @Sendable (_ occasion: String, _ language: String) -> String
    /// What stands under each: how no more are sent.
    package let footer: @Sendable (_ language: String) -> String
    package let step: @Sendable (_ step: String, _ language: String) -> String

    package init(
        municipality: @escaping @Sendable (String) -> String, subject: @escaping @Sendable (String, String) -> String,
        text: @escaping @Sendable (String, String) -> String, footer: @escaping @Sendable (String) -> String,
        step: @escaping @Sendable (String, String) -> String
    ) { (self.municipality, self.subject, self.text, self.footer, self.step) = (municipality, subject, text, footer, step) }
}

/// A notice's words, with its slots filled.
private struct NoticeWords {
    let subject: String
    let text: String

    init(shown: ShownCase, occasion: String, language: String, link: String, names: NoticeNames) {
        let definition = shown.service.definition
        let own = NoticeOccasion(occasion).flatMap { definition.notices[$0] }
        let common = occasion.hasPrefix("step.") ? "step" : occasion
        let slots = [
            "reference": shown.reference.shown, "service": definition.title[language], "link": link, "municipality": names.municipality(language),
            "status": shown.step?.title[language] ?? names.step(shown.request.text(CaseTerm.step) ?? "", language),
            "answer": shown.request.text(CaseTerm.answer) ?? "",
        ]
        let words = (own ?? Self.common(common, language, names)).filled(language: language, with: slots)
        let footer = names.footer(language).replacing("{reference}", with: shown.reference.shown)
        (subject, text) = (words.subject, Self.withoutEmptyLines(words.text) + "\n\n" + footer + "\n")
    }

    private static func common(_ occasion: String, _ language: String, _ names: NoticeNames) -> NoticeText {
        NoticeText(
            subject: LocalizedText(names.subject(occasion, language), language: language), text: LocalizedText(names.text(occasion, language), language: language))
    }

    /// Where nothing was said, no gap stands for it.
    private static func withoutEmptyLines(_ text: String) -> String { text.replacing(/\n{3,}/, with: "\n\n") }
}
