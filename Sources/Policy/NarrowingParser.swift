internal import CityModel
internal import Declarations
internal import Query

/// Reads how much a permit shows.
struct NarrowingParser {
    let context: PolicyParser

    static let metresRange = 1...1_000_000
    static let entityCountRange = 2...1_000_000

    func narrowing(_ value: YAMLValue) throws(DeclarationError) -> Narrowing {
        let part = try value.part(keys: PolicyKeys.narrow)
        guard !part.members.isEmpty else { throw value.failure("some of \(PolicyKeys.narrow.joined(separator: ", ")) are needed here") }
        var narrowing = Narrowing()
        narrowing.attributes = try part["attributes"].map { value throws(DeclarationError) in try attributes(value) } ?? .all
        narrowing.precision.placeMetres = try part["place"].map { value throws(DeclarationError) in
            try value.part(keys: PolicyKeys.roundTo).required("roundTo").integer(in: Self.metresRange)
        }
        narrowing.precision.period = try part["time"].map { value throws(DeclarationError) in try period(value) }
        narrowing.entityCountMin = try part["aggregates"].map { value throws(DeclarationError) in
            try value.part(keys: PolicyKeys.aggregates).required("k").integer(in: Self.entityCountRange)
        }
        return narrowing
    }

    private func attributes(_ value: YAMLValue) throws(DeclarationError) -> AttributeSet {
        let part = try value.part(keys: PolicyKeys.narrowAttributes)
        switch (part["only"], part["except"]) {
        case (let only?, nil): return .only(try context.attributes(only))
        case (nil, let except?): return .except(try context.attributes(except))
        default: throw value.failure("either only or except is needed here")
        }
    }

    private func period(_ value: YAMLValue) throws(DeclarationError) -> PeriodDuration {
        let roundTo = try value.part(keys: PolicyKeys.roundTo).required("roundTo")
        guard let period = PeriodDuration(try roundTo.text()), !period.isWholeRange else {
            throw roundTo.failure("a duration such as PT1H, P1D, P1W or P1M is needed here")
        }
        return period
    }
}
