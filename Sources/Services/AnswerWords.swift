extension AnswerFault {
    /// What is wrong, in English, for those who write programs and sources.
    /// - Parameter name: by which the answer is given: a parameter, a column.
    package func words(_ name: String) -> String {
        let said =
            switch reason {
            case .missing: "is needed"
            case .notANumber: "is not a number"
            case .notWhole: "is not a whole number"
            case .unknownChoice: "is not one of the values of the service definition"
            case .notADate: "is not a date such as 2026-01-31"
            case .notAPlace: "is not a place: latitude within -90 and 90, longitude within -180 and 180"
            case .notAnIdentifier: "is not the identifier of a thing"
            case .below(let least): "is less than \(Self.text(least))"
            case .above(let most): "is more than \(Self.text(most))"
            case .notPast: "lies in the future"
            case .notFuture: "lies in the past"
            case .tooLong(let countMax): "has more than \(countMax) characters"
            case .tooMany(let countMax): "is given more than \(countMax) times"
            case .pattern(let pattern): "is not of the form \(pattern.rawValue)"
            case .controlCharacter: "has a control character"
            case .unknownField: "is no attribute of this service"
            }
        return "\(name) \(said)"
    }

    private static func text(_ number: Double) -> String { Int64(exactly: number).map { String($0) } ?? number.description }
}
