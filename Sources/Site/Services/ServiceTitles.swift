internal import Cases
internal import Services

/// What services and their steps are called, also those of definitions that are not the newest any more.
struct ServiceTitles {
    /// By code, the newest first.
    private var definitions: [String: [ServiceDefinition]] = [:]

    mutating func add(_ definition: ServiceDefinition) { definitions[definition.id.text, default: []].append(definition) }

    func title(of code: String, _ language: Language) -> String? { definitions[code]?.first?.title[language.code] }

    func knows(_ step: String, of code: String) -> Bool {
        [CaseStep.merged, CaseStep.transferred].contains(step) || definitions[code]?.contains { $0.step(step) != nil } ?? false
    }

    /// - Parameter code: of the service.
    func words(_ outcome: CaseOutcome, of code: String?, _ language: Language) -> String {
        switch outcome {
        case .step(let step): words(step, of: code, language)
        case .said(let text): text
        case .unsaid: language.text("figures.closedOnly")
        case .other: language.text("figures.otherOutcomes")
        }
    }

    private func words(_ step: String, of code: String?, _ language: Language) -> String {
        if let known = language.known("case.steps.\(step)") { return known }
        return code.flatMap { definitions[$0] }?.lazy.compactMap { $0.step(step)?.title[language.code] }.first ?? step
    }
}
