import CityModel
import Declarations
import Foundation
import Policy
import Testing

struct TableTests {
    private func faults(_ expectation: String, rules: String) throws -> [String] {
        let policies = try policies(rules)
        let text = "tests: [{name: A, action: read, resource: {classification: open}, expect: \(expectation)}]"
        let table = try PolicyTable(parsing: text, purposes: policies.purposes, expand: expand)
        return try #require(table.outcomes(of: policies, now: now).first).faults
    }

    @Test(arguments: [
        ("permit", "narrow: {attributes: {except: email}}", 0), ("refuse", "narrow: {attributes: {except: email}}", 1),
        ("{decision: permit, shows: name, hides: email}", "narrow: {attributes: {except: email}}", 0),
        ("{decision: permit, shows: [name, email], hides: [phone]}", "narrow: {attributes: {except: email}}", 2),
        ("{decision: permit, rules: r0}", "effect: permit", 0), ("{decision: permit, rules: [r1]}", "effect: permit", 1),
        ("{decision: permit, place: {location: 100}, time: {location: P1D}}", "narrow: {place: {roundTo: 100}, time: {roundTo: P1D}}", 0),
        ("{decision: permit, place: {location: 0}, time: {location: exact}}", "narrow: {place: {roundTo: 100}, time: {roundTo: P1D}}", 2),
        ("{decision: permit, place: {location: 0}, time: {location: exact}}", "effect: permit", 0),
        ("{decision: aggregates, k: 5}", "narrow: {aggregates: {k: 5}}", 0), ("{decision: aggregates, k: 6}", "narrow: {aggregates: {k: 5}}", 1),
        ("{decision: permit, k: 5}", "effect: permit", 1),
    ])
    func `a test holds when all that it expects is so, and says what is not`(expectation: String, rules: String, faultCount: Int) throws {
        let faults = try faults(expectation, rules: rules)
        #expect(faults.count == faultCount, "\(faults)")
    }

    @Test(arguments: [
        ("{action: look}", "tests[0].action"), ("{who: {roles: king}}", "tests[0].who.roles"), ("{purpose: 'a:war'}", "tests[0].purpose"),
        ("{at: now}", "tests[0].at"), ("{resource: {classification: secret}}", "tests[0].resource.classification"),
        ("{resource: {types: Bus}}", "tests[0].resource"), ("{resource: {classification: open, location: [1]}}", "tests[0].resource.location"),
        ("{expect: maybe}", "tests[0].expect"), ("{expect: {decision: permit, place: {location: far}}}", "tests[0].expect.place.location"),
        ("{expect: {decision: permit, time: {location: P}}}", "tests[0].expect.time.location"), ("{nam: A}", "tests[0].nam"),
    ])
    func `a test that cannot be is an error that names its key`(change: String, key: String) throws {
        var members = ["name": "A", "action": "read", "resource": "{classification: open}", "expect": "permit"]
        let parts = change.dropFirst().dropLast().split(separator: ":", maxSplits: 1)
        members[String(parts[0])] = String(parts[1])
        let text = "tests: [{\(members.map { "\($0): \($1)" }.joined(separator: ", "))}]"
        do throws(DeclarationError) {
            guard let purposes = try? purposesForTest() else { return }
            _ = try PolicyTable(parsing: text, purposes: purposes, expand: expand)
            Issue.record("no error")
        } catch {
            #expect(error.key == key, "\(error)")
        }
    }

    @Test func `a test without a moment means the one that is given`() throws {
        let policies = try policies("until: 2026-06-30")
        let text = "tests: [{name: A, action: read, resource: municipality, expect: permit}]"
        let table = try PolicyTable(parsing: text, purposes: policies.purposes, expand: expand)
        #expect(table.outcomes(of: policies, now: now).allSatisfy { $0.faults.isEmpty })
        #expect(table.outcomes(of: policies, now: Instant("2026-07-01T00:00:00Z")!).allSatisfy { !$0.faults.isEmpty })
    }
}

/// The policy that a municipality begins with.
struct ShippedPolicyTests {
    private static let table: PolicyTable? = try? PolicyTable(
        parsing: ShippedPolicy.tests.text, purposes: ShippedPolicy.purposes(), expand: expand)

    @Test func `the program has the files of the folder`() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Places.root.appending(path: "policies").path).sorted()
        #expect(ShippedPolicy.names == names)
        for name in names { #expect(try ShippedPolicy.text(name) == Places.text("policies/\(name)")) }
    }

    @Test func `the shipped policy holds what its tests say`() throws {
        let policies = try ShippedPolicy.policies(expand: expand)
        let table = try #require(Self.table)
        #expect(table.cases.count > 30)
        for (test, faults) in table.outcomes(of: policies, now: now) { #expect(faults.isEmpty, "line \(test.line), \(test.name): \(faults)") }
    }

    @Test func `every shipped rule decides some test, so that none can change unseen`() throws {
        let policies = try ShippedPolicy.policies(expand: expand)
        let deciding = try #require(Self.table).cases.flatMap { $0.question.verdict(of: policies, now: now).rules }
        #expect(policies.rules.map(\.id).filter { !deciding.contains($0) } == [])
    }

    /// Today's tokens, and requests without one, keep what they may.
    @Test func `tokens read everything, and nobody in particular what is open: as one classification`() throws {
        let policies = try ShippedPolicy.policies(expand: expand)
        for action in [AccessAction.read, .history, .aggregate, .subscribe, .export] {
            #expect(policies.ruling(.anonymous, action, now: now).everythingUpTo == .open)
            for role in [Role.tokenReader, .tokenWriter, .tokenAdministrator, .operatorOnMachine] {
                let holder = Requester(account: "token:1", roles: [role])
                let ruling = policies.ruling(holder, action, now: now)
                #expect(ruling.verdict(on: ResourceFacts(classification: .special)).decision == .permit)
                for classification in Classification.allCases {
                    guard case .visible(let view) = ruling.verdict(on: ResourceFacts(classification: classification)) else {
                        Issue.record("\(role), \(classification)")
                        continue
                    }
                    #expect(view.isWhole)
                }
            }
        }
        for action in [AccessAction.write, .erase, .publish, .administer] { #expect(policies.ruling(.anonymous, action, now: now).isNothing) }
    }

    @Test func `the token of a reader takes the short way`() throws {
        let policies = try ShippedPolicy.policies(expand: expand)
        #expect(policies.ruling(Requester(account: "token:1", roles: [.tokenReader]), .read, now: now).everythingUpTo == .special)
    }
}
