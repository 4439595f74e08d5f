package import CityModel
internal import Store
internal import Synchronization

/// On which day tokens were shown last. Noted in memory, once a day for each, and written by and by: a request never waits for it.
final class TokenUses: Sendable {
    /// By municipality and digest of the token.
    private let noted = Mutex<[MunicipalityName: [String: String]]>([:])

    func note(_ token: Token, in municipality: MunicipalityName, at now: Instant) {
        let day = Self.day(now)
        guard token.lastUsedOn != day else { return }
        noted.withLock { $0[municipality, default: [:]][token.digest] = day }
    }

    func take() -> [MunicipalityName: [String: String]] {
        noted.withLock { noted in
            defer { noted = [:] }
            return noted
        }
    }

    static func day(_ now: Instant) -> String { String(now.description.prefix(10)) }
}

extension Gatekeeper {
    /// Writes on which day tokens were used last. To be called now and then, and at the end.
    package func writeTokenUses(at now: Instant) async throws {
        for (municipality, days) in uses.take() where store.exists(municipality) {
            try await store.file(municipality).write { transaction in
                for (digest, day) in days {
                    // One that was revoked meanwhile stays so.
                    guard let token = try transaction.document(.token, digest).flatMap(Token.init), token.lastUsedOn != day else { continue }
                    try transaction.put(.token, digest, token.used(on: day).json, at: now)
                }
            }
        }
    }
}
