internal import Cases
internal import CityModel
internal import Foundation
internal import Logging
internal import Mail
internal import ServiceLifecycle
internal import Store
internal import Trust

/// Sends the notices that wait in municipalities to those who follow cases. What it sends is put together at that moment; what can't be sent waits, longer
/// each time; what nobody takes is let go, and counted in the log without saying whose it was.
struct Noticing<Ticks: Clock>: Service where Ticks.Duration == Duration {
    let store: Store
    let gatekeeper: Gatekeeper
    let desk: CaseDesk
    let names: NoticeNames
    let sender: SMTPSender
    /// Where the pages are; nil as long as that is not known.
    let address: @Sendable () -> String?
    let ticks: Ticks
    let now: @Sendable () -> Instant
    let logger: Logger

    static var pause: Duration { .seconds(2) }
    /// Of one municipality before the next has its turn.
    private static var turnCount: Int { 50 }

    func run() async throws {
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            for file in store.openCityFiles where !Task.isShuttingDownGracefully { await send(file.name) }
            try? await cancelWhenGracefulShutdown { try await ticks.sleep(for: Self.pause) }
        }
    }

    private func send(_ municipality: MunicipalityName) async {
        guard let address = address() else { return }
        do {
            let access = try await gatekeeper.writing(municipality, .program)
            for notice in try await desk.dueNotices(access, names: names, address: address, limit: Self.turnCount, at: now()) {
                guard !Task.isShuttingDownGracefully else { return }
                try await desk.settle(notice, try await outcome(notice, municipality), access, at: now())
            }
        } catch {
            logger.error("notices can't be sent", metadata: ["municipality": "\(municipality)", "error": "\(error)"])
        }
    }

    private func outcome(_ notice: ReadyNotice, _ municipality: MunicipalityName) async throws -> NoticeOutcome {
        do {
            try await sender.send(try message(notice, municipality))
            return .sent
        } catch let fault as MailFault {
            logger.warning("a notice was not sent", metadata: ["municipality": "\(municipality)", "reason": "\(fault)"])
            return fault.remedy == .none ? .refused : .failed
        } catch {
            // An address, or words, of which no message can be made: nothing that waiting mends.
            logger.warning("a notice is no message", metadata: ["municipality": "\(municipality)", "reason": "\(error)"])
            return .refused
        }
    }

    private func message(_ notice: ReadyNotice, _ municipality: MunicipalityName) throws -> MailMessage {
        let from = sender.settings.sender
        func id(_ unique: String) -> MessageID? { MessageID(unique: unique, domain: from.domain) }
        let first = "case-\(municipality)-\(notice.reference)"
        guard let own = id("\(first)-\(notice.id)"), let thread = id(first) else { throw CityError.internalFault("the sender's domain makes no message identifier") }
        // Subjects are one line, whatever stands in a title.
        let subject = notice.subject.split(whereSeparator: \.isNewline).joined(separator: " ")
        return try MailMessage(
            from: from, named: names.municipality(notice.language), to: try MailAddress(notice.email), subject: subject, text: notice.text, at: now(), id: own,
            thread: .init(inReplyTo: thread, references: [thread]), unsubscribe: notice.link, language: notice.language)
    }
}
