/// What a request is about to do: the acts that rules speak of. Every door's operations are among them.
package enum AccessAction: String, CaseIterable, Hashable, Sendable {
    /// To see current state: entities, pages of them, how many there are.
    case read
    /// To see past values one by one.
    case history
    /// To see figures over many entities or moments: counts, means, totals.
    case aggregate
    /// To be told of changes.
    case subscribe
    /// To take a copy away: downloads, exports, snapshots handed out.
    case export
    /// To create entities and to change them.
    case write
    /// To remove entities, attributes, and what was recorded of them.
    case erase
    /// To release as open data.
    case publish
    /// To change how the municipality is run: sources, contexts, tokens, policies.
    case administer
}
