internal import CityModel
internal import Policy

/// How much of entities is shown. There are few views and many entities: each view is kept once.
struct KnownViews {
    private var places: [Int64: Int32] = [:]
    private var views: [View?] = []
    private var placesOfViews: [View?: Int32] = [:]

    private static let countMax = 500_000
    private static let viewCountMax = 10_000

    /// Nil where it is not known.
    subscript(entity: Int64) -> Shown? { places[entity].map { Shown(view: views[Int($0)]) } }

    /// Nil where an entity is not shown.
    struct Shown { let view: View? }

    /// - Returns: the view.
    mutating func keep(_ view: View?, of entity: Int64) -> View? {
        if places.count >= Self.countMax || views.count >= Self.viewCountMax { self = KnownViews() }
        if let place = placesOfViews[view] {
            places[entity] = place
            return views[Int(place)]
        }
        let place = Int32(views.count)
        views.append(view)
        (placesOfViews[view], places[entity]) = (place, place)
        return view
    }

    var count: Int { places.count }

    mutating func forget(_ entity: Int64) { places[entity] = nil }
}

/// What is known under other sights than the one that is read under: people with different rights take turns on one connection.
struct ViewShelf {
    /// The one that was used last is the last.
    private var shelved: [(sight: Sight, known: KnownViews)] = []

    private static let countMax = 7
    /// Entities of all sights together.
    private static let entityCountMax = 1_000_000

    mutating func put(_ known: KnownViews, of sight: Sight) {
        shelved.removeAll { $0.sight == sight }
        shelved.append((sight, known))
        while shelved.count > Self.countMax || shelved.reduce(0, { $0 + $1.known.count }) > Self.entityCountMax { shelved.removeFirst() }
    }

    mutating func take(_ sight: Sight) -> KnownViews? {
        shelved.firstIndex { $0.sight == sight }.map { shelved.remove(at: $0).known }
    }

    mutating func forget(_ entity: Int64) { for index in shelved.indices { shelved[index].known.forget(entity) } }
}
