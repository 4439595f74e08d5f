package import CityModel
internal import Policy
internal import Store
package import Trust

/// Data about people is shown to nobody before the ledger says so. Reads that answer with entities or with their past go through `show`,
/// where the snapshot notes what they put into the answer (`ReadSnapshot.show`); what is not personal costs a comparison.
extension Broker {
    /// Reads for somebody, and accounts for what was shown of people.
    /// - Parameter isBrief: whether it is expected to take a moment only (`MunicipalityFile.readPromptly`).
    func show<Value: Sendable>(
        _ access: ReadAccess, at now: Instant, isBrief: Bool = false, _ body: @escaping @Sendable (ReadSnapshot) throws -> Value
    ) async throws -> Value {
        let file = try file(toRead: access)
        let read = { @Sendable (snapshot: ReadSnapshot) in
            let value = try body(snapshot)
            return (value, try snapshot.personalUse())
        }
        let (value, use) = try await isBrief ? file.readPromptly(read) : file.read(read)
        try await account(for: use, access, at: now)
        return value
    }

    func account(for use: PersonalUse, _ access: ReadAccess, at now: Instant) async throws {
        guard !use.isEmpty, let note = UseNote(use, access) else { return }
        try await store.account(for: note, in: access.municipality, at: now)
    }

    /// For those who read many entities to choose what they show: to be called with what they chose, before it is shown.
    /// - Parameter numbers: of entities that are personal.
    /// - Parameter hasFigures: whether others are in figures.
    package func account(
        forShown numbers: some Sequence<Int64> & Sendable, hasFigures: Bool = false, _ access: ReadAccess, at now: Instant
    ) async throws {
        let numbers = Array(numbers)
        guard !numbers.isEmpty || hasFigures else { return }
        _ = try await show(access, at: now) { snapshot in
            for number in numbers { snapshot.show(number, .personal) }
            snapshot.shown.hasFigures = hasFigures
        }
    }
}
