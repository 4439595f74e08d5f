/// A place in a hierarchy that an entity belongs to, such as `/Montpellier/Mosson` (clause 4.18).
public struct Scope: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// With its leading slash and without a trailing one.
    public let text: String

    /// Accepts a leading slash or none. Each level begins with a letter and goes on with letters, digits and `_`
    /// (the grammar of clause 4.18); `-` and `.` inside a level are accepted too, as deployed data uses them.
    public init?(_ text: String) {
        let levels = Scope.split(text)
        guard !levels.isEmpty, text.utf8.count <= 1024, levels.allSatisfy(Scope.isLevel) else { return nil }
        self.text = "/" + levels.joined(separator: "/")
    }

    /// The names between the slashes, outermost first.
    public var levels: [Substring] { Scope.split(text) }
    public var description: String { text }
    public static func == (left: Scope, right: Scope) -> Bool { left.text.hasSameCodePoints(as: right.text) }
    public static func < (left: Scope, right: Scope) -> Bool { left.text < right.text }

    /// The parts of a text between slashes, without the first slash. As a mark that combines is one character with the slash before it,
    /// slashes are looked for among bytes.
    package static func split(_ text: String) -> [Substring] {
        let bytes = text.utf8.first == UInt8(ascii: "/") ? text.utf8.dropFirst() : text.utf8[...]
        return bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Substring($0) }
    }

    private static func isLevel(_ level: Substring) -> Bool {
        guard let first = level.first, first.isLetter, first.unicodeScalars.first?.isLetter ?? false else { return false }
        return level.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" || $0 == "." }
    }
}

extension Unicode.Scalar {
    /// Whether it is a letter, and no mark on one.
    fileprivate var isLetter: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }
}
