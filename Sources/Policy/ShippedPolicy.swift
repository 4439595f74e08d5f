internal import CPolicyFiles
package import Declarations
package import Query

/// The policy that a municipality begins with: the files of `policies/`, which are part of the program (target `CPolicyFiles`).
package enum ShippedPolicy {
    private static let files: [String: String] = {
        var files: [String: String] = [:]
        for index in 0..<conurb_policy_file_count() {
            let file = conurb_policy_file_at(index)
            guard let name = file.name, let bytes = file.bytes else { continue }
            files[String(cString: name)] = String(decoding: UnsafeBufferPointer(start: bytes, count: file.count), as: UTF8.self)
        }
        return files
    }()

    /// In order.
    package static var names: [String] { files.keys.sorted() }

    /// - Parameter name: within `policies`, such as `default.yaml`.
    package static func text(_ name: String) -> String? { files[name] }

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
