internal import Broker
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import LinkedData
internal import NIOCore
internal import OrderedCollections
internal import Query

/// Writing temporal evolutions as answers (clauses 6.3.6, 6.3.10).
extension NGSILDDoor {
    private static let droppedWarningCountMax = 20

    func answer(_ page: EvolutionPage, isArray: Bool, _ representation: TemporalRepresentation) -> Response {
        let names = ContextNames(context: representation.context, includesSystemMembers: representation.includesSystemMembers)
        let entityWriter = TemporalWriter(
            names: names, format: representation.format, shownTime: representation.selection.temporal?.property.rawValue)
        let context = representation.mediaType == .linkedData ? representation.context.answered : nil
        var writer = JSONWriter(byteCapacity: 1024 + page.entities.count * 4096)
        if isArray { writer.raw("[") }
        for (index, entity) in page.entities.enumerated() {
            if index > 0 { writer.raw(",") }
            entityWriter.write(
                representation.amended(entity), members: representation.selection.projection.members, context: context, to: &writer)
        }
        if isArray { writer.raw("]") }
        var headers: HTTPFields = [.contentType: representation.mediaType.rawValue]
        if representation.mediaType == .json { headers[.link] = LinkHeader.value(representation.context.linkURL) }
        if let version = representation.version { headers[.preferenceApplied] = version.applied }
        var status: HTTPResponse.Status = representation.version?.asksForLess ?? false ? .nonAuthoritativeInformation : .ok
        if page.isPartial, let range = ContentRange(page, representation.selection) {
            headers[.contentRange] = range.text
            status = .partialContent
        }
        // Of this broker itself, which has no registration to be named by.
        for dropped in page.dropped.prefix(Self.droppedWarningCountMax) {
            headers.append(HTTPField(name: .ngsildWarning, value: dropped.warning(representation.context.compact(dropped.attribute))))
        }
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: writer.bytes)))
    }
}

/// Says which part of the time range a partial answer holds (clause 6.3.10).
///
/// The clause calls the unit `DateTime`; the ETSI suite has asked for `date-time` since version 1.5.1, and that is what other
/// brokers send and clients look for.
private struct ContentRange {
    let text: String

    /// Nil without instances, which leave nothing to say.
    init?(_ page: EvolutionPage, _ selection: EvolutionSelection) {
        guard let times = page.times else { return nil }
        let relation = selection.temporal?.relation
        if let lastN = selection.lastN {
            let start =
                switch relation {
                case .before(let timeAt): timeAt
                case .between(_, let endTimeAt): endTimeAt
                case .after, nil: times.upperBound
                }
            text = "date-time \(start)-\(times.lowerBound)/\(lastN)"
        } else {
            let start =
                switch relation {
                case .after(let timeAt), .between(let timeAt, _): timeAt
                case .before, nil: times.lowerBound
                }
            text = "date-time \(start)-\(times.upperBound)/*"
        }
    }
}

extension TemporalRepresentation {
    /// The entity in the languages, and as the version of NGSI-LD knows it, that the request prefers.
    fileprivate func amended(_ entity: TemporalEntity) -> TemporalEntity {
        let wantsLess = version?.asksForLess ?? false
        guard languages != nil || wantsLess, case .instances(var attributes) = entity.content else { return entity }
        for (name, instances) in attributes {
            attributes[name] = instances.map { instance in
                var attribute = languages?.reduce(instance.attribute) ?? instance.attribute
                if wantsLess, let version {
                    let alone = Entity(id: entity.id, types: entity.types, attributes: [name: [attribute]])
                    attribute = version.amended(alone, context).attributes[name]?.first ?? attribute
                }
                return TemporalInstance(
                    attribute: attribute, deletedAt: instance.deletedAt, time: instance.time, instanceID: instance.instanceID)
            }
        }
        var amended = entity
        amended.content = .instances(attributes)
        return amended
    }
}
