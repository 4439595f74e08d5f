import CityModel
import Foundation
import Testing
@testable import Trust

/// Little work, so that tests are quick; what is checked does not depend on it.
let lightCost = PasswordCost(roundsExponent: 4, blockSize: 8, parallelism: 1)

@Suite struct PasswordTests {
    /// RFC 7914, section 12.
    @Test func `the hash is scrypt as RFC 7914 has it`() throws {
        let key = """
            fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640
            """
        let bytes = stride(from: 0, to: key.count, by: 2).compactMap { offset in
            UInt8(key.dropFirst(offset).prefix(2), radix: 16)
        }
        let text = "$scrypt$ln=10,r=8,p=16$\(Base64.standard.encode(Array("NaCl".utf8)))$\(Base64.standard.encode(bytes))"
        // A salt of 4 bytes and 16 lanes are less and more than this program takes from a file.
        #expect(PasswordHash(text) == nil)
        #expect(try PasswordHash.derive("password", PasswordCost(roundsExponent: 10, blockSize: 8, parallelism: 16), Array("NaCl".utf8), byteCount: 64) == bytes)
    }

    @Test func `a hash survives being written and read, and matches its password alone`() throws {
        let hash = try PasswordHash(of: "correct horse", cost: lightCost)
        let read = try #require(PasswordHash(hash.text))
        #expect(read == hash)
        #expect(read.matches("correct horse"))
        for wrong in ["", "correct hors", "Correct horse", "correct horse "] { #expect(!read.matches(wrong)) }
        #expect(try PasswordHash(of: "correct horse", cost: lightCost).key != hash.key, "salts differ")
    }

    @Test func `letters that are composed otherwise are the same password`() throws {
        #expect(try PasswordHash(of: "caf\u{E9} de la gare", cost: lightCost).matches("cafe\u{301} de la gare"))
    }

    @Test(arguments: [
        "", "$scrypt$", "$scrypt$ln=17,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA", "$argon2id$ln=17,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$scrypt$ln=24,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA", "$scrypt$ln=20,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$scrypt$ln=-1,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA", "$scrypt$ln=017,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$scrypt$ln=17,r=8$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA", "$scrypt$ln=17,r=8,p=1,x=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$scrypt$ln=17,r=8,p=1$AAAAAAAAAAAAAAAAAAAAA=$AAAAAAAAAAAAAAAAAAAAAA", "$scrypt$ln=17,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAB$AAAAAAAAAAAAAAAAAAAAAA",
        "$scrypt$ln=17,r=8,p=1$$AAAAAAAAAAAAAAAAAAAAAA", "$scrypt$ln=17,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA$",
    ])
    func `what is no hash, or costs too much, is refused`(text: String) { #expect(PasswordHash(text) == nil) }

    @Test(arguments: [
        ("elevenchars", PasswordRules.Refusal.tooShort), ("vermilion-oxcart", nil), (String(repeating: "xq7 ", count: 65), .tooLong),
        ("Password1234", .common), ("P@ssw0rd2026!", .common), ("123456789012", .common), ("qwertyuiop12", .common), ("aaaaaaaaaaaa", .common),
        ("abcabcabcabc", .common), ("Summer2026!!", .common), ("iloveyou1234", .common), ("motdepasse2026", .common), ("azertyuiop!!", .common),
        ("welcome.admin.1", .common), ("abcdefghijkl", .common), ("1q2w3e4r5t6z", .common), ("grue lunaire, midi", nil), ("ostrich ladder nineteen", nil),
        ("marie.dupont12", .ownName), ("Montvalmer2026", .ownName), ("dupont walks to the quay", nil), ("🦭 🦭 sealskin quay 🦭", nil),
    ] as [(String, PasswordRules.Refusal?)])
    func `a password is long, and not what everybody tries first`(password: String, refusal: PasswordRules.Refusal?) throws {
        #expect(try PasswordRules(breached: nil).refusal(of: password, names: ["marie.dupont@montvalmer.example", "Marie Dupont", "montvalmer"]) == refusal)
    }

    @Test func `12 characters are enough, and 256 are not too many`() throws {
        let rules = PasswordRules(breached: nil)
        let letters = Array("xwtjqzvmkdbf ")
        func text(_ count: Int) -> String { String((0..<count).map { (index: Int) -> Character in letters[(index * 7 + index / 5) % 13] }) }
        #expect(try [11, 12, 256, 257].map { try rules.refusal(of: text($0), names: []) } == [.tooShort, nil, nil, .tooLong])
    }

    @Test(arguments: [1, 2, 3, 7, 64, 500])
    func `every password of a list of breached ones is found, and no other`(count: Int) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "conurb-breached-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let known = (0..<count).map { "breached \($0)" }
        let lines = known.map(BreachedPasswords.sha1).sorted().enumerated().map { "\($1):\($0 * 7919 + 1)" }
        for (separator, last) in [("\r\n", ""), ("\n", "\n")] {
            try Data((lines.joined(separator: separator) + last).utf8).write(to: URL(filePath: path))
            let list = BreachedPasswords(path: path)
            try list.check()
            for password in known { #expect(try list.contains(password)) }
            for number in 0..<50 { #expect(try !list.contains("other \(number)")) }
        }
    }

    @Test(arguments: ["", "no list at all\n", String(repeating: "x", count: 5000), "0123456789ABCDEF0123456789ABCDEF0123456Z:1\n"])
    func `a file that is no list is an error, not an answer`(text: String) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "conurb-breached-\(UUID().uuidString)").path
        #expect(throws: BreachedPasswords.Unusable.self) { try BreachedPasswords(path: path).contains("any") }
        try Data(text.utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(throws: BreachedPasswords.Unusable.self) { try BreachedPasswords(path: path).check() }
    }

    @Test func `no more than so many are computed at once, and a long line turns people away`() async throws {
        let workshop = PasswordWorkshop(runningCountMax: 2, waitingCountMax: 3)
        let gate = Gate()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    do { return try await workshop.run { gate.pass(); return true } } catch CityError.overloaded { return false }
                }
            }
            // Those that are turned away are the first to come back; the others wait for the gate.
            var refused = 0
            for _ in 0..<3 { if try await group.next() == false { refused += 1 } }
            #expect(refused == 3)
            gate.open()
            var done = 0
            while let isDone = try await group.next() { if isDone { done += 1 } }
            #expect(done == 5 && gate.highest <= 2)
        }
    }
}

/// Holds up whoever wants to pass until it is opened, and says how many were inside at once.
private final class Gate: @unchecked Sendable {
    // All is read and written with the lock held.
    private let condition = NSCondition()
    private var (isOpen, inside, most) = (false, 0, 0)

    var highest: Int { condition.withLock { most } }

    func pass() {
        condition.withLock {
            inside += 1
            most = max(most, inside)
            while !isOpen { condition.wait() }
            inside -= 1
        }
    }

    func open() {
        condition.withLock {
            isOpen = true
            condition.broadcast()
        }
    }
}
