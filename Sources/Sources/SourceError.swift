/// Why a source could not be used at all. What is wrong with a single record is a `Finding` and ends nothing.
public enum SourceError: Error, Hashable, Sendable {
    /// The definition is wrong. `key` is the path of the key at fault (`attributes.name.unit`), `line` counts from 1.
    case definition(line: Int, key: String, reason: String)
    /// The data cannot be read any further. `line` counts from 1 in the decoded text.
    case input(line: Int, reason: String)
    /// The file cannot be opened or read.
    case unreadable(path: String, reason: String)
}

extension SourceError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .definition(let line, "", let reason): "line \(line): \(reason)"
        case .definition(let line, let key, let reason): "line \(line): \(key): \(reason)"
        case .input(let line, let reason): "line \(line): \(reason)"
        case .unreadable(let path, let reason): "\(path): \(reason)"
        }
    }
}
