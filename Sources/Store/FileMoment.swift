/// What a municipality's file holds at a moment, to tell later whether it still does.
package struct FileMoment: Sendable {
    private let commits: CommitCount
    private let count: UInt64
    private let settingCount: UInt64

    fileprivate init(_ commits: CommitCount) { (self.commits, count, settingCount) = (commits, commits.now, commits.settings) }

    /// False as well for one that began while a commit was under way, while another is, and when the file was closed since.
    package var isCurrent: Bool { count & 1 == 0 && commits.now == count && !commits.isClosed }

    /// Whether rules, consents, registrations and contexts are what they were, whatever became of entities. False when the file was closed since.
    package var hasItsSettings: Bool { commits.settings == settingCount && !commits.isClosed }
}

extension MunicipalityFile {
    /// To be called when something that is remembered of the file changed after the commit that said so.
    package func endMoment() { commits.skip() }

    /// Reads that begin from now on, and what is remembered of the file's rules, belong to it or to a later one.
    package var moment: FileMoment { FileMoment(commits) }
}
