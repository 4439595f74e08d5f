import CityModel
import Declarations
import Testing

struct YAMLValueTests {
    private func failure(_ text: String) -> DeclarationError? {
        do throws(DeclarationError) {
            _ = try YAMLValue.root(of: text)
            return nil
        } catch {
            return error
        }
    }

    @Test func `an error says file, line, key and reason`() {
        let error = DeclarationError(line: 3, key: "rules[0].who", reason: "a text is needed here")
        #expect(error.description == "line 3: rules[0].who: a text is needed here")
        #expect(error.inFile("a.yaml").description == "a.yaml, line 3: rules[0].who: a text is needed here")
        #expect(DeclarationError(line: 1, key: "", reason: "the text is empty").description == "line 1: the text is empty")
    }

    @Test func `a value knows its line and the path of its key`() throws {
        let root = try YAMLValue.root(of: "a:\n  b: [x, {c: 1}]\n")
        let inner = try root.part(keys: ["a"]).required("a").part(keys: ["b"]).required("b").elements()[1].members()[0].value
        #expect((inner.path, inner.line) == ("a.b[1].c", 2))
        #expect(try inner.integer(in: 0...1) == 1)
    }

    @Test func `text is read up to the limit and not beyond`() {
        let most = "a: " + String(repeating: "x", count: YAMLValue.byteCountMax - 3)
        #expect(failure(most) == nil)
        #expect(failure(most + "x") != nil)
    }

    @Test func `values may lie in each other up to the limit and not beyond`() {
        func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(failure(nested(YAMLValue.depthMax)) == nil)
        #expect(failure(nested(YAMLValue.depthMax + 1)) != nil)
        #expect(failure(nested(900)) != nil)
        #expect(failure(nested(400_000)) != nil)
    }

    @Test(arguments: ["*a", "? *a\n: x", "[*a]", "- *a"])
    func `an anchor may be referred to up to the limit and not beyond`(reference: String) {
        func text(_ count: Int) -> String {
            "first: &a [x]\nrest:\n" + (0..<count).map { "- k\($0):\n    \(reference.replacing("\n", with: "\n    "))\n" }.joined()
        }
        #expect(failure(text(YAMLValue.aliasCountMax)) == nil)
        #expect(failure(text(YAMLValue.aliasCountMax + 1)) != nil)
    }

    @Test func `a small text that repeats itself a million times is refused or read at once`() {
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + zip("bcdefghi", "abcdefgh").map { name, before in
            "\(name): &\(name) [\(Array(repeating: "*\(before)", count: 9).joined(separator: ","))]\n"
        }.joined()
        #expect(failure(bomb)?.reason.contains("references") == true)
    }

    @Test(arguments: ["", "a: [", "a: 1\na: 2"])
    func `what is not YAML is an error`(text: String) { #expect(failure(text) != nil) }

    @Test func `an unknown key names the nearest, and an unknown choice those there are`() throws {
        enum Colour: String, CaseIterable { case red, green }
        let root = try YAMLValue.root(of: "colour: gren")
        #expect(throws: DeclarationError(line: 1, key: "colour", reason: "there is no such key here; the nearest is color")) {
            try root.part(keys: ["color", "size"])
        }
        #expect(
            throws: DeclarationError(line: 1, key: "colour", reason: "gren is not one of red, green; did you mean green?")
        ) { try root.part(keys: ["colour"]).required("colour").choice(Colour.self) }
    }

    @Test func `plain scalars have their JSON type and quoted ones are text`() throws {
        let json = try YAMLValue.root(of: "[1, '1', 1.5, true, 'true', {a: b}]").json()
        #expect(json == [1, "1", 1.5, true, "true", ["a": "b"]])
    }
}
