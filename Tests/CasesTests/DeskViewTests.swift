@testable import Cases
import CityModel
import Store
import Testing
import Trust

@Suite struct DeskViewTests {
    private func views(_ names: [String]) throws -> DeskViews {
        var views = DeskViews()
        for name in names { try views.add(name, narrowing: "view=open&service=\(name)") }
        return views
    }

    @Test func `views come back as they were kept, in the order in which they were made`() throws {
        var views = try views(["Lamps", "Potholes", "Noise"])
        try views.rename(2, to: "  Holes\nin the   road ")
        views.remove(1)
        try views.open(with: 3)
        #expect(views.all.map(\.name) == ["Holes in the road", "Noise"])
        #expect(views.opening?.name == "Noise")
        #expect(DeskViews(views.json) == views)
        #expect(views.view(narrowing: "view=open&service=Potholes")?.id == 2)
        #expect(views.view(narrowing: "view=open") == nil)
    }

    @Test(arguments: [
        ("", DeskViewFault.nameMissing), (" \u{0} \n", .nameMissing), (String(repeating: "a", count: 41), .nameTooLong(countMax: 40)), ("lAMPS", .nameTaken),
        ("e" + String(repeating: "\u{301}", count: 400), .nameTooLong(countMax: 40)),
    ])
    func `a name that can't be is refused, for a new view and for another one`(name: String, fault: DeskViewFault) throws {
        var views = try views(["Lamps", "Noise"])
        let before = views
        #expect(throws: fault) { try views.add(name, narrowing: "view=mine") }
        #expect(throws: fault) { try views.rename(2, to: name) }
        #expect(views == before)
    }

    @Test func `a view keeps its own name, in other letters too`() throws {
        var views = try views(["Lamps", String(repeating: "a", count: 40)])
        try views.rename(1, to: "LAMPS")
        #expect(views.all[0].name == "LAMPS")
    }

    @Test func `thirty views, and no more`() throws {
        var views = try views((1...29).map { "View \($0)" })
        try views.add("The thirtieth", narrowing: "view=mine")
        #expect(throws: DeskViewFault.tooMany(countMax: 30)) { try views.add("One more", narrowing: "view=mine") }
        views.remove(4)
        try views.add("One more", narrowing: "view=mine")
        #expect(views.all.count == 30)
    }

    @Test(arguments: [(994, true), (995, false)])
    func `what a view is narrowed to has a bound`(byteCount: Int, isKept: Bool) throws {
        var views = DeskViews()
        let narrowing = "view=" + String(repeating: "a", count: byteCount) + "b"
        if isKept { try views.add("Long", narrowing: narrowing) } else {
            #expect(throws: DeskViewFault.tooNarrow) { try views.add("Long", narrowing: narrowing) }
        }
    }

    @Test func `a form that is older than a view changes no other`() throws {
        var views = try views(["Lamps", "Noise"])
        views.remove(2)
        try views.add("Waste", narrowing: "view=mine")
        views.remove(2)
        #expect(throws: DeskViewFault.gone) { try views.rename(2, to: "Other") }
        #expect(throws: DeskViewFault.gone) { try views.open(with: 2) }
        #expect(views.all.map(\.id) == [1, 3])
    }

    @Test func `with a view goes that the desk opens with it`() throws {
        var views = try views(["Lamps"])
        try views.open(with: 1)
        views.remove(1)
        #expect(views.opening == nil && views.json == nil)
    }
}
