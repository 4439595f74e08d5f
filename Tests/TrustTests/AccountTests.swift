import CityModel
import Foundation
import Store
import Testing
@testable import Trust

@Suite struct AccountTests {
    private final class City: Sendable {
        let path = FileManager.default.temporaryDirectory.appending(path: "conurb-\(UUID().uuidString)").path
        let store: Store
        let accounts: Accounts
        let gatekeeper: Gatekeeper
        static let (alder, birch) = (MunicipalityName("alder")!, MunicipalityName("birch")!)
        static let password = "ostrich ladder nineteen"
        let now = Instant(seconds: Instant.now.seconds)
        let visitor = Visitor(address: "203.0.113.7", agent: "test")

        init() throws {
            store = try Store(directory: path, keys: KeyRing(directory: "\(path)/_keys").residentKeys(publicAddress: nil))
            var settings = AccountSettings()
            settings.cost = lightCost
            accounts = Accounts(store: store, settings: settings)
            gatekeeper = Gatekeeper(store: store, isOpen: false, accounts: accounts)
            for name in [Self.alder, Self.birch] { _ = try store.file(name, creating: true) }
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        var access: AdministerAccess { get async throws { try await gatekeeper.administering(Self.alder, .program) } }

        /// Somebody with a password, signed in.
        func member(_ login: String = "marie", _ roles: [String] = ["steward"], endsAt: Instant? = nil) async throws -> String {
            let access = try await access
            _ = try await accounts.create(access, login: login, name: "Somebody", roles: roles, endsAt: endsAt, at: now)
            let invitation = try await accounts.invite(access, login, at: now)
            return try Self.session(try await accounts.accept(invitation, login: "", name: "", password: Self.password, from: visitor, at: now))
        }

        func signIn(_ login: String = "marie", _ password: String = password, device: String? = nil, at moment: Instant? = nil) async throws -> SignInOutcome {
            try await accounts.signIn(
                Self.alder, login: login, password: password, from: Visitor(address: "203.0.113.7", device: device), at: moment ?? now)
        }

        /// Sets up a second factor.
        /// - Returns: its secret.
        @discardableResult
        func enrol(_ session: String, at moment: Instant? = nil) async throws -> [UInt8] {
            let moment = moment ?? now
            let signedIn = try #require(try await accounts.signedIn(session, at: moment))
            let text = accounts.newCodeSecret(signedIn).secret
            let secret = try #require(Base32.decode(text))
            let code = OneTimeCode.code(secret, counter: OneTimeCode.step(at: moment))
            _ = try await accounts.enrol(signedIn, secret: text, code: code, password: Self.password, at: moment)
            return secret
        }

        /// The acts that the ledger of the municipality holds.
        func acts() async throws -> [JSON] {
            let accountability = Accountability(store: store, ring: KeyRing(directory: store.keysDirectory))
            return try await accountability.entries(from: 0, limit: 1000, access).map { try JSON(parsing: #require($0.text).entry) }
        }

        static func session(_ outcome: SignInOutcome) throws -> String {
            guard case .signedIn(let session, _) = outcome else { throw CityError.forbidden("\(outcome)") }
            return session
        }

        func isIn(_ session: String, at moment: Instant? = nil) async throws -> Bool { try await accounts.signedIn(session, at: moment ?? now) != nil }
    }

    private func isRefused(_ outcome: SignInOutcome) -> Bool { if case .refused = outcome { true } else { false } }

    @Test func `an invitation sets a password once, and signs in`() async throws {
        let city = try City()
        let access = try await city.access
        _ = try await city.accounts.create(access, login: "Marie@Example.org ", name: "Marie", roles: ["steward"], at: city.now)
        let invitation = try await city.accounts.invite(access, "marie@example.org", at: city.now)
        await #expect(throws: AccountFormError.tooShort) {
            try await city.accounts.accept(invitation, login: "", name: "", password: "short", from: city.visitor, at: city.now)
        }
        let session = try City.session(try await city.accounts.accept(invitation, login: "", name: "", password: City.password, from: city.visitor, at: city.now))
        #expect(try await city.isIn(session))
        await #expect(throws: AccountFormError.linkUsed) {
            try await city.accounts.accept(invitation, login: "", name: "", password: City.password, from: city.visitor, at: city.now)
        }
        #expect(try await city.isIn(try City.session(try await city.signIn("MARIE@example.org"))))
    }

