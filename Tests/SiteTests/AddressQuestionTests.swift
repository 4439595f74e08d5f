import Testing
@testable internal import Site

@Suite struct AddressQuestionTests {
    @Test(arguments: [
        ("12 rue X", [["12", "rue", "x"], ["rue", "x"]], true), ("rue X", [["rue", "x"]], false), ("12 bis, rue X, Alder", [["12", "bis", "rue", "x", "alder"], ["rue", "x", "12", "bis"], ["rue", "x"]], true),
        ("Calle de la Cruz, 7", [["calle", "de", "la", "cruz", "7"], ["calle", "de", "la", "cruz"]], true), ("Hauptstraße 5a", [["hauptstrasse", "5a"], ["hauptstrasse"]], true),
        ("rue du 8 mai 1945", [["rue", "du", "8", "mai", "1945"], ["rue", "du", "8", "mai"]], true), ("12", [], true), ("", [], false), ("bis", [], false),
    ])
    func `an address is looked for with all its words, then without the city, then without the number`(text: String, attempts: [[String]], hasNumber: Bool) {
        let question = AddressQuestion(text)
        #expect(question.attempts == attempts)
        #expect(question.hasNumber == hasNumber)
    }
}
