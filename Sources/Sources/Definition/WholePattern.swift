internal import Query

/// A regular expression that a whole text has to match: of the kind that `~=` in `q` takes, which no text makes slow.
public struct WholePattern: Hashable, Sendable {
    private let pattern: Pattern

    init(_ text: String) throws(Pattern.Invalid) {
        // By itself first: in brackets a text could close them.
        _ = try Pattern(text)
        pattern = try Pattern("^(?:\(text))$")
    }

    func matches(_ text: String) -> Bool { pattern.matches(text) }
}
