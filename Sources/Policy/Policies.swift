package import CityModel
package import Declarations
package import Query

/// All rules of a municipality, with the purposes that they know.
///
/// A decision has two steps. `ruling` keeps the rules that speak to this request at all; it is made once a request.
/// `Ruling.verdict` holds them against one entity. `decide` does both.
package struct Policies: Sendable {
    /// One file of rules as it was written.
    package struct File: Sendable {
        package let name: String
        package let text: String
        package init(name: String, text: String) { (self.name, self.text) = (name, text) }
    }

    /// Shared by all rulings that were made from it.
    final class Book: Sendable {
        let rules: [Rule]
        init(_ rules: [Rule]) { self.rules = rules }
    }

    let book: Book
    package let purposes: Purposes
    package var rules: [Rule] { book.rules }

    package static let ruleCountMax = 2000

    /// - Parameter expand: gives the names of types and attributes in the rules their IRIs.
    /// - Throws: `DeclarationError` with file, line and key of the first fault.
    package init(files: [File], purposes: Purposes, expand: @escaping NameExpansion) throws(DeclarationError) {
        var rules: [Rule] = []
        var places: [String: Rule.Place] = [:]
        for file in files {
            do throws(DeclarationError) {
                for rule in try PolicyParser(file: file.name, purposes: purposes, expand: expand).rules(file.text) {
                    if let other = places.updateValue(rule.place, forKey: rule.id) {
                        throw DeclarationError(
                            line: rule.place.line, key: "id", reason: "\(rule.id) is the id of another rule: \(other.file), line \(other.line)")
                    }
                    guard rules.count < Self.ruleCountMax else {
                        throw DeclarationError(line: rule.place.line, key: "rules", reason: "there are at most \(Self.ruleCountMax) rules")
                    }
                    rules.append(rule)
                }
            } catch {
                throw error.inFile(file.name)
            }
        }
        (book, self.purposes) = (Book(rules), purposes)
    }

    /// The rules that speak to a request.
    /// - Parameters:
    ///   - purpose: in its short form; nil when the request names none. One that is not declared counts as none.
    ///   - agreement: the agreement that the request rests on.
    package func ruling(
        _ requester: Requester, _ action: AccessAction, purpose: String? = nil, agreement: String? = nil, now: Instant
    ) -> Ruling {
        let stated = StatedPurpose(purpose, in: purposes)
        var (permits, forbids): ([Int], [Int]) = ([], [])
        var goodUntil: Instant?
        for (index, rule) in rules.enumerated() {
            guard rule.actions.contains(action), rule.who.includes(requester), stated.concerns(rule),
                rule.agreement == nil || rule.agreement == agreement
            else { continue }
            for change in [rule.from, rule.until].compactMap(\.self) where change > now {
                goodUntil = min(goodUntil ?? change, change)
            }
            guard rule.holds(at: now) else { continue }
            if rule.effect == .permit { permits.append(index) } else { forbids.append(index) }
        }
        return Ruling(book, permits: permits, forbids: forbids, requester: requester, lineage: stated.lineage, goodUntil: goodUntil)
    }

    /// Whether, and how much of it, a request may do to one entity.
    package func decide(
        _ requester: Requester, _ action: AccessAction, on facts: ResourceFacts, purpose: String? = nil, agreement: String? = nil,
        now: Instant
    ) -> Verdict {
        ruling(requester, action, purpose: purpose, agreement: agreement, now: now).verdict(on: facts)
    }
}

/// What a request is for, held against the purposes of rules.
private struct StatedPurpose {
    let id: String?
    /// The purpose itself and all that include it.
    let lineage: Set<String>
    let purposes: Purposes

    init(_ id: String?, in purposes: Purposes) {
        lineage = id.map(purposes.lineage(of:)) ?? []
        self.id = lineage.isEmpty ? nil : id
        self.purposes = purposes
    }

    /// A permit is for its purposes and what they include. A forbid is also for a request that does not say what for, and for one that
    /// names something broader: it could be the very thing that is forbidden.
    func concerns(_ rule: Rule) -> Bool {
        guard let wanted = rule.purposes, lineage.isDisjoint(with: wanted) else { return true }
        guard rule.effect == .forbid else { return false }
        guard let id else { return true }
        return wanted.contains { purposes.lineage(of: $0).contains(id) }
    }
}

extension Rule {
    fileprivate func holds(at now: Instant) -> Bool {
        if let from, now < from { return false }
        if let until, now >= until { return false }
        return true
    }
}
