package import CityModel
internal import Store
package import Trust

/// What somebody keeps of the desk under their own name. Nobody else's is reached by this way.
extension Broker {
    /// Nil where nothing is kept.
    package func deskViews(_ signedIn: SignedIn) async throws -> JSON? {
        let account = signedIn.account.id
        return try await store.file(signedIn.municipality).read { try $0.deskViews(of: account) }
    }

    /// Puts what `change` makes of what is kept in its place; of two who do so at once the second changes what the first has made.
    /// - Throws: `forbidden` where the account has gone meanwhile; what `change` throws, and then nothing is changed.
    package func changeDeskViews(_ signedIn: SignedIn, _ change: @escaping @Sendable (JSON?) throws -> JSON?) async throws {
        let account = signedIn.account.id
        try await store.file(signedIn.municipality).write { transaction in
            guard try transaction.account(account) != nil else { throw CityError.forbidden("the account is not to be used any more") }
            try transaction.putDeskViews(try change(try transaction.deskViews(of: account)), of: account)
        }
    }
}
