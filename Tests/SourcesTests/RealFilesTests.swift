import CityModel
import Foundation
import Sources
import Testing

/// Every example source over the real file that it describes. Counts agree with `Tests/acceptance/known_answers.py`, which
/// works them out without this program.
@Suite(.enabled(if: Places.hasData))
struct RealFilesTests {
    struct Expectation: CustomTestStringConvertible {
        let source: String
        let file: String
        let accepted: Int
        var rejected: [String: Int] = [:]
        var flagged: [String: Int] = [:]
        /// Different identifiers.
        var entities: Int?
        var testDescription: String { "\(source) \(file)" }
    }

    static let expectations: [Expectation] = [
        .init(
            source: "montpellier-communes", file: "geo-montpellier/communes-montpellier-mediterranee-metropole.geojson",
            accepted: 31),
        .init(source: "montpellier-quartiers", file: "geo-montpellier/montpellier-quartiers.geojson", accepted: 7),
        .init(source: "montpellier-sous-quartiers", file: "geo-montpellier/montpellier-sous-quartiers.geojson", accepted: 31),
        .init(
            source: "montpellier-streetlights", file: "street-assets-montpellier/eclairage-public-lambert93.csv.gz",
            accepted: 29969,
            flagged: ["lantern-type": 27]),
        .init(
            source: "montpellier-trees", file: "street-assets-montpellier/arbres-alignement-2013-lambert93.csv.gz", accepted: 23972,
            flagged: ["plausible-height": 22, "plausible-year": 7]),
        .init(
            source: "montpellier-parking-meters", file: "street-assets-montpellier/VilleMTP_MTP_Horodateurs_2011.csv",
            accepted: 737,
            rejected: ["has-number": 86]),
        .init(
            source: "montpellier-car-parks", file: "street-assets-montpellier/VilleMTP_MTP_ParkingOuv.csv", accepted: 22,
            flagged: ["plausible-size": 1]),
        .init(
            source: "montpellier-public-establishments", file: "street-assets-montpellier/VilleMTP_MTP_EtabliPublic.geojson",
            accepted: 1024),
        .init(
            source: "montpellier-ecocounters", file: "counters-montpellier-ecocompteurs/ecocompteurs-daily-2020-2024.csv.gz",
            accepted: 46719, rejected: ["has-count": 1879, "day-once": 387], flagged: ["unknown-position": 8], entities: 52),
        .init(
            source: "montpellier-ecocounters-json", file: "counters-montpellier-ecocompteurs/MMM_EcoCompt_ED223110496.json",
            accepted: 253),
        .init(
            source: "montpellier-ecocounters-json", file: "counters-montpellier-ecocompteurs/MMM_EcoCompt_XTH24072390.json",
            accepted: 95, rejected: ["day-once": 94]),
        .init(
            source: "montpellier-traffic-counts", file: "traffic-montpellier-counts/VilleMTP_MTP_Comptage.csv", accepted: 3115,
            rejected: ["has-count": 2, "survey-once": 197], entities: 2652),
        .init(
            source: "montpellier-traffic-counts-2012", file: "traffic-montpellier-counts/VilleMTP_MTP_Comptage_2012-edition.csv",
            accepted: 2117, rejected: ["has-count": 2, "survey-once": 50], entities: 1939),
        .init(
            source: "montpellier-bikeshare", file: "bikeshare-montpellier-ngsi/stationvelo-ngsi-v2-2024-12-10.json", accepted: 57),
        .init(
            source: "montpellier-bikeshare-snapshots",
            file: "bikeshare-montpellier-ngsi/velomagg-snapshots-2025-07-27_2025-08-09.csv", accepted: 380, entities: 20),
        .init(source: "montpellier-shops", file: "poi-montpellier-osm/OSM_MTP_Commerces.geojson", accepted: 953),
        .init(source: "montpellier-restaurants", file: "poi-montpellier-osm/OSM_MTP_Restaurants.geojson", accepted: 674),
        .init(source: "montpellier-pharmacies", file: "poi-montpellier-osm/OSM_MTP_Pharmacie.geojson", accepted: 76),
        .init(source: "montpellier-recycling", file: "poi-montpellier-osm/OSM_MTP_Recyclage.geojson", accepted: 69),
        .init(
            source: "beijing-air-quality", file: "air-quality-beijing/PRSA_Data_Aotizhongxin_20130301-20170228.csv.gz",
            accepted: 35064, entities: 1),
        .init(source: "beijing-air-quality-stations", file: "air-quality-beijing/stations.csv", accepted: 12),
        .init(
            source: "boston-311-2011", file: "service-requests-boston-2011/boston-311-service-requests-2011.csv.gz",
            accepted: 58251,
            flagged: ["unknown-position": 4775, "has-neighbourhood": 2870]),
        .init(source: "montpellier-budget-2013", file: "messy-csv/VilleMTP_MTP_BudgetPri_2013.csv", accepted: 1511),
        .init(
            source: "montpellier-budget-2014", file: "messy-csv/VilleMTP_MTP_BudgetPri_2014.csv", accepted: 1447,
            rejected: ["line-once": 1]),
        .init(source: "airlr-stations", file: "messy-csv/AirLR_LR_StationAir.csv", accepted: 20),
    ]

