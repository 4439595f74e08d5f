package import ServiceLifecycle

/// A service that is told by a word. A group of services keeps the description of each for its log, which otherwise is all that it holds, passwords of mail servers among it, and
/// takes a quarter of a start to write.
package struct NamedService: Service, CustomStringConvertible {
    package let description: String
    private let service: any Service

    package init(_ name: String, _ service: any Service) { (description, self.service) = (name, service) }

    package func run() async throws { try await service.run() }
}
