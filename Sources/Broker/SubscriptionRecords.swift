internal import CityModel
package import Store
package import Trust

/// The way from the room `Subscriptions` into a municipality's file.
extension Broker {
    package func readSubscriptions<Value: Sendable>(
        _ access: WriteAccess, _ body: @escaping @Sendable (ReadSnapshot) throws -> Value
    ) async throws -> Value {
        try await file(toRead: access.reading).read(body)
    }

    /// One write: durable when it returns, nothing done when `body` throws.
    package func writeSubscriptions<Value: Sendable>(
        _ access: WriteAccess, _ body: @escaping @Sendable (WriteTransaction) throws -> Value
    ) async throws -> Value {
        try await file(toWrite: access).write(body)
    }
}
