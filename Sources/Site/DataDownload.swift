internal import Broker
internal import Cases
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import OrderedCollections
internal import Policy
internal import Store
internal import Trust

/// `/account/data.json`: everything in one object, so that somebody can take it elsewhere.
extension SiteDoor {
    private static let partCount = 200
    /// Beyond these the answer says that it is not all.
    private static let entityCountMax = 10_000
    private static let useCountMax = 10_000
    private static let byteCountMax = 64 << 20

    func dataDownload(_ request: DoorRequest, _ signedIn: SignedIn) async throws -> Response {
        let account = signedIn.account
        var writer = JSONWriter()
        writer.raw("{\"subject\":")
        writer.write(signedIn.subject)
        writer.raw(",\"municipality\":")
        writer.write(signedIn.municipality.text)
        writer.raw(",\"asOf\":")
        writer.write(request.now.description)
        writer.raw(",\"account\":")
        writer.write(
            .object([
                "login": .string(account.login), "name": .string(account.name), "roles": .array(account.roles.map(JSON.string)),
                "language": account.language.map(JSON.string) ?? .null, "createdAt": .string(account.createdAt.description),
                "signedInAt": account.signedInAt.map { .string($0.description) } ?? .null, "hasSecondFactor": .bool(signedIn.hasSecondFactor),
            ]))
        writer.raw(",\"deskViews\":")
        writer.write(.array(try await desk.views(signedIn).all.map { ["name": .string($0.name), "narrowing": .string($0.narrowing)] }))
        let isWhole = try await writeHeld(request, signedIn, to: &writer)
        writer.raw(",\"consents\":")
        writer.write(.array(try await gatekeeper.consents(signedIn).map(\.record)))
        let uses = try await gatekeeper.uses(signedIn, limit: Self.useCountMax)
        writer.raw(",\"uses\":")
        writer.write(
            .array(uses.map { ["position": .integer($0.position), "at": .string($0.at.description), "entry": $0.entry ?? .null] }))
        writer.raw(",\"complete\":")
        writer.write(.bool(isWhole && uses.count < Self.useCountMax))
        writer.raw("}")
        return Answers.body(
            writer.bytes, type: "application/json", status: .ok, request,
            headers: [.cacheControl: "no-store", .contentDisposition: "attachment; filename=\"\(signedIn.municipality)-my-data.json\""])
    }

    /// - Returns: whether that was all.
    private func writeHeld(_ request: DoorRequest, _ signedIn: SignedIn, to writer: inout JSONWriter) async throws -> Bool {
        let (exporting, correcting) = (try await gatekeeper.reading(signedIn, to: .export), try await gatekeeper.correcting(signedIn))
        let history = try await gatekeeper.reading(signedIn, to: .history)
        let names = ContextNames(context: .core, includesSystemMembers: true)
        let (entityWriter, temporalWriter) = (EntityWriter(names: names, format: .normalized), TemporalWriter(names: names, format: .normalized))
        var (after, count, isWhole) = (Int64(0), 0, true)
        var histories = JSONWriter()
        writer.raw(",\"entities\":[")
        var (isFirst, isFirstHistory) = (true, true)
        while count < Self.entityCountMax, writer.bytes.count + histories.bytes.count < Self.byteCountMax {
            let part = try await broker.held(
                about: signedIn.subject, after: after, limit: Self.partCount, exporting, correcting: correcting, at: request.now)
            guard let last = part.last else { break }
            for held in part {
                if let entity = held.entity {
                    if !isFirst { writer.raw(",") }
                    isFirst = false
                    entityWriter.write(entity, to: &writer)
                }
                // Nothing may have been recorded, or rules may not show what was.
                let selection = EvolutionSelection(temporal: nil)
                let limits = EvolutionLimits(instanceCountMax: 20_000, totalCountMax: 200_000)
                guard let page = try? await broker.retrieveEvolution(of: held.id, selection, limits: limits, history, at: request.now) else { continue }
                isWhole = isWhole && !page.isPartial
                for evolution in page.entities {
                    if !isFirstHistory { histories.raw(",") }
                    isFirstHistory = false
                    temporalWriter.write(evolution, to: &histories)
                }
            }
            (after, count) = (last.number, count + part.count)
        }
        writer.raw("],\"history\":[")
        writer.raw(histories.bytes)
        writer.raw("]")
        return isWhole && count < Self.entityCountMax && writer.bytes.count < Self.byteCountMax
    }
}
