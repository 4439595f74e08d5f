internal import CDeclarationFiles

/// The files in YAML that come with the program (target `CDeclarationFiles`): the policy that a municipality begins with, and services as examples.
package enum ShippedFiles {
    private static let files: [String: String] = {
        var files: [String: String] = [:]
        for index in 0..<conurb_declaration_file_count() {
            let file = conurb_declaration_file_at(index)
            guard let name = file.name, let bytes = file.bytes else { continue }
            files[String(cString: name)] = String(decoding: UnsafeBufferPointer(start: bytes, count: file.count), as: UTF8.self)
        }
        return files
    }()

    /// The names of the files of a folder, such as `default.yaml` of `policies`; in order.
    package static func names(in folder: String) -> [String] {
        files.keys.filter { $0.hasPrefix(folder + "/") }.map { String($0.dropFirst(folder.count + 1)) }.sorted()
    }

    /// - Parameter path: such as `policies/default.yaml`.
    package static func text(_ path: String) -> String? { files[path] }
}
