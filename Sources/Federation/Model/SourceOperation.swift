/// The operations that a context source may offer (table 4.20-1).
package enum SourceOperation: String, CaseIterable, Hashable, Sendable {
    case createEntity, updateEntity, appendAttrs, updateAttrs, deleteAttrs, deleteEntity
    case createBatch, upsertBatch, updateBatch, deleteBatch
    case upsertTemporal, appendAttrsTemporal, deleteAttrsTemporal, updateAttrInstanceTemporal, deleteAttrInstanceTemporal, deleteTemporal
    case mergeEntity, replaceEntity, replaceAttrs, mergeBatch, purgeEntity
    case retrieveEntity, queryEntity, queryBatch, retrieveTemporal, queryTemporal
    case retrieveEntityTypes, retrieveEntityTypeDetails, retrieveEntityTypeInfo
    case retrieveAttrTypes, retrieveAttrTypeDetails, retrieveAttrTypeInfo
    case createSubscription, updateSubscription, retrieveSubscription, querySubscription, deleteSubscription
    case retrieveEntityMap, updateEntityMap, deleteEntityMap, createEntityMapQueryEntity, createEntityMapQueryTemporal
    case retrieveContextSourceIdentity
}

extension SourceOperation {
    /// The operations that a name stands for: itself, or those of a group (table 4.20-2). Nil for an unknown name.
    package static func named(_ name: String) -> Set<SourceOperation>? { groups[name] ?? SourceOperation(rawValue: name).map { [$0] } }

    private static let discovery: Set<SourceOperation> = [
        .retrieveEntityTypes, .retrieveEntityTypeDetails, .retrieveEntityTypeInfo, .retrieveAttrTypes, .retrieveAttrTypeDetails,
        .retrieveAttrTypeInfo,
    ]
    private static let entityMaps: Set<SourceOperation> = [.retrieveEntityMap, .updateEntityMap, .deleteEntityMap, .createEntityMapQueryEntity]
    private static let association: Set<SourceOperation> = discovery.union([
        .retrieveEntity, .queryEntity, .queryBatch, .createSubscription, .updateSubscription, .retrieveSubscription, .querySubscription,
        .deleteSubscription, .retrieveContextSourceIdentity,
    ])

    /// What is about histories (clauses 5.6.11 to 5.6.16, 5.7.3 and 5.7.4).
    package static let temporal: Set<SourceOperation> = [
        .upsertTemporal, .appendAttrsTemporal, .deleteAttrsTemporal, .updateAttrInstanceTemporal, .deleteAttrInstanceTemporal, .deleteTemporal,
        .retrieveTemporal, .queryTemporal,
    ]
    package static let federation = association.union(entityMaps)
    package static let retrieval: Set<SourceOperation> = [.retrieveEntity, .queryEntity]

    private static let groups: [String: Set<SourceOperation>] = [
        "federationOps": federation,
        "associationOps": association,
        "updateOps": [.updateEntity, .updateAttrs, .replaceEntity, .replaceAttrs],
        "retrieveOps": retrieval,
        "redirectionOps": discovery.union(entityMaps).union([
            .createEntity, .updateEntity, .appendAttrs, .updateAttrs, .deleteAttrs, .deleteEntity, .mergeEntity, .replaceEntity,
            .replaceAttrs, .retrieveEntity, .queryEntity, .purgeEntity, .retrieveContextSourceIdentity,
        ]),
    ]
}