    @Test func `an invitation ends after a day, with the next one, and with the account`() async throws {
        let city = try City()
        let access = try await city.access
        _ = try await city.accounts.create(access, login: "marie", name: "Marie", roles: ["steward"], at: city.now)
        let first = try await city.accounts.invite(access, "marie", at: city.now)
        let second = try await city.accounts.invite(access, "marie", at: city.now)
        #expect(try await city.accounts.invited(first, at: city.now) == nil)
        #expect(try await city.accounts.invited(second, at: city.now.adding(seconds: 86_399)) != nil)
        #expect(try await city.accounts.invited(second, at: city.now.adding(seconds: 86_400)) == nil)
        _ = try await city.accounts.change(access, "marie", isDisabled: true, at: city.now)
        #expect(try await city.accounts.invited(second, at: city.now) == nil)
        for forged in ["", "alder", "alder.AAAA", "nowhere.\(Secret.text())", "alder.\(Secret.text())"] {
            #expect(try await city.accounts.invited(forged, at: city.now) == nil)
        }
    }

    @Test func `a wrong password, an unknown login and a disabled account are refused alike`() async throws {
        let city = try City()
        _ = try await city.member()
        #expect(isRefused(try await city.signIn("marie", "ostrich ladder eighteen")))
        #expect(isRefused(try await city.signIn("nobody")))
        #expect(isRefused(try await city.signIn("marie", "")))
        _ = try await city.accounts.change(city.access, "marie", isDisabled: true, at: city.now)
        #expect(isRefused(try await city.signIn()))
    }

