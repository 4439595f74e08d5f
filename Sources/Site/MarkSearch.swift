internal import Broker
internal import CityModel
internal import Store
internal import Trust

/// Which entities a request asks for.
struct MarkSelection: Sendable {
    /// Indexes into the catalogue's municipalities.
    var municipalities: [Int]
    /// Indexes into the catalogue's entries; nil means all.
    var entries: Set<Int>?
    var box: BoundingBox?
    /// Folded; a name contains it.
    var nameContains: String?
    /// A moment of the past; nil means now.
    var moment: Instant?
    /// Whether to answer with all of them, however long the reading takes, rather than with those that could be read in time.
    var isWhole = false
}

/// A mark with where it belongs.
struct FoundMark: Sendable {
    /// Index into the catalogue's municipalities.
    let municipality: Int
    let mark: Mark
}

/// What a selection found. `unread` are places of entities that there was no time to read; their types and values are not known.
struct FoundMarks: Sendable {
    var marks: [FoundMark] = []
    var unread: [Mark.Position] = []
    /// Whether there was no time to read all.
    var isPartial = false
}

extension City {
    /// The marks of a selection, in no order. Municipalities are read side by side.
    func marks(_ selection: MarkSelection, _ catalogue: Catalogue, at now: Instant) async throws -> FoundMarks {
        try await withThrowingTaskGroup(of: FoundMarks.self) { group in
            for index in selection.municipalities {
                group.addTask { try await marks(of: index, selection, catalogue, at: now) }
            }
            return try await group.reduce(into: FoundMarks()) { all, part in
                all.marks += part.marks
                all.unread += part.unread
                all.isPartial = all.isPartial || part.isPartial
            }
        }
    }

    private func marks(of index: Int, _ selection: MarkSelection, _ catalogue: Catalogue, at now: Instant) async throws -> FoundMarks {
        let access = catalogue.municipalities[index].access
        let places: [LivePlace]
        do {
            places = try await self.places(of: index, selection, catalogue, at: now)
        } catch CityError.nonexistentTenant {
            return FoundMarks()
        }
        var (marks, unread) = try await read(places, isWhole: selection.isWhole, catalogue.municipalities[index], catalogue, at: now)
        if let entries = selection.entries { marks.removeAll { !entries.contains($0.entry) } }
        if let wanted = selection.nameContains, !wanted.isEmpty { marks.removeAll { !$0.foldedName.contains(wanted) } }
        if let moment = selection.moment { marks = try await past(marks, at: moment, access, catalogue, now: now) }
        if let box = selection.box { marks.removeAll { !($0.position.map(box.contains) ?? false) } }
        // Where they are is shown, if anything is.
        try await broker.account(forShown: unread.filter(\.isPersonal).map(\.number), access, at: now)
        let positions = unread.compactMap { place in
            place.longitude.flatMap { longitude in place.latitude.map { Mark.Position(longitude: longitude, latitude: $0) } }
        }
        return FoundMarks(marks: marks.map { FoundMark(municipality: index, mark: $0) }, unread: positions, isPartial: !unread.isEmpty)
    }

    /// Up to this many entities of the wanted types are looked at wherever they are, rather than everything that is in the box:
    /// who looks at the car parks need not wait for fifty thousand street lamps.
    private static let byTypeCountMax = 5000

    /// Entities that may belong to the selection, and few others.
    private func places(of index: Int, _ selection: MarkSelection, _ catalogue: Catalogue, at now: Instant) async throws -> [LivePlace] {
        let municipality = catalogue.municipalities[index]
        let access = municipality.access
        let entries = selection.entries ?? Set(catalogue.entries.indices)
        guard !entries.isEmpty else { return [] }
        let count = entries.reduce(0) { $0 + (municipality.counts[catalogue.entries[$1].type] ?? 0) }
        if let box = selection.box, count > Self.byTypeCountMax {
            var places = try await broker.livePlaces(in: box, countMax: limits.placeCountMax, access, at: now)
            let moving = selection.moment == nil ? [] : entries.filter { catalogue.entries[$0].moves }.map { catalogue.entries[$0].type }
            if !moving.isEmpty {
                let elsewhere = try await broker.livePlaces(ofTypes: moving, countMax: limits.placeCountMax, access, at: now)
                let known = Set(places.map(\.number))
                places += elsewhere.filter { !known.contains($0.number) }
            }
            return places
        }
        if let wanted = selection.nameContains, !wanted.isEmpty {
            return try await broker.liveNames(of: municipality.nameAttributes, visitCountMax: limits.placeCountMax, access, at: now) {
                Words.folded($0).contains(wanted)
            }
        }
        let types = entries.map { catalogue.entries[$0].type }.filter { municipality.counts[$0] ?? 0 > 0 }
        guard !types.isEmpty else { return [] }
        return try await broker.livePlaces(ofTypes: types, countMax: limits.placeCountMax, access, at: now)
    }

