package import Cases

/// The words of notices, of the language files.
extension SiteDoor {
    package var noticeNames: NoticeNames {
        let (languages, site) = (languages, configuration.name)
        @Sendable func text(_ path: String, _ code: String) -> String { (languages[code] ?? languages.fallback).text(path) }
        return NoticeNames(
            municipality: { _ in site }, subject: { text("notice.\($0).subject", $1) }, text: { text("notice.\($0).text", $1) },
            footer: { text("notice.footer", $0) }, step: { text("case.steps.\($0)", $1) })
    }

    package var caseDesk: CaseDesk { desk }
}