    @Test func `guessing is slowed down, also for logins that there are not, and the owner's browser goes on`() async throws {
        let city = try City()
        _ = try await city.member()
        guard case .signedIn(_, let device) = try await city.signIn() else { throw CityError.forbidden("") }
        for login in ["marie", "nobody"] {
            for _ in 0..<5 { #expect(isRefused(try await city.signIn(login, "wrong wrong wrong"))) }
            guard case .tooManyAttempts(let seconds) = try await city.signIn(login) else {
                Issue.record("\(login) may go on guessing")
                continue
            }
            #expect(seconds == 1)
        }
        _ = try City.session(try await city.signIn(device: device))
        guard case .tooManyAttempts = try await city.signIn(device: device + "x") else { throw CityError.forbidden("a forged device is known") }
    }

    @Test func `roles say what an account may do, as they are at that moment`() async throws {
        let city = try City()
        let (resident, steward) = try await (city.member("resident", ["resident"]), city.member("steward"))
        let administrator = try await city.member("administrator", ["administrator"])
        try await city.enrol(administrator)
        func roles(_ session: String) async throws -> JSON? { try await city.gatekeeper.reading(City.alder, .session(session)).claimant?.json["roles"] }
        #expect(try await [roles(resident), roles(steward), roles(administrator)] == [["resident"], ["steward"], ["administrator"]])
        _ = try await city.gatekeeper.writing(City.alder, .session(steward))
        await #expect(throws: CityError.self) { try await city.gatekeeper.writing(City.alder, .session(resident)) }
        _ = try await city.gatekeeper.administering(City.alder, .session(administrator))
        await #expect(throws: CityError.self) { try await city.gatekeeper.administering(City.alder, .session(steward)) }
        // Elsewhere, and without a session that counts, one is as anybody.
        #expect(try await city.gatekeeper.reading(City.birch, .session(administrator)).principal == .anonymous)
        await #expect(throws: CityError.self) { try await city.gatekeeper.administering(City.birch, .session(administrator)) }
        #expect(await city.gatekeeper.credential(.session(administrator), takenTo: City.birch) == .none)
        _ = try await city.accounts.change(city.access, "administrator", roles: ["steward"], at: city.now)
        await #expect(throws: CityError.self) { try await city.gatekeeper.administering(City.alder, .session(administrator)) }
    }

    @Test func `a session ends when it is not used, after its day, with its account, and when it is signed out`() async throws {
        let city = try City()
        let session = try await city.member()
        let idle = city.accounts.settings.sessionIdleSeconds
        #expect(try await !city.isIn(session, at: city.now.adding(seconds: idle)))
        var moment = city.now
        while moment.adding(seconds: idle - 1) < city.now.adding(seconds: city.accounts.settings.sessionSeconds) {
            moment = moment.adding(seconds: idle - 1)
            #expect(try await city.isIn(session, at: moment), "use keeps it alive")
        }
        #expect(try await !city.isIn(session, at: city.now.adding(seconds: city.accounts.settings.sessionSeconds)))
        let other = try City.session(try await city.signIn())
        try await city.accounts.signOut(other)
        #expect(try await !city.isIn(other))
        let (third, fourth) = try await (City.session(city.signIn()), City.session(city.signIn()))
        try await city.accounts.signOutEverywhere(try #require(try await city.accounts.signedIn(third, at: city.now)), at: city.now)
        #expect(try await [city.isIn(third), city.isIn(fourth)] == [false, false])
        let last = try City.session(try await city.signIn())
        try await city.accounts.remove(city.access, "marie", at: city.now)
        #expect(try await !city.isIn(last))
    }

    @Test func `a supplier's account has an end, and is worth nothing from then on`() async throws {
        let city = try City()
        await #expect(throws: CityError.self) { _ = try await city.member("works", ["supplier"]) }
        let end = city.now.adding(seconds: 600)
        let session = try await city.member("works", ["supplier"], endsAt: end)
        #expect(try await city.isIn(session, at: end.adding(seconds: -1)))
        #expect(try await !city.isIn(session, at: end))
        #expect(isRefused(try await city.signIn("works", at: end)))
        await #expect(throws: CityError.self) { try await city.accounts.change(city.access, "works", endsAt: .some(nil), at: city.now) }
    }

    @Test(arguments: [[], ["king"], ["operator"], ["token-administrator"], ["steward", "steward"]])
    func `roles are those of the city`(roles: [String]) async throws {
        let city = try City()
        await #expect(throws: CityError.self) { _ = try await city.member("marie", roles) }
    }

    @Test func `with a second factor a password alone opens nothing, and a code opens once`() async throws {
        let city = try City()
        let first = try await city.member()
        let other = try City.session(try await city.signIn())
        let signedIn = try #require(try await city.accounts.signedIn(first, at: city.now))
        let secretText = city.accounts.newCodeSecret(signedIn).secret
        let secret = try #require(Base32.decode(secretText))
        func code(_ moment: Instant) -> String { OneTimeCode.code(secret, counter: OneTimeCode.step(at: moment)) }
        await #expect(throws: AccountFormError.wrongCode) {
            try await city.accounts.enrol(signedIn, secret: secretText, code: code(city.now.adding(seconds: 300)), password: City.password, at: city.now)
        }
        await #expect(throws: AccountFormError.wrongPassword) {
            try await city.accounts.enrol(signedIn, secret: secretText, code: code(city.now), password: "not mine", at: city.now)
        }
        let recovery = try await city.accounts.enrol(signedIn, secret: secretText, code: code(city.now), password: City.password, at: city.now)
        #expect(Set(recovery).count == 10)
        #expect(try await [city.isIn(first), city.isIn(other)] == [true, false], "whoever else is signed in has to show a code too")

        func waiting() async throws -> String {
            guard case .needsCode(let session) = try await city.signIn() else { throw CityError.forbidden("no code is asked for") }
            return session
        }
        let pending = try await waiting()
        #expect(try await !city.isIn(pending))
        #expect(try await city.gatekeeper.reading(City.alder, .session(pending)).principal == .anonymous)
        #expect(isRefused(try await city.accounts.confirm(pending, code: code(city.now), from: city.visitor, at: city.now)), "that one was used to enrol")
        let later = city.now.adding(seconds: 30)
        let opened = try City.session(try await city.accounts.confirm(pending, code: code(later), from: city.visitor, at: later))
        #expect(try await [city.isIn(opened), city.isIn(pending)] == [true, false])
        #expect(opened != pending)
        let again = try await waiting()
        #expect(isRefused(try await city.accounts.confirm(again, code: code(later), from: city.visitor, at: later)))
        #expect(isRefused(try await city.accounts.confirm(again, code: code(later.adding(seconds: 600)), from: city.visitor, at: later.adding(seconds: 600))), "too late")
        _ = try City.session(try await city.accounts.confirm(again, code: recovery[3].lowercased(), from: city.visitor, at: later))
        #expect(isRefused(try await city.accounts.confirm(try await waiting(), code: recovery[3], from: city.visitor, at: later)))
    }

