package import Declarations
package import Query

/// The policy that a municipality begins with: the files of `policies/`.
package enum ShippedPolicy {
    /// In order.
    package static var names: [String] { ShippedFiles.names(in: "policies") }

    /// - Parameter name: within `policies`, such as `default.yaml`.
    package static func text(_ name: String) -> String? { ShippedFiles.text("policies/" + name) }

    package static var rules: Policies.File { file("default.yaml") }
    package static var tests: Policies.File { file("default.tests.yaml") }

    private static func file(_ name: String) -> Policies.File { .init(name: name, text: text(name) ?? "") }

    /// - Throws: `DeclarationError` when the program was built from files that are faulty, which a test keeps from happening.
    package static func purposes() throws(DeclarationError) -> Purposes {
        do { return try Purposes(parsing: text("purposes.yaml") ?? "") } catch { throw error.inFile("purposes.yaml") }
    }

    package static func policies(expand: @escaping NameExpansion) throws(DeclarationError) -> Policies {
        try Policies(files: [rules], purposes: purposes(), expand: expand)
    }
}
