internal import Door

/// What the queue is narrowed to, as its address says.
struct DeskFilter: Equatable {
    enum View: String, CaseIterable { case open, mine, overdue, review, closed }

    var view = View.open
    var service: String?
    var department: String?
    var district: String?
    var page = 0

    init(_ query: QueryParameters) {
        func said(_ name: String) -> String? { query[name].flatMap { $0.isEmpty ? nil : $0 } }
        view = query["view"].flatMap(View.init) ?? .open
        (service, department, district) = (said("service"), said("department"), said("district"))
        page = min(max(query["page"].flatMap { Int($0) } ?? 0, 0), 400)
    }

    /// - Parameter address: of the queue, such as `/desk?view=mine`. Of what is none nothing is taken.
    init(address: String) {
        let query = address.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
        self.init((try? QueryParameters(query)) ?? QueryParameters())
    }

    /// The view always stands in it: an address without anything is for the desk to choose.
    var address: PageAddress {
        PageAddress(pairs: [
            ("view", view.rawValue), ("service", service ?? ""), ("department", department ?? ""), ("district", district ?? ""), ("page", page == 0 ? "" : String(page)),
        ])
    }

    /// What somebody may give a name to: the same for every page of it.
    var narrowing: String { at(0).address.query }

    func with(_ view: View) -> DeskFilter {
        var filter = self
        (filter.view, filter.page) = (view, 0)
        return filter
    }

    func at(_ page: Int) -> DeskFilter {
        var filter = self
        filter.page = page
        return filter
    }
}
