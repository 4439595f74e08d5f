/// A place in a hierarchy that an entity belongs to, such as `/Montpellier/Mosson` (clause 4.18).
public struct Scope: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// With its leading slash and without a trailing one.
    public let text: String

    /// Accepts a leading slash or none. Each level begins with a letter and goes on with letters, digits and `_`
    /// (the grammar of clause 4.18); `-` and `.` inside a level are accepted too, as deployed data uses them.
    public init?(_ text: String) {
        let levels = (text.hasPrefix("/") ? text.dropFirst() : text[...]).split(separator: "/", omittingEmptySubsequences: false)
        guard !levels.isEmpty, text.utf8.count <= 1024, levels.allSatisfy(Scope.isLevel) else { return nil }
        self.text = "/" + levels.joined(separator: "/")
    }

    /// The names between the slashes, outermost first.
    public var levels: [Substring] { text.dropFirst().split(separator: "/") }
    public var description: String { text }
    public static func == (left: Scope, right: Scope) -> Bool { left.text.hasSameCodePoints(as: right.text) }
    public static func < (left: Scope, right: Scope) -> Bool { left.text < right.text }

    private static func isLevel(_ level: Substring) -> Bool {
        guard let first = level.first, first.isLetter else { return false }
        return level.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" || $0 == "." }
    }
}