    /// The marks of these places: those kept in memory, and the others read from the file, all or while there is time.
    private func read(
        _ places: [LivePlace], isWhole: Bool, _ municipality: Catalogue.Municipality, _ catalogue: Catalogue, at now: Instant
    ) async throws -> (marks: [Mark], unread: [LivePlace]) {
        let known = marks.known(places.map { ($0.number, $0.version) }, of: municipality.incarnation, signature: catalogue.signature)
        var found: [Mark] = []
        found.reserveCapacity(places.count)
        var missing: [LivePlace] = []
        for (place, known) in zip(places, known) {
            switch known {
            // An expired attribute is taken off when it is read, not when it expires.
            case _ where place.hasExpired: missing.append(place)
            case .mark(let mark)?: found.append(mark)
            case Optional.some(.none): continue
            case nil: missing.append(place)
            }
        }
        let deadline = ContinuousClock.now + .seconds(limits.readingSecondsMax)
        var rest = missing[...]
        while !rest.isEmpty, isWhole || ContinuousClock.now < deadline {
            let part = rest.prefix(1000)
            rest = rest.dropFirst(1000)
            let entities = try await broker.liveEntities(part.map(\.number), municipality.access, at: now)
            let read = entities.map { ($0, Mark($0, catalogue)) }
            found += read.compactMap(\.1)
            let expired = Set(part.filter(\.hasExpired).map(\.number))
            marks.keep(
                read.filter { !expired.contains($0.0.number) }
                    .map { ($0.0.number, $0.1.map(MarkCache.Known.mark) ?? .none(version: $0.0.version)) },
                of: municipality.incarnation, signature: catalogue.signature)
        }
        return (found, Array(rest))
    }
}

extension City {
    /// To be called with the marks that are shown, before they are.
    /// - Parameter together: those that are shown as figures of many.
    func account(for shown: some Sequence<FoundMark>, together: some Sequence<FoundMark> = [], _ catalogue: Catalogue, at now: Instant) async throws {
        let personal = Dictionary(grouping: shown.lazy.filter(\.mark.isPersonal), by: \.municipality)
        let counted = Set(together.lazy.filter(\.mark.isPersonal).map(\.municipality))
        for index in Set(personal.keys).union(counted) {
            try await broker.account(
                forShown: (personal[index] ?? []).map(\.mark.number), hasFigures: counted.contains(index), catalogue.municipalities[index].access, at: now)
        }
    }
}

extension BoundingBox {
    func contains(_ position: Mark.Position) -> Bool {
        (west...east).contains(position.longitude) && (south...north).contains(position.latitude)
    }
}

// MARK: - The past

extension City {
    /// The marks as they were at a moment. A fact that was not observed holds as it is.
    func past(_ marks: [Mark], at moment: Instant, _ access: ReadAccess, _ catalogue: Catalogue, now: Instant) async throws -> [Mark] {
        var questions: [PastQuestion] = []
        for mark in marks {
            let entry = catalogue.entries[mark.entry]
            if let scale = entry.scale { questions.append(PastQuestion(number: mark.number, attribute: scale.attribute)) }
            if entry.moves { questions.append(PastQuestion(number: mark.number, attribute: .location)) }
        }
        var answers = try await broker.pastValues(questions, at: moment, access, now: now)[...]
        return marks.compactMap { mark in
            let entry = catalogue.entries[mark.entry]
            let value = entry.scale == nil ? nil : answers.popFirst() ?? nil
            let place = entry.moves ? answers.popFirst() ?? nil : nil
            let position = place.flatMap { Mark.position(of: $0.value) } ?? mark.position
            guard let scale = entry.scale else { return mark.at(position: position, value: mark.value, time: mark.time) }
            if let value { return mark.at(position: position, value: scale.value(value.value), time: value.at.milliseconds) }
            if !mark.isObserved, !entry.isEvent { return mark.at(position: position, value: mark.value, time: mark.time) }
            return entry.isEvent ? nil : mark.at(position: position, value: .null, time: nil)
        }
    }
}
