import Broker
import CityModel
import Foundation
import NIOHTTP1
import OrderedCollections
import Policy
@testable import Server
import RandomEntities
import Store
import Testing
import Trust

/// The same rows through every door: what each answers under random rules, to whom and for whatever purpose, against what the rules say, worked
/// out here from how they were written.
@Suite(.timeLimit(.minutes(10))) struct NarrowingTests {

    private struct Thing {
        let number: Int
        let type: String
        let classification: Classification
        let level: Int64
        var id: String { "urn:ngsi-ld:Thing:\(number)" }
    }

    private struct WrittenRule {
        let isForbid: Bool
        /// Nil for anyone.
        let role: String?
        let purpose: String?
        let types: [String]?
        let classifications: [Classification]?
        /// A forbid takes these away, a permit shows these alone.
        let attributes: [String]?

        init(_ random: inout SplitMix) {
            func maybe<Value>(_ value: Value?) -> Value? { Bool.random(using: &random) ? value : nil }
            isForbid = Int.random(in: 0...3, using: &random) == 0
            role = maybe(["token-reader", "token-writer"].randomElement(using: &random))
            purpose = Int.random(in: 0...2, using: &random) == 0 ? "dpv:PublicBenefit" : nil
            types = maybe([["Lamp"], ["Bench"], ["Lamp", "Bench"]].randomElement(using: &random))
            let upTo = Int.random(in: 0...4, using: &random)
            classifications = maybe(Classification.allCases.filter { $0.rank <= upTo })
            attributes = Int.random(in: 0...2, using: &random) == 0 ? ["level"] : nil
        }

        func text(_ number: Int) -> String {
            var what: [String] = []
            if let types { what.append("types: [\(types.joined(separator: ", "))]") }
            if let classifications { what.append("classifications: [\(classifications.map(\.rawValue).joined(separator: ", "))]") }
            if let attributes { what.append("attributes: [\(attributes.joined(separator: ", "))]") }
            return """
                {id: r\(number), effect: \(isForbid ? "forbid" : "permit"), who: \(role.map { "{roles: \($0)}" } ?? "anyone"), actions: all, \
                what: \(what.isEmpty ? "everything" : "{\(what.joined(separator: ", "))}")\(purpose.map { ", purposes: ['\($0)']" } ?? "")}
                """
        }

        func speaks(to role: String?, for purpose: String?, of thing: Thing) -> Bool {
            if let own = self.role, own != role { return false }
            // A forbid also concerns who does not say what for.
            if let own = self.purpose, own != purpose, !(isForbid && purpose == nil) { return false }
            if let types, !types.contains(thing.type) { return false }
            return classifications?.contains(thing.classification) ?? true
        }
    }

    /// The attributes that are shown of a thing; nil where it is not.
    private func shown(_ thing: Thing, _ rules: [WrittenRule], _ role: String?, _ purpose: String?) -> Set<String>? {
        let speaking = rules.filter { $0.speaks(to: role, for: purpose, of: thing) }
        if speaking.contains(where: { $0.isForbid && $0.attributes == nil }) { return nil }
        let forbidden = Set(speaking.filter(\.isForbid).flatMap { $0.attributes ?? [] })
        let permits = speaking.filter { !$0.isForbid }
        // A permit from which everything is taken away shows nothing.
        guard permits.contains(where: { $0.attributes.map { !Set($0).subtracting(forbidden).isEmpty } ?? true }) else { return nil }
        return permits.reduce(into: Set()) { $0.formUnion($1.attributes ?? ["level", "kind"]) }.subtracting(forbidden)
    }

    private static let combinationCount = 200

    @Test func `every door shows the same, and nothing of what rules hide`() async throws {
        let server = try await RunningServer(isOpen: false)
        let name = try #require(MunicipalityName("alder"))
        let tokens = ["token-reader": try await server.token(.read, in: "alder"), "token-writer": try await server.token(.write, in: "alder")]
        var random = SplitMix(seed: 7)
        let things = (0..<30).map { number in
            Thing(
                number: number, type: Bool.random(using: &random) ? "Lamp" : "Bench",
                classification: Classification.allCases.randomElement(using: &random) ?? .open, level: .random(in: 0...9, using: &random))
        }
        let administering = try await server.server.gatekeeper.administering(name, .program)
        for thing in things {
            func named(_ term: String) -> IRI { IRI(known: IRI.defaultContextNamespace + term) }
            let entity = Entity(
                id: IRI(known: thing.id), types: [named(thing.type)],
                attributes: [
                    named("level"): [Attribute(kind: .property, value: .integer(thing.level), observedAt: .now)],
                    named("kind"): [Attribute(kind: .property, value: "plain")],
                ])
            try await server.server.broker.create(
                entity, administering.writing, at: .now, provenance: .init(classification: thing.classification))
        }
        for combination in 0..<Self.combinationCount {
            let rules = (0..<Int.random(in: 1...4, using: &random)).map { _ in WrittenRule(&random) }
            let text = "rules: [\(rules.enumerated().map { $1.text($0) }.joined(separator: ",\n"))]"
            try await server.server.gatekeeper.setPolicies(administering, [.init(name: "random", text: text)], now: .now)
            let role = [nil, "token-reader", "token-writer"].randomElement(using: &random) ?? nil
            let purpose = [nil, "dpv:PublicBenefit", "dpv:ServiceProvision"].randomElement(using: &random) ?? nil
            let expected = Dictionary(
                uniqueKeysWithValues: things.compactMap { thing in shown(thing, rules, role, purpose).map { (thing.number, $0) } })
            let asker = Asker(server: server, token: role.flatMap { tokens[$0] }, purpose: purpose)
            let comment = Comment("\(combination), \(role ?? "anybody") for \(purpose ?? "nothing said"): \(text)")
            try await check(asker, things, expected, comment)
        }
        try await server.close()
    }

    @Test func `figures that rules show alone are of as many entities as they say, and show nothing of one`() async throws {
        let server = try await RunningServer(isOpen: false)
        let (name, token) = (try #require(MunicipalityName("alder")), try await server.token(.read, in: "alder"))
        let administering = try await server.server.gatekeeper.administering(name, .program)
        func named(_ term: String) -> IRI { IRI(known: IRI.defaultContextNamespace + term) }
        for number in 0..<9 {
            let entity = Entity(
                id: IRI(known: "urn:ngsi-ld:Thing:\(number)"), types: [named(number < 5 ? "Lamp" : "Bench")],
                attributes: [named("level"): [Attribute(kind: .property, value: .integer(Int64(number)), observedAt: .now)]])
            try await server.server.broker.create(entity, administering.writing, at: .now, provenance: .init(classification: .personal))
        }
        let rules = "rules: [{id: figures, effect: permit, who: {roles: token-reader}, actions: aggregate, what: everything, narrow: {aggregates: {k: 5}}}]"
        try await server.server.gatekeeper.setPolicies(administering, [.init(name: "rules", text: rules)], now: .now)
        let asker = Asker(server: server, token: token, purpose: nil)
        func keys(_ more: String) async throws -> [String] {
            let answer = try await asker.ask("/history?attr=level&fn=avg&from=-P1D&municipality=alder&" + more).json
            return try #require(answer["series"]?.arrayValue).map { $0["key"]?.stringValue ?? "all" }
        }
        #expect(try await keys("type=Lamp,Bench&group=type").map { $0.hasSuffix("Lamp") } == [true], "four benches are too few")
        #expect(try await keys("type=Lamp,Bench&group=all") == ["all"])
        #expect(try await keys("type=Bench&group=all") == [])
        #expect(try await keys("type=Lamp,Bench&group=all&q=level%3E6") == [])
        #expect(try await keys("type=Lamp,Bench&group=entity") == [])
        #expect(try numbers(await asker.ask("entities?type=Lamp,Bench&limit=100")) == [])
        #expect(try await asker.ask("types").json["typeList"] == [])
        try await server.close()
    }

    private struct Asker {
        let server: RunningServer
        let token: String?
        let purpose: String?

        func ask(_ target: String) async throws -> Answer {
            try await server.ask(.GET, target, tenant: "alder", token: token, headers: purpose.map { [("Conurb-Purpose", $0)] } ?? [])
        }
    }

    private func numbers(_ answer: Answer) throws -> [Int] {
        try #require(try answer.json.arrayValue).compactMap { $0["id"]?.stringValue?.split(separator: ":").last.flatMap { Int($0) } }.sorted()
    }

    private func check(_ asker: Asker, _ things: [Thing], _ expected: [Int: Set<String>], _ comment: Comment) async throws {
        let all = expected.keys.sorted()
        let queried = try await asker.ask("entities?type=Lamp,Bench&limit=100&count=true")
        #expect(try numbers(queried) == all, comment)
        #expect(queried.headers.first(name: "NGSILD-Results-Count") == String(all.count), comment)
        for entity in try queried.json.arrayValue ?? [] {
            let number = entity["id"]?.stringValue?.split(separator: ":").last.flatMap { Int($0) } ?? -1
            #expect(Set(["level", "kind"].filter { entity[$0] != nil }) == expected[number], comment)
        }
        let leveled = things.filter { $0.level > 4 && expected[$0.number]?.contains("level") ?? false }.map(\.number)
        #expect(try numbers(await asker.ask("entities?type=Lamp,Bench&q=level%3E4&limit=100")) == leveled, comment)
        #expect(try await asker.ask("entities?type=Lamp,Bench&q=level%3E4&limit=0&count=true").headers.first(name: "NGSILD-Results-Count") == String(leveled.count), comment)
        let kinds = Set(things.filter { expected[$0.number] != nil }.map(\.type))
        #expect(Set(try await asker.ask("types").json["typeList"]?.arrayValue?.compactMap(\.stringValue) ?? []) == kinds, comment)
        #expect(Set(try await asker.ask("attributes").json["attributeList"]?.arrayValue?.compactMap(\.stringValue) ?? []) == expected.values.reduce(into: Set()) { $0.formUnion($1) }, comment)
        let recorded = expected.filter { !$0.value.isEmpty }.keys.sorted()
        let past = "temporal/entities?type=Lamp,Bench&timerel=after&timeAt=2020-01-01T00:00:00Z&timeproperty=modifiedAt&limit=100"
        #expect(try numbers(await asker.ask(past)) == recorded, comment)
        let figures = try await asker.ask("/history?type=Lamp,Bench&attr=level&fn=count&from=-P1D&municipality=alder&limit=1000").json
        let drawn = figures["series"]?.arrayValue?.compactMap { $0["key"]?.stringValue?.split(separator: ":").last.flatMap { Int($0) } }.sorted()
        #expect(drawn == expected.filter { $0.value.contains("level") }.keys.sorted(), comment)
        let hidden = things.first { expected[$0.number] == nil }
        if let hidden {
            let none = try await asker.ask("entities/urn:ngsi-ld:Thing:99999").text.replacingOccurrences(of: "99999", with: String(hidden.number))
            #expect(try await asker.ask("entities/\(hidden.id)").text == none, "what is hidden is as what is not there; \(comment)")
        }
        let csv = try await asker.ask("/table.csv?municipality=alder").text
        let rows = csv.split(whereSeparator: \.isNewline).dropFirst().filter { $0.contains("Thing:") }
        #expect(rows.compactMap { $0.split(separator: "Thing:").last.flatMap { Int($0.prefix { $0.isNumber }) } }.sorted() == all, "\(csv.prefix(300)) \(comment)")
    }
}
