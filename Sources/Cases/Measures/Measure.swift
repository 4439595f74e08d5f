package import CityModel
internal import OrderedCollections
package import Query
package import Services

/// What a city did about what its residents reported: an entity of type `CityMeasure`, for everybody. Which reports it answers it says itself (its wave), and by
/// what may be seen whether it helped (its indicator).
package struct Measure: Hashable, Sendable {
    /// Where reports are that it answers.
    package enum Area: Hashable, Sendable {
        case municipality
        /// So many metres around its place.
        case around(metres: Double)
        case district(String)
    }

    /// What sensors say of it: the numbers of one attribute, as many days before it took effect as after.
    package struct Indicator: Hashable, Sendable {
        package var type: IRI
        package var attribute: IRI
        /// Sensors so near to the place of the measure; nil: those in the area of its reports.
        package var metres: Double?
        /// UN/CEFACT code, where sensors do not say it themselves.
        package var unitCode: String?
        package var dayCount: Int

        package static let dayCounts = 7...365
        package static let dayCountStandard = 28

        package init(type: IRI, attribute: IRI, metres: Double? = nil, unitCode: String? = nil, dayCount: Int = dayCountStandard) {
            (self.type, self.attribute, self.metres, self.unitCode, self.dayCount) = (type, attribute, metres, unitCode, dayCount)
        }
    }

    /// What its page is called by: the end of its identifier, or all of one that others chose.
    package let key: String
    package var title: LocalizedText
    package var text: LocalizedText
    /// From the beginning of this day on it held.
    package var effectiveOn: CivilDay
    package var place: Geometry?
    /// Codes of the services that it answers; never none.
    package var services: [String]
    /// The days of the reports that it answers, both counted; before it took effect.
    package var reportsFrom: CivilDay
    package var reportsTo: CivilDay
    package var area: Area
    package var indicator: Indicator?

    package static let dayCountMax = 366

    package init(
        key: String, title: LocalizedText, text: LocalizedText, effectiveOn: CivilDay, place: Geometry? = nil, services: [String], reportsFrom: CivilDay,
        reportsTo: CivilDay, area: Area = .municipality, indicator: Indicator? = nil
    ) {
        (self.key, self.title, self.text, self.effectiveOn, self.place) = (key, title, text, effectiveOn, place)
        (self.services, self.reportsFrom, self.reportsTo, self.area, self.indicator) = (services, reportsFrom, reportsTo, area, indicator)
    }

    package var id: IRI { Self.id(key) }
    package static let type = IRI.plain("CityMeasure")
    private static let prefix = "urn:ngsi-ld:CityMeasure:"

    package static func id(_ key: String) -> IRI { key.contains(":") ? IRI(known: key) : IRI(known: prefix + key) }
    package static func key(of id: IRI) -> String {
        let end = id.text.hasPrefix(prefix) ? String(id.text.dropFirst(prefix.utf8.count)) : id.text
        return end.isEmpty || end.contains(":") ? id.text : end
    }
}

/// Attributes of a measure. `title`, `description` and `location` are terms of the NGSI-LD core context. Days are written as 2026-01-31, of the city's calendar.
package enum MeasureTerm {
    package static let title = IRI(known: "http://purl.org/dc/terms/title")
    package static let text = CaseTerm.description
    package static let effectiveOn = IRI.plain("effectiveOn")
    /// Codes of services.
    package static let services = IRI.plain("answersServices")
    package static let reportsFrom = IRI.plain("reportsFrom")
    package static let reportsTo = IRI.plain("reportsTo")
    /// Metres.
    package static let reportsRadius = IRI.plain("reportsRadius")
    package static let district = CaseTerm.district
    /// A type's name in the default context, or its IRI; so the attribute.
    package static let indicatorType = IRI.plain("indicatorType")
    package static let indicatorAttribute = IRI.plain("indicatorAttribute")
    /// Metres.
    package static let indicatorRadius = IRI.plain("indicatorRadius")
    package static let indicatorUnit = IRI.plain("indicatorUnitCode")
    package static let indicatorDays = IRI.plain("indicatorDays")
}

extension Measure {
    private static let (titleCountMax, textCountMax, serviceCountMax) = (300, 10_000, 50)

    /// Whoever writes one over NGSI-LD may leave out what can be said without: the reports are then those of the year before, in the whole municipality.
    /// - Returns: nil for what is no measure: without a title, the day or a service.
    package init?(_ entity: Entity) {
        guard entity.types.contains(Self.type), let title = entity.localized(MeasureTerm.title, countMax: Self.titleCountMax),
            let effectiveOn = entity.day(MeasureTerm.effectiveOn)
        else { return nil }
        let services = entity.texts(MeasureTerm.services).prefix(Self.serviceCountMax)
        guard !services.isEmpty else { return nil }
        let last = min(entity.day(MeasureTerm.reportsTo) ?? effectiveOn.adding(-1), effectiveOn.adding(-1))
        let first = entity.day(MeasureTerm.reportsFrom) ?? last.adding(-364)
        self.init(
            key: Self.key(of: entity.id), title: title, text: entity.localized(MeasureTerm.text, countMax: Self.textCountMax) ?? LocalizedText("", language: title.first),
            effectiveOn: effectiveOn, place: Self.held(entity.point), services: Array(services), reportsFrom: min(max(first, last.adding(1 - Self.dayCountMax)), last), reportsTo: last)
        if let metres = entity.metres(MeasureTerm.reportsRadius), place != nil {
            area = .around(metres: metres)
        } else if let district = entity.text(MeasureTerm.district), !district.isEmpty {
            area = .district(district)
        }
        indicator = Indicator(entity, hasPlace: place != nil)
    }

