internal import Foundation

/// Which passwords are taken (NIST SP 800-63B, 3.1.1): long ones, of any characters, that nobody would try first.
///
/// 12 characters at least, with a second factor and without: one length to remember, and it holds when the second factor is switched off later.
struct PasswordRules: Sendable {
    static let lengths = 12...256

    let breached: BreachedPasswords?

    /// Why a password is not taken. Raw values name the texts of the pages.
    enum Refusal: String, Error, CaseIterable { case tooShort, tooLong, common, breached, ownName }

    /// - Parameter names: what the account, its municipality and the installation are called.
    /// - Throws: an error of the file when the list of breached passwords can't be read: then none is taken.
    func refusal(of password: String, names: [String]) throws -> Refusal? {
        let length = password.precomposedStringWithCompatibilityMapping.unicodeScalars.count
        if length < Self.lengths.lowerBound { return .tooShort }
        if length > Self.lengths.upperBound { return .tooLong }
        if Self.isOwnName(password, names) { return .ownName }
        if CommonPasswords.contains(password) { return .common }
        return try breached?.contains(password) ?? false ? .breached : nil
    }

    /// Whether little is left of it without the names that everybody knows.
    private static func isOwnName(_ password: String, _ names: [String]) -> Bool {
        var rest = folded(password)
        let words = names.flatMap { folded($0).split { !$0.isLetter && !$0.isNumber }.map(String.init) }.filter { $0.count >= 4 }
        for word in Set(words).sorted(by: { ($1.count, $0) < ($0.count, $1) }) { rest = rest.replacing(word, with: "") }
        return rest.count < 8 && rest.count < folded(password).count
    }

    private static func folded(_ text: String) -> String {
        text.folding(options: [.caseInsensitive, .diacriticInsensitive], locale: Locale(identifier: "en_US_POSIX"))
    }
}

/// Passwords that are tried first by everybody who guesses, known by how they are made rather than one by one: a common word or two with numbers and
/// signs around, a run of keys, the same again and again.
enum CommonPasswords {
    static func contains(_ password: String) -> Bool {
        let text = password.lowercased()
        if isRepeated(text) || isRun(text) { return true }
        let core = trimmed(text)
        return [core, spelled(core), trimmed(spelled(text))].contains { candidate in
            let word = candidate.filter(\.isLetter)
            return word.count < 4 || isRun(word) || isRepeated(word) || isOfWords(word[...], at: 0)
        }
    }

    /// From the first letter to the last.
    private static func trimmed(_ text: String) -> String {
        let core = text.drop { !$0.isLetter }
        return String(core[..<(core.lastIndex(where: \.isLetter).map { core.index(after: $0) } ?? core.startIndex)])
    }

    private static func spelled(_ text: String) -> String { String(text.map { letters[$0] ?? $0 }) }

    /// What signs are written for letters.
    private static let letters: [Character: Character] = [
        "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g", "@": "a", "$": "s", "!": "i", "|": "l", "€": "e", "+": "t",
    ]

    /// Whether it is three words at most, all of them common.
    private static func isOfWords(_ text: Substring, at depth: Int) -> Bool {
        if text.isEmpty { return depth > 0 }
        guard depth < 3 else { return false }
        return (2...longest).contains { length in
            length <= text.count && words.contains(String(text.prefix(length))) && isOfWords(text.dropFirst(length), at: depth + 1)
        }
    }

    /// Up to four characters again and again.
    private static func isRepeated(_ text: String) -> Bool {
        let characters = Array(text)
        return (1...4).contains { period in
            characters.count >= 2 * period && characters.indices.dropFirst(period).allSatisfy { characters[$0] == characters[$0 - period] }
        }
    }

    /// Keys that lie beside each other, or that follow each other in the alphabet: at most two such runs, one after the other.
    private static func isRun(_ text: String) -> Bool {
        let characters = Array(text)
        guard characters.count > 3 else { return false }
        let breaks = zip(characters, characters.dropFirst()).count { pair in !isNext(pair.0, pair.1) }
        return breaks <= characters.count / 6
    }

    private static let rows = ["1234567890", "0123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn", "qwertzuiop", "yxcvbnm", "abcdefghijklmnopqrstuvwxyz", "1q2w3e4r5t6z7u8i9o0p", "1q2w3e4r5t6y7u8i9o0p", "1a2z3e4r5t6y7u8i9o0p"]
    private static let pairs: Set<String> = Set(
        rows.flatMap { row in zip(row, row.dropFirst()).flatMap { ["\($0)\($1)", "\($1)\($0)"] } })

    private static func isNext(_ first: Character, _ second: Character) -> Bool { first == second || pairs.contains("\(first)\(second)") }

    private static let longest = words.map(\.count).max() ?? 0
    private static let words: Set<String> = Set(
        """
        access account admin administrator adminadmin alpha amour andrea angel angels animal april autumn baby babygirl baseball basket basketball batman \
        beautiful bella blue bonjour bonsoir boston brown buster butterfly camille carlos changeit changeme charlie cheese chelsea chocolat chocolate city cityhall \
        coffee computer conurb cookie corona cookies cool dallas daniel data database david december default demo departement department doudou dragon \
        easy edward elephant eminem enter every family father february fire flower flowers football forever forgot france freedom friday friend friends \
        fuck gandalf george ginger girl gold google green guest happy hannah harley hello hockey holiday home honey house hunter iloveyou iloveu \
        internet isabelle jackson january jasmine jennifer jessica jesus jordan joshua juillet july june justin killer king kitty lalala laptop letmein light liverpool login loulou \
        love lovely loveme loulou lucky madison mairie manager manchester marseille martin master matrix matthew melissa metro metropole michael michelle mickey midnight \
        minecraft monday money monkey monster montpellier mother motdepasse muffin mustang naruto nathan network newyork nicolas nicole ninja nothing november \
        october office oliver opensesame orange pass passe passphrase passw password passwort patrick peanut pepper phoenix pizza pokemon police princess private public \
        purple qwerty azerty qwertz rabbit rainbow ranger real remote robert root samsung samantha saturday school secret secure security september server service shadow silver simple \
        smith snoopy soccer soleil sophie spiderman spring star starwars stella strawberry summer sunday sunflower sunny sunshine super superman support sweet \
        system tech temp temporary test tester testing thomas thunder thursday tigger tiger today trustno trustnoone tuesday turtle unknown user username vanessa victoria \
        village ville violet warrior water wednesday welcome whatever white william windows winter world yellow yankees zxcvbn azertyuiop qwertyuiop \
        abc abcd abcde abcdef the and you for are not your this that with one two three four five six seven eight nine ten hundred big red boy man my me in is it
        """.split(separator: " ").map(String.init))
}
