import ArgumentParser
import CityModel
import Declarations
import Foundation
import LinkedData
import OrderedCollections
import Policy
import Query

extension PolicyCommand {
    struct Decide: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "decide", abstract: "Decide many requests, for scripts: JSON lines in, JSON lines out.",
            discussion: """
                A line of standard input is {"questions": [...]}: each has the keys who, action, purpose, agreement, at and resource of a \
                test and may list attributes. With "policy": {"rules": [...]} these rules count for the line instead of the files'. \
                The line that comes out has as many answers: decision, rules, and how each of the attributes may be seen.
                """)

        @Argument(help: "Files of rules and purposes. Default: the shipped ones.", completion: .file(extensions: ["yaml", "yml"])) var files: [String] = []

        func run() async throws {
            try await reportingFailure {
                let policies = try PolicyDocuments(reading: files).policies()
                let now = Instant(date: .now)
                var number = 0
                while let line = readLine() {
                    number += 1
                    do { print(try BulkQuestions(line, policies).answers(now: now)) } catch let error as DeclarationError {
                        throw CommandFailure(description: "line \(number) of standard input: \(error)")
                    } catch let error as CommandFailure {
                        throw CommandFailure(description: "line \(number) of standard input: \(error)")
                    }
                }
            }
        }
    }
}

/// One line of questions, with the rules that they are put to.
private struct BulkQuestions {
    private let policies: Policies
    private let questions: [(question: Question, attributes: [(text: String, name: IRI)])]

    init(_ line: String, _ standard: Policies) throws {
        guard let json = try? JSON(parsing: line), let list = json["questions"]?.arrayValue else {
            throw CommandFailure(description: "an object with a list of questions is needed")
        }
        let policies = try json["policy"].map { policy in
            try Policies(files: [.init(name: "policy", text: policy.description)], purposes: standard.purposes, expand: Context.core.expand)
        } ?? standard
        questions = try list.map { json in
            guard var object = json.objectValue else { throw CommandFailure(description: "a question is an object") }
            let texts = (object.removeValue(forKey: "attributes")?.arrayValue ?? []).compactMap(\.stringValue)
            let attributes = try texts.map { text in
                guard let name = Context.core.expand(text) else { throw CommandFailure(description: "\(text) is not an attribute's name") }
                return (text, name)
            }
            let text = JSON.object(object).description
            return (try Question(parsing: text, purposes: policies.purposes, expand: Context.core.expand), attributes)
        }
        self.policies = policies
    }

    func answers(now: Instant) -> JSON {
        ["answers": .array(questions.map { question, attributes in
            let verdict = question.verdict(of: policies, now: now)
            var answer: JSONObject = [
                "decision": .string(verdict.decision.rawValue), "rules": .array(verdict.rules.map { .string($0) }),
            ]
            if !attributes.isEmpty {
                answer["attributes"] = .object(
                    JSONObject(attributes.map { ($0.text, verdict.access(to: $0.name).json) }, uniquingKeysWith: { first, _ in first }))
            }
            return .object(answer)
        })]
    }
}

extension AttributeAccess {
    fileprivate var json: JSON {
        var members = precision?.members ?? [:]
        switch self {
        case .hidden: members["access"] = "hidden"
        case .shown: members["access"] = "shown"
        case .aggregated(let countMin, _):
            members["access"] = "aggregated"
            members["k"] = .integer(Int64(countMin))
        }
        return .object(members)
    }
}

extension Precision {
    fileprivate var members: JSONObject {
        var members: JSONObject = [:]
        if let placeMetres { members["place"] = .integer(Int64(placeMetres)) }
        if let period { members["time"] = .string(period.description) }
        return members
    }
}