    private static var placeByteCountMax: Int { 64 << 10 }

    /// Every report is held against it: of a place with very many positions that is its middle.
    private static func held(_ place: Geometry?) -> Geometry? {
        guard let place, place.kind != .point, place.coordinates.description.utf8.count > placeByteCountMax else { return place }
        let center = place.boundingBox.center
        return try? Geometry(longitude: center.longitude, latitude: center.latitude)
    }

    /// Writes what it says into an entity, and leaves what else there is.
    func write(to entity: inout Entity, at now: Instant) {
        entity.set(MeasureTerm.title, title, at: now)
        entity.set(MeasureTerm.text, text, at: now)
        entity.set(MeasureTerm.effectiveOn, effectiveOn.text, at: now)
        entity.set(MeasureTerm.services, .array(services.map(JSON.string)), at: now)
        entity.set(MeasureTerm.reportsFrom, reportsFrom.text, at: now)
        entity.set(MeasureTerm.reportsTo, reportsTo.text, at: now)
        entity.set(place: place, at: now)
        var (metres, district): (Double?, String?)
        switch area {
        case .municipality: break
        case .around(let radius): metres = radius
        case .district(let name): district = name
        }
        entity.set(MeasureTerm.reportsRadius, metres: metres, at: now)
        entity.set(MeasureTerm.district, district, at: now)
        entity.set(MeasureTerm.indicatorType, indicator.map { $0.type.defaultName }, at: now)
        entity.set(MeasureTerm.indicatorAttribute, indicator.map { $0.attribute.defaultName }, at: now)
        entity.set(MeasureTerm.indicatorRadius, metres: indicator?.metres, at: now)
        entity.set(MeasureTerm.indicatorUnit, indicator?.unitCode, at: now)
        entity.set(MeasureTerm.indicatorDays, indicator.map { .integer(Int64($0.dayCount)) }, at: now)
    }
}

extension Measure.Indicator {
    fileprivate init?(_ entity: Entity, hasPlace: Bool) {
        guard let type = entity.text(MeasureTerm.indicatorType).flatMap(IRI.init(defaultName:)),
            let attribute = entity.text(MeasureTerm.indicatorAttribute).flatMap(IRI.init(defaultName:))
        else { return nil }
        let days = entity.number(MeasureTerm.indicatorDays) ?? Self.dayCountStandard
        self.init(
            type: type, attribute: attribute, metres: hasPlace ? entity.metres(MeasureTerm.indicatorRadius) : nil,
            unitCode: entity.text(MeasureTerm.indicatorUnit).map { String($0.prefix(40)) }, dayCount: min(max(days, Self.dayCounts.lowerBound), Self.dayCounts.upperBound))
    }
}

extension IRI {
    /// - Parameter name: of the default context, or an IRI itself.
    package init?(defaultName name: String) {
        if name.contains(":") {
            self.init(name)
        } else {
            self.init(Self.defaultContextNamespace + name)
        }
    }

    package var defaultName: String { text.hasPrefix(Self.defaultContextNamespace) ? String(text.dropFirst(Self.defaultContextNamespace.utf8.count)) : text }
}

extension CivilDay {
    /// `2026-01-31`
    package var text: String { String(Instant(seconds: Int64(number) * 86_400).description.prefix(10)) }
    package func adding(_ days: Int) -> CivilDay { CivilDay(number: number + days) }
}

extension Entity {
    /// A language property; or one text, which is then in no language that is known.
    fileprivate func localized(_ name: IRI, countMax: Int) -> LocalizedText? {
        guard let value = instance(of: name)?.value else { return nil }
        if let text = value.stringValue { return text.isEmpty ? nil : LocalizedText(String(text.prefix(countMax)), language: "@none") }
        let texts = (value.objectValue ?? [:]).compactMapValues { $0.stringValue.map { String($0.prefix(countMax)) } }
        let known = Dictionary(texts.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        return known.keys.min().flatMap { LocalizedText(known, first: $0) }
    }

    fileprivate mutating func set(_ name: IRI, _ texts: LocalizedText, at now: Instant) {
        var attribute = Attribute(kind: .languageProperty, value: .object(JSONObject(uniqueKeysWithValues: texts.texts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })))
        (attribute.createdAt, attribute.modifiedAt) = (instance(of: name)?.createdAt ?? now, now)
        attributes[name] = texts.texts.values.allSatisfy(\.isEmpty) ? nil : [attribute]
    }

    fileprivate mutating func set(_ name: IRI, metres: Double?, at now: Instant) {
        set(name, metres.map(JSON.number), at: now)
        attributes[name]?[0].unitCode = "MTR"
    }

    /// A day; of a moment its day in UTC.
    fileprivate func day(_ name: IRI) -> CivilDay? {
        guard let value = instance(of: name)?.value else { return nil }
        return (value.stringValue ?? value["@value"]?.stringValue).flatMap { CivilDay(String($0.prefix(10))) }
    }

    fileprivate func metres(_ name: IRI) -> Double? { instance(of: name)?.value.doubleValue.flatMap { $0.isFinite && $0 > 0 ? $0 : nil } }

    /// One text, or several.
    fileprivate func texts(_ name: IRI) -> [String] {
        guard let value = instance(of: name)?.value else { return [] }
        let texts = value.arrayValue?.compactMap(\.stringValue) ?? value.stringValue.map { [$0] } ?? []
        return texts.filter { !$0.isEmpty }
    }
}
