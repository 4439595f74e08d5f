/// What is wrong with a file that people write: where, and what would be right.
package struct DeclarationError: Error, Hashable, Sendable {
    /// The name of the file, where there are several.
    package var file: String?
    /// From 1.
    package let line: Int
    /// The path of the key at fault, such as `rules[2].who.roles[0]`; empty for the file as a whole.
    package let key: String
    package let reason: String

    package init(file: String? = nil, line: Int, key: String, reason: String) {
        (self.file, self.line, self.key, self.reason) = (file, line, key, reason)
    }

    package func inFile(_ name: String) -> DeclarationError {
        DeclarationError(file: name, line: line, key: key, reason: reason)
    }
}

extension DeclarationError: CustomStringConvertible {
    package var description: String {
        (file.map { "\($0), " } ?? "") + "line \(line): " + (key.isEmpty ? "" : "\(key): ") + reason
    }
}