    @Test func `of many at once with one code one is let in`() async throws {
        let city = try City()
        let signedIn = try #require(try await city.accounts.signedIn(try await city.member(), at: city.now))
        let secretText = city.accounts.newCodeSecret(signedIn).secret
        let secret = try #require(Base32.decode(secretText))
        let step = OneTimeCode.step(at: city.now)
        _ = try await city.accounts.enrol(signedIn, secret: secretText, code: OneTimeCode.code(secret, counter: step), password: City.password, at: city.now)
        let account = try #require(try await city.accounts.list(city.access).first)
        let accepted = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<20 {
                group.addTask { try await city.accounts.useCode(OneTimeCode.code(secret, counter: step + 1), of: account, City.alder, at: city.now) }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(accepted == 1)
    }

    @Test func `a new password asks for the old one, and ends all other sessions`() async throws {
        let city = try City()
        let (mine, other) = try await (city.member(), City.session(city.signIn()))
        let signedIn = try #require(try await city.accounts.signedIn(mine, at: city.now))
        await #expect(throws: AccountFormError.wrongPassword) { try await city.accounts.changePassword(signedIn, old: "wrong", new: "grue lunaire, midi", at: city.now) }
        await #expect(throws: AccountFormError.common) { try await city.accounts.changePassword(signedIn, old: City.password, new: "Password1234", at: city.now) }
        try await city.accounts.changePassword(signedIn, old: City.password, new: "grue lunaire, midi", at: city.now)
        #expect(try await [city.isIn(mine), city.isIn(other)] == [true, false])
        #expect(isRefused(try await city.signIn()))
        _ = try City.session(try await city.signIn("marie", "grue lunaire, midi"))
    }

    @Test func `forms of a session bring along what only its pages know`() async throws {
        let city = try City()
        let (mine, other) = try await (city.member(), City.session(city.signIn()))
        let signedIn = try #require(try await city.accounts.signedIn(mine, at: city.now))
        #expect(city.accounts.isOwnForm(signedIn.formToken, signedIn))
        let foreign = try #require(try await city.accounts.signedIn(other, at: city.now)).formToken
        for forged in [nil, "", foreign, signedIn.formToken + "A"] { #expect(!city.accounts.isOwnForm(forged, signedIn)) }
    }

    @Test func `a new password by a link takes no second factor off`() async throws {
        let city = try City()
        let session = try await city.member()
        try await city.enrol(session)
        let invitation = try await city.accounts.invite(city.access, "marie", at: city.now)
        let outcome = try await city.accounts.accept(
            invitation, login: "", name: "", password: City.password + " again", from: city.visitor, at: city.now)
        guard case .needsCode(let waiting) = outcome else { return #expect(Bool(false), "\(outcome)") }
        #expect(try await !city.isIn(waiting), "a code is still to come")
    }

    @Test func `neither passwords nor sessions nor links stand in the file`() async throws {
        let city = try City()
        let session = try await city.member()
        let invitation = try await city.accounts.invite(city.access, "marie", at: city.now)
        try city.store.close()
        let data = try Data(contentsOf: URL(filePath: "\(city.path)/alder/\(MunicipalityFile.fileName)"))
        for secret in [City.password, String(session.split(separator: ".")[1]), String(invitation.split(separator: ".")[1])] {
            #expect(data.range(of: Data(secret.utf8)) == nil)
        }
    }

    @Test func `a backup that is put in place lets nobody in who was signed in then`() async throws {
        let city = try City()
        let session = try await city.member()
        let path = "\(city.path)-backup"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await city.store.file(City.alder).copy(to: path)
        try city.store.remove(City.alder)
        try await city.store.restore(City.alder, from: path)
        #expect(try await !city.isIn(session))
        _ = try City.session(try await city.signIn())
    }

    @Test func `an installation without an administrator gets one link, and with one none`() async throws {
        let city = try City()
        let first = try #require(try await city.accounts.firstAdministrator(city.gatekeeper, at: city.now))
        let second = try #require(try await city.accounts.firstAdministrator(city.gatekeeper, at: city.now))
        #expect(first.municipality == City.alder && first.invitation != second.invitation)
        #expect(try await city.accounts.invited(first.invitation, at: city.now) == nil)
        let session = try City.session(
            try await city.accounts.accept(second.invitation, login: "boss@example.org", name: "The Boss", password: City.password, from: city.visitor, at: city.now))
        await #expect(throws: CityError.self, "a second factor comes first") { try await city.gatekeeper.administering(City.alder, .session(session)) }
        try await city.enrol(session)
        _ = try await city.gatekeeper.administering(City.alder, .session(session))
        #expect(try await city.accounts.firstAdministrator(city.gatekeeper, at: city.now) == nil)
    }

    @Test(arguments: [("administrator", true), ("security-lead", true), ("data-protection-officer", true), ("steward", false), ("resident", false)])
    func `who can open much sets up a second factor before anything else`(role: String, isHeld: Bool) async throws {
        let city = try City()
        let session = try await city.member("somebody", [role])
        #expect(try await city.accounts.signedIn(session, at: city.now)?.mustEnrol == isHeld)
        let principal = try await city.gatekeeper.reading(City.alder, .session(session)).principal
        #expect((principal == .anonymous) == isHeld, "until then they are as anybody")
        #expect(await (city.gatekeeper.credential(.session(session), takenTo: City.alder) == .none) == isHeld)
        try await city.enrol(session)
        #expect(try await city.gatekeeper.reading(City.alder, .session(session)).principal != .anonymous)
        let signedIn = try #require(try await city.accounts.signedIn(session, at: city.now))
        try await city.accounts.dropSecondFactor(signedIn, password: City.password, at: city.now)
        #expect(try await city.accounts.signedIn(session, at: city.now)?.mustEnrol == isHeld)
    }

    @Test func `the secret of an authenticator app is sealed with a key outside of the file, and one from before at its first use`() async throws {
        let city = try City()
        let session = try await city.member()
        let secret = try await city.enrol(session)
        func stored() async throws -> [UInt8] { try #require(try await city.accounts.list(city.access).first?.codeSecret) }
        let sealed = try await stored()
        #expect(SealedSecret.isSealed(sealed) && !sealed.starts(with: secret))
        func code(after seconds: Double) -> String { OneTimeCode.code(secret, counter: OneTimeCode.step(at: city.now.adding(seconds: seconds))) }
        var account = try #require(try await city.accounts.list(city.access).first)
        #expect(try await city.accounts.useCode(code(after: 30), of: account, City.alder, at: city.now.adding(seconds: 30)))
        // As files of earlier versions have it.
        account.codeSecret = secret
        try await city.store.file(City.alder).write { [account] in try $0.put(account) }
        #expect(try await city.accounts.useCode(code(after: 60), of: account, City.alder, at: city.now.adding(seconds: 60)))
        let again = try await stored()
        #expect(SealedSecret.isSealed(again) && again != sealed)
        // With another key, or for another account, it is nothing.
        let other = Accounts(
            store: city.store, settings: city.accounts.settings,
            accountability: Accountability(store: city.store, ring: KeyRing(directory: city.path + "/_others")))
        await #expect(throws: CityError.self) { try await other.useCode(code(after: 90), of: account, City.alder, at: city.now.adding(seconds: 90)) }
        let key = try await city.accounts.sealedSecret(of: account, City.birch)
        #expect(throws: CityError.self) { try key.open(again) }
    }

    @Test func `an administrator takes off what somebody has lost, and the ledger says so`() async throws {
        let city = try City()
        let session = try await city.member()
        try await city.enrol(session)
        try await city.accounts.resetSecondFactor(city.access, "marie", at: city.now)
        #expect(try await !city.isIn(session))
        _ = try City.session(try await city.signIn())
        await #expect(throws: CityError.self, "there is none any more") { try await city.accounts.resetSecondFactor(city.access, "marie", at: city.now) }
        #expect(try await city.acts().contains { $0["act"] == "second-factor-reset" && $0["by"] == "conurb" })
    }

    @Test func `signing in and what changes how are acts of the account, failures a count by the hour`() async throws {
        let city = try City()
        let session = try await city.member()
        let signedIn = try #require(try await city.accounts.signedIn(session, at: city.now))
        try await city.accounts.changePassword(signedIn, old: City.password, new: "grue lunaire, midi", at: city.now)
        _ = try City.session(try await city.signIn("marie", "grue lunaire, midi"))
        for _ in 0..<3 { #expect(isRefused(try await city.signIn("marie", "guess guess guess"))) }
        #expect(isRefused(try await city.signIn("nobody", "guess guess guess")))
        try await city.accounts.signOutEverywhere(signedIn, at: city.now)
        try await city.accounts.recordFailures(at: city.now)
        let account = try #require(try await city.accounts.list(city.access).first?.id)
        var acts = try await city.acts().filter { !["account-created", "account-invited"].contains($0["act"]?.stringValue) }
        #expect(
            acts.map { "\($0["act"]?.stringValue ?? "") \($0["details"]?["by"]?.stringValue ?? "-")" }
                == ["password-changed invitation", "signed-in invitation", "password-changed -", "signed-in password", "signed-out-everywhere -"])
        #expect(acts.allSatisfy { $0["by"] == .string("account:\(account)") && $0["about"] == .string(account) })
        let later = city.now.adding(seconds: 3600)
        try await city.accounts.recordFailures(at: later)
        try await city.accounts.recordFailures(at: later)
        acts = try await city.acts().filter { $0["act"] == "sign-ins-failed" }
        #expect(acts.count == 1 && acts[0]["details"]?["count"] == 3 && acts[0]["about"] == .string(account) && acts[0]["by"] == "conurb")
        #expect(try await city.acts().allSatisfy { !$0.description.contains("marie") && !$0.description.contains("203.0.113") })
    }

    @Test func `who gets an account, other roles or a link is in the ledger, and not who it is`() async throws {
        let city = try City()
        let access = try await city.access
        let account = try await city.accounts.create(access, login: "marie@example.org", name: "Marie", roles: ["steward"], at: city.now)
        _ = try await city.accounts.invite(access, "marie@example.org", at: city.now)
        _ = try await city.accounts.change(access, "marie@example.org", roles: ["auditor"], at: city.now)
        try await city.accounts.remove(access, "marie@example.org", at: city.now)
        let ring = KeyRing(directory: city.path + "/keys")
        let entries = try await Accountability(store: city.store, ring: ring).entries(from: 0, limit: 10, access).map { try JSON(parsing: #require($0.text).entry) }
        #expect(entries.map { $0["act"] } == ["account-created", "account-invited", "account-changed", "account-removed"])
        #expect(entries.allSatisfy { $0["about"] == .string(account.id) && !$0.description.contains("marie") })
        #expect(entries[2]["details"]?["roles"] == ["auditor"])
    }
}
