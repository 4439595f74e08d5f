import ArgumentParser
import CityModel
import Declarations
import Foundation
import LinkedData
import OrderedCollections
import Policy
import Query

extension PolicyCommand {
    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "explain", abstract: "Say who could see a thing, for which purposes, and which rules say so.",
            discussion: "A purpose stands for what it includes, unless another line names that.")

        @Option(help: "What they would do: \(AccessAction.allCases.map(\.rawValue).joined(separator: ", ")).") var action = "read"
        @Option(help: "A type of the thing. Repeatable.") var type: [String] = []
        @Option(help: "An attribute to tell apart. Repeatable.") var attribute: [String] = []
        @Option(help: "A scope of the thing. Repeatable.") var scope: [String] = []
        @Option(help: "\(Classification.allCases.map(\.rawValue).joined(separator: ", ")).") var classification: String
        @Option(help: "The source that feeds it.") var source: String?
        @Option(help: "The account of the person whom it is about.") var subject: String?
        @Option(help: "Where it is: longitude,latitude.") var location: String?
        @Option(help: "The moment, such as 2026-12-31T18:00:00Z. Default: now.") var at: String?
        @Argument(help: "Files of rules and purposes. Default: the shipped ones.", completion: .file(extensions: ["yaml", "yml"])) var files: [String] = []

        func run() async throws {
            try await reportingFailure {
                let policies = try PolicyDocuments(reading: files).policies()
                let question = try PolicyDocuments.reporting(nil) { () throws(DeclarationError) in
                    try Question(parsing: questionText, purposes: policies.purposes, expand: Context.core.expand)
                }
                let names = try attribute.map { text in
                    guard let name = Context.core.expand(text) else { throw CommandFailure(description: "--attribute: \(text) is not a name") }
                    return (text, name)
                }
                let explanation = policies.explanation(question.action, question.resource, now: question.moment ?? Instant(date: .now))
                for party in explanation.parties { Self.show(party, names, policies.purposes) }
            }
        }

        /// The options as a question's text, so that they are read and checked as those of a file are.
        private var questionText: String {
            var resource: JSONObject = ["classification": .string(classification)]
            if !type.isEmpty { resource["types"] = .array(type.map { .string($0) }) }
            if !scope.isEmpty { resource["scopes"] = .array(scope.map { .string($0) }) }
            if let source { resource["source"] = .string(source) }
            if let subject { resource["subject"] = .string(subject) }
            if let location {
                resource["location"] = .array(location.split(separator: ",").map { text in Double(text).map { .number($0) } ?? .string(String(text)) })
            }
            var question: JSONObject = ["action": .string(action), "resource": .object(resource)]
            if let at { question["at"] = .string(at) }
            return JSON.object(question).description
        }

        private static func show(_ party: Explanation.Party, _ attributes: [(text: String, name: IRI)], _ purposes: Purposes) {
            print(party.name)
            let (permitted, refused) = (party.answers.filter { !$0.verdict.isHidden }, party.answers.filter(\.verdict.isHidden))
            for answer in permitted {
                print("  \(words(answer, purposes)): \(answer.verdict.summary)")
                for (text, name) in attributes { print("    \(text): \(answer.verdict.access(to: name).words)") }
            }
            for answer in refused {
                let isRest = !permitted.isEmpty && answer.condition == .none && answer.verdict == .hidden(.nothingPermits)
                print("  \(isRest ? "otherwise" : words(answer, purposes)): \(answer.verdict.summary)")
            }
        }

        private static func words(_ answer: Explanation.Answer, _ purposes: Purposes) -> String {
            let named = answer.purposes.compactMap(\.self)
            let list = purposes.broadest(of: named).joined(separator: ", ")
            let purpose =
                switch (answer.purposes.contains(nil), named.count == purposes.all.count) {
                case (true, true): "for any purpose or none"
                case (true, false): list.isEmpty ? "for no purpose" : "for no purpose, for \(list)"
                case (false, _): "for \(list)"
                }
            switch answer.condition {
            case .none: return purpose
            case .agreement(let agreement): return "\(purpose), by the agreement \(agreement)"
            case .consent: return "\(purpose), with the person's consent"
            }
        }
    }
}

extension Verdict {
    fileprivate var isHidden: Bool { if case .hidden = self { true } else { false } }
}

extension AttributeAccess {
    fileprivate var words: String {
        switch self {
        case .hidden: "hidden"
        case .shown(let precision): "shown\(precision.words)"
        case .aggregated(let countMin, let precision): "in figures over at least \(countMin)\(precision.words)"
        }
    }
}

extension Precision {
    fileprivate var words: String {
        (placeMetres.map { ", places to \($0) m" } ?? "") + (period.map { ", moments to \($0)" } ?? "")
    }
}

extension Instant {
    init(date: Date) { self.init(milliseconds: Int64((date.timeIntervalSince1970 * 1000).rounded(.down))) }
}
