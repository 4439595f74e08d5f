internal import CityModel
internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

/// Looks every few seconds, and when it is told to by SIGHUP, whether there is another certificate; and says every day when the one that is used is about to
/// end, or has ended.
struct CertificateWatch<Ticks: Clock>: Service where Ticks.Duration == Duration {
    let certificates: TLSCertificates
    let ticks: Ticks
    let now: @Sendable () -> Instant
    let logger: Logger

    static var pause: Duration { .seconds(5) }

    func run() async throws {
        var warnings = ExpiryWarnings()
        warn(&warnings)
        await withDiscardingTaskGroup { group in
            group.addTask { [warnings] in await look(warnings) }
            group.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() { reload(anyway: true) }
            }
        }
    }

    private func look(_ known: ExpiryWarnings) async {
        var warnings = known
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            try? await cancelWhenGracefulShutdown { try await ticks.sleep(for: Self.pause) }
            if reload(anyway: false) { warnings = ExpiryWarnings() }
            warn(&warnings)
        }
    }

    @discardableResult
    private func reload(anyway: Bool) -> Bool {
        do throws(TLSFault) {
            guard try certificates.reload(anyway: anyway) else { return false }
            logger.notice("new connections get the certificate as it is in its file now")
            return true
        } catch {
            logger.error("the certificate can't be read again, and the one before stays", metadata: ["fault": "\(error)"])
            return false
        }
    }

    private func warn(_ warnings: inout ExpiryWarnings) {
        switch warnings.due(certificates.validity, at: now()) {
        case .ended(let end): logger.error("the certificate has expired: clients refuse it", metadata: ["expired": "\(end)"])
        case .notYet(let begin): logger.error("the certificate is not valid yet: clients refuse it", metadata: ["validFrom": "\(begin)"])
        case .endsSoon(let end): logger.warning("the certificate expires soon", metadata: ["expires": "\(end)"])
        case nil: break
        }
    }
}

/// What is to be said of a certificate's validity: once a day, while there is something.
struct ExpiryWarnings {
    enum Warning: Equatable { case ended(Instant), notYet(Instant), endsSoon(Instant) }

    private var saidAt: Instant?

    /// Seconds before its end from which on it ends soon: certificates are usually renewed thirty days before.
    static let soonSeconds = 14.0 * 86_400
    private static let pauseSeconds = 86_400.0

    mutating func due(_ validity: ClosedRange<Instant>, at now: Instant) -> Warning? {
        guard let warning = Self.warning(validity, at: now), saidAt.map({ $0.adding(seconds: Self.pauseSeconds) <= now }) ?? true else { return nil }
        saidAt = now
        return warning
    }

    private static func warning(_ validity: ClosedRange<Instant>, at now: Instant) -> Warning? {
        if now > validity.upperBound { return .ended(validity.upperBound) }
        if now < validity.lowerBound { return .notYet(validity.lowerBound) }
        return now.adding(seconds: soonSeconds) > validity.upperBound ? .endsSoon(validity.upperBound) : nil
    }
}
