package import Broker
internal import CityModel
internal import Trust

/// Where cases of residents are filed, followed and worked on. Each operation is one transaction: what it decides it decides on the case as it is then,
/// and nothing of one that is refused stays.
package struct CaseDesk: Sendable {
    package let broker: Broker
    package let catalogue: ServiceCatalogue
    package let limits: CaseLimits
    /// Looks at files for what is harmful; nil: nobody does.
    let scan: FileScan?

    package init(broker: Broker, catalogue: ServiceCatalogue, limits: CaseLimits = .init(), scan: FileScan? = nil) {
        (self.broker, self.catalogue, self.limits, self.scan) = (broker, catalogue, limits, scan)
    }
}

package struct CaseLimits: Sendable {
    /// Photos and files of one case, and their bytes.
    package var attachmentCountMax = 20
    package var attachmentByteCountMax = 50_000_000
    /// Of one file that is no photo.
    package var fileByteCountMax = 10_000_000
    /// Those who follow one case.
    package var followerCountMax = 5000
    /// What staff or residents say at once, in characters.
    package var textCountMax = 5000
    /// Seconds for which a form that was filed is known, so that it is not filed twice.
    package var formSeconds = 30.0 * 86_400
    /// Reports that are read one by one for a measure: beyond them there is a count and no more.
    package var tallyCountMax = 20_000
    /// Sensors whose numbers are compared for a measure.
    package var sensorCountMax = 1000
    /// For how many days after a case was closed its private links lead to it.
    package var linkDays = 90
    package init() {}
}

/// Why something can't be done with a case.
package enum CaseFault: Error, Hashable, Sendable {
    /// Its service does not lead from its step to that one.
    case noSuchStep(String)
    /// To go to this step something has to be said to the resident.
    case answerMissing
    case tooLong(field: String, countMax: Int)
    case tooManyAttachments(countMax: Int)
    /// It is not closed, or has been for too long, or its service does not open anything again.
    case notReopenable
    case notClosed
    case isMerged
    case sameCase
    case tooManyFollowers
    case linkIsOver
    case notWithheld
    case invalidRating
    case nothingSaid
}
