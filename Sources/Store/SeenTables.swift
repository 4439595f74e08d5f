internal import CityModel
internal import Foundation
internal import GRDB
internal import Policy
internal import Synchronization

/// How rules narrow what is read (what may be seen is decided inside the query). A connection that reads for somebody sees the tables of
/// the state under their usual names as temporary views, of which each row and each value passes the rules. So everything that reads the
/// state reads what is visible of it, with the same statements: pages, counts, facets, histories, figures, exports.
enum SeenTables {
    /// - Parameter isCoarse: whether some places are told roughly, so that the index by place can't be used as it is.
    static func show(in db: Database, _ seen: SeenEntities, isCoarse: Bool) throws {
        for function in functions(seen) { db.add(function: function) }
        try db.execute(sql: views.replacing("/*place*/", with: isCoarse ? coarsePlaces : exactPlaces))
    }

    private static func functions(_ seen: SeenEntities) -> [DatabaseFunction] {
        func function(
            _ name: String, _ count: Int, _ body: @escaping @Sendable ([DatabaseValue]) throws -> (any DatabaseValueConvertible)?
        ) -> DatabaseFunction { DatabaseFunction(name, argumentCount: count, pure: false, function: body) }
        return [
            function("sees", 1) { try seen.sees(number($0, 0)) },
            function("sees_attribute", 2) { try seen.sees(number($0, 1), of: number($0, 0)) },
            function("sees_history", 2) { try seen.seesHistory(of: number($0, 1), of: number($0, 0)) },
            function("hidden_form", 1) { try InstanceForm.hidden(from: seen.bound(of: number($0, 0))) },
            function("seen_document", 2) { values in
                guard case .blob(let bytes) = values[1].storage else { throw CorruptRow(table: "entity", reason: "document") }
                return try seen.document([UInt8](bytes), of: number(values, 0)).map { Data($0) }
            },
            function("seen_names", 2) { values in
                guard case .string(let names) = values[1].storage else { throw CorruptRow(table: "change", reason: "attributes") }
                let entity = try number(values, 0)
                return try names.split(separator: " ").filter { try Int64($0).map { try seen.sees($0, of: entity) } ?? false }
                    .joined(separator: " ")
            },
            function("seen_side", 2) { values in
                guard let box = try seen.box(of: PlaceNumber(id: number(values, 0))) else { return nil }
                return [box.west, box.east, box.south, box.north][Int(try number(values, 1))]
            },
        ]
    }

    private static func number(_ values: [DatabaseValue], _ index: Int) throws -> Int64 {
        guard case .int64(let number) = values[index].storage else { throw CorruptRow(table: "entity", reason: "no number") }
        return number
    }

    private static let exactPlaces = "SELECT id, west, east, south, north"
    private static let coarsePlaces = """
        SELECT id, seen_side(id, 0) AS west, seen_side(id, 1) AS east, seen_side(id, 2) AS south, seen_side(id, 3) AS north
        """

