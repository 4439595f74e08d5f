/// What a municipality's file holds at a moment, to tell later whether it still does.
package struct FileMoment: Sendable {
    fileprivate let commits: CommitCount
    fileprivate let count: UInt64

    /// False as well while a commit is under way, and when the file was closed since.
    package var isCurrent: Bool { commits.now == count }
}

extension MunicipalityFile {
    /// To be called when something that is remembered of the file changed after the commit that said so.
    package func endMoment() { commits.skip() }

    /// Nil while a commit is under way. Reads that begin from now on, and what is remembered of the file's rules, belong to it or to a later one.
    package var moment: FileMoment? {
        let now = commits.now
        return now & 1 == 0 ? FileMoment(commits: commits, count: now) : nil
    }
}