    @Test(arguments: expectations)
    func `a real file gives the counts that its source documents`(_ expected: Expectation) throws {
        let run = try run(Places.example(expected.source), FileChunks(path: Places.data.appending(path: expected.file).path))
        #expect(run.report.acceptedCount == expected.accepted, "\(run.report)")
        #expect(counts(run.report, .reject) == expected.rejected, "\(run.report)")
        #expect(counts(run.report, .flag) == expected.flagged, "\(run.report)")
        #expect(Set(run.entities.map(\.entity.id)).count == expected.entities ?? expected.accepted)
    }

    /// Sums that an independent script found (`Tests/acceptance/known_answers.py`).
    @Test(
        arguments: [
            ("montpellier-trees", "street-assets-montpellier/arbres-alignement-2013-lambert93.csv.gz", "circumference", 1_522_442),
            ("montpellier-parking-meters", "street-assets-montpellier/VilleMTP_MTP_Horodateurs_2011.csv", "totalSpotNumber", 14061),
            (
                "montpellier-ecocounters", "counters-montpellier-ecocompteurs/ecocompteurs-daily-2020-2024.csv.gz", "intensity",
                26_298_567
            ),
            (
                "montpellier-traffic-counts-2012", "traffic-montpellier-counts/VilleMTP_MTP_Comptage_2012-edition.csv", "intensity",
                6_702_883
            ),
            ("montpellier-bikeshare", "bikeshare-montpellier-ngsi/stationvelo-ngsi-v2-2024-12-10.json", "availableBikeNumber", 307),
            // Expenses and receipts of a budget are equal: each is half of this.
            ("montpellier-budget-2013", "messy-csv/VilleMTP_MTP_BudgetPri_2013.csv", "amount", 890_435_686),
            ("montpellier-budget-2014", "messy-csv/VilleMTP_MTP_BudgetPri_2014.csv", "amount", 957_983_320),
        ] as [(String, String, String, Double)])
    func `values add up to the known sum`(source: String, file: String, attribute: String, sum: Double) throws {
        let run = try run(Places.example(source), FileChunks(path: Places.data.appending(path: file).path))
        let found = run.entities.reduce(0) { $0 + ($1.entity.value(attribute)?.doubleValue ?? 0) }
        #expect(abs(found - sum) < 0.01)
    }

    private func counts(_ report: ImportReport, _ severity: Severity) -> [String: Int] {
        Dictionary(
            uniqueKeysWithValues: report.tallies.filter { $0.key.severity == severity }.map { ($0.key.ruleID, $0.value.count) })
    }
}
