internal import Cases
internal import CityModel
internal import Door
internal import Hummingbird
internal import OrderedCollections
internal import Trust

/// The views above the queue: those that everybody has, and those that somebody gave a name to.
extension SiteDoor {
    /// - Parameter form: what was sent and can't be done: what was typed stays.
    func show(_ views: DeskViews, _ filter: DeskFilter, _ form: FormFields?, in page: inout PageModel) {
        let (language, current) = (page.language, views.view(narrowing: filter.narrowing))
        page.members["views"] = .array(
            DeskFilter.View.allCases.map { view in
                [
                    "href": .string("/desk?" + filter.with(view).address.query), "label": .string(language.text("desk.views.\(view.rawValue)")),
                    "selected": .bool(current == nil && view == filter.view),
                ]
            })
        page.members["ownViews"] = .array(
            views.all.map { ["href": .string("/desk?" + $0.narrowing), "label": .string($0.name), "selected": .bool($0 == current)] })
        page.members["narrowing"] = .string(filter.narrowing)
        page.members["viewName"] = .string(String((form?["name"] ?? current?.name ?? "").prefix(200)))
        page.members["viewNameMax"] = .integer(Int64(DeskViews.nameCountMax))
        page.members["isViewOpen"] = .bool(form != nil)
        page.members["ownView"] = current.map { ["id": .integer(Int64($0.id)), "isOpening": .bool($0 == views.opening)] } ?? .null
    }

    func changeViews(_ request: DoorRequest, _ signedIn: SignedIn, _ fields: FormFields) async throws -> Response {
        _ = try await deskAccess(request, signedIn.municipality)
        let filter = DeskFilter(address: "/desk?" + (fields["narrowing"] ?? ""))
        let (action, name, narrowing, id) = (fields["action"] ?? "", fields["name"] ?? "", filter.narrowing, fields["view"].flatMap { Int($0) } ?? 0)
        do {
            try await desk.changeViews(signedIn) { views in
                switch action {
                case "saveView": try views.add(name, narrowing: narrowing)
                case "renameView": try views.rename(id, to: name)
                case "deleteView": views.remove(id)
                case "openWith": try views.open(with: id)
                case "openWithout": try views.open(with: nil)
                default: throw CityError.badRequestData("action: saveView, renameView, deleteView, openWith or openWithout")
                }
            }
        } catch let fault as DeskViewFault {
            return try await deskPage(request, signedIn, filter, fault: words(fault, language(request)), form: fields)
        }
        return redirect(to: "/desk?" + narrowing + "&done=\(action)", request)
    }

    private func words(_ fault: DeskViewFault, _ language: Language) -> String {
        switch fault {
        case .nameMissing: language.text("desk.own.faults.nameMissing")
        case .nameTooLong(let countMax): language.text("desk.own.faults.nameTooLong", count: countMax)
        case .nameTaken: language.text("desk.own.faults.nameTaken")
        case .tooMany(let countMax): language.text("desk.own.faults.tooMany", count: countMax)
        case .tooNarrow: language.text("desk.own.faults.tooNarrow")
        case .gone: language.text("desk.own.faults.gone")
        }
    }
}