    private static let views = """
        CREATE TEMPORARY VIEW entity AS SELECT id, iri, version, classification, run, expires_us, seen_document(id, document) AS document, key
            FROM main.entity WHERE sees(id);
        CREATE TEMPORARY VIEW entity_type AS SELECT type, entity FROM main.entity_type WHERE sees(entity);
        CREATE TEMPORARY VIEW entity_scope AS SELECT scope, entity FROM main.entity_scope WHERE sees(entity);
        CREATE TEMPORARY VIEW entity_value AS SELECT attribute, type, value, entity FROM main.entity_value WHERE sees_attribute(entity, attribute);
        CREATE TEMPORARY VIEW entity_place AS /*place*/ FROM main.entity_place WHERE sees_attribute(\(PlaceNumber.entityOfRow), \(PlaceNumber.attributeOfRow));
        CREATE TEMPORARY VIEW entity_address AS SELECT word, entity, attribute FROM main.entity_address WHERE sees_attribute(entity, attribute);
        CREATE TEMPORARY VIEW change AS SELECT seq, operation, at_us, entity, iri, classification, types, seen_names(entity, attributes) AS attributes
            FROM main.change WHERE sees(entity);
        CREATE TEMPORARY VIEW instance AS SELECT entity, attribute, dataset, at_us, late_us, form, value, unit, modified_us, rest, expires_us
            FROM main.instance WHERE sees_history(entity, attribute) AND form < hidden_form(entity);
        CREATE TEMPORARY VIEW chunk AS SELECT * FROM main.chunk WHERE sees_history(entity, attribute) AND form_min < hidden_form(entity);
        CREATE TEMPORARY VIEW summary AS SELECT * FROM main.summary WHERE sees_history(entity, attribute) AND form < hidden_form(entity);
        CREATE TEMPORARY VIEW thinned AS SELECT * FROM main.thinned
            WHERE sees_history(entity, attribute) AND rank < hidden_form(entity) / \(InstanceForm.classificationUnit);
        CREATE TEMPORARY VIEW past AS SELECT * FROM main.past WHERE sees(id);
        CREATE TEMPORARY VIEW past_type AS SELECT type, past FROM main.past_type WHERE sees(past);
        """
}

/// The connections through which a municipality's file is read under rules.
final class SeenReaders: Sendable {
    private struct Reader: Sendable {
        let queue: DatabaseQueue
        let seen: SeenEntities
    }

    private let path: String
    private let configuration: Configuration
    private let terms: TermTable
    private let decoders: DecoderPool
    private let isFollowed: Bool
    private let vault: ResidentKeys
    private let state = Mutex(State())

    private struct State {
        var open: [Bool: [Reader]] = [:]
        var uses = 0
    }

    /// Of each kind.
    private static let countMax = 2

    /// - Parameter isFollowed: whether the file's journal tells all that changes of what rules ask.
    init(path: String, configuration: Configuration, terms: TermTable, decoders: DecoderPool, vault: ResidentKeys, isFollowed: Bool) {
        var configuration = configuration
        configuration.readonly = true
        (self.path, self.configuration, self.terms, self.decoders, self.vault) = (path, configuration, terms, decoders, vault)
        self.isFollowed = isFollowed
    }

    /// Those who read at the same moment wait for each other where there are more than connections.
    func read<Value: Sendable>(
        _ sight: Sight, chunks: OpenChunks, orders: KeptOrders?, _ body: @escaping @Sendable (ReadSnapshot) throws -> Value
    ) async throws -> Value {
        let reader = try reader(for: sight)
        return try await reader.queue.read { [terms, decoders, vault, isFollowed] db in
            try reader.seen.begin(sight, isFollowed: isFollowed)
            return try body(ReadSnapshot(db: db, terms: terms, decoders: decoders, vault: vault, chunks: chunks, orders: orders, seen: reader.seen))
        }
    }

    private func reader(for sight: Sight) throws -> Reader {
        let isCoarse = sight.ruling?.tellsPlacesRoughly ?? false
        return try state.withLock { state in
            state.uses += 1
            let open = state.open[isCoarse] ?? []
            guard open.count < Self.countMax else { return open[state.uses % open.count] }
            let seen = Mutex<SeenEntities?>(nil)
            var configuration = configuration
            configuration.prepareDatabase { [terms, decoders, vault] db in
                let entities = SeenEntities(db, terms: terms, decoders: decoders, vault: vault)
                try SeenTables.show(in: db, entities, isCoarse: isCoarse)
                seen.withLock { $0 = entities }
            }
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            guard let entities = seen.withLock({ $0 }) else { throw CityError.internalFault("a connection was not prepared") }
            let reader = Reader(queue: queue, seen: entities)
            state.open[isCoarse, default: []].append(reader)
            return reader
        }
    }

    func close() { state.withLock { $0.open = [:] } }
}
