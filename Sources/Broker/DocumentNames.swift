internal import CityModel
package import LinkedData
package import Store
internal import Synchronization
package import Trust

/// The names of one municipality's terms as one context writes them, each with its quotes, ready to be copied into an
/// answer.
package struct DocumentNames: Sendable {
    private let terms: TermTable
    private let context: Context
    private let table: Table

    /// Names by term number, filled as they are needed.
    fileprivate final class Table: Sendable { fileprivate let names = Mutex<[[UInt8]?]>([]) }

    fileprivate init(terms: TermTable, context: Context, table: Table) {
        (self.terms, self.context, self.table) = (terms, context, table)
    }

    /// Appends the normalized representation of an entity.
    /// - Parameter contextMember: what to add as `@context`, as JSON text.
    package func write(
        _ stored: StoredEntity, includesSystemMembers: Bool, contextMember: [UInt8]? = nil, to buffer: inout RenderBuffer
    ) {
        let known = table.names.withLock { $0 }
        stored.document.render(includesSystemMembers: includesSystemMembers, to: &buffer) { $1.append(name($0, known)) }
        guard let contextMember, stored.document.bytes.last == UInt8(ascii: "}") else { return }
        buffer.removeLast(1)
        close(contextMember, &buffer)
    }

    /// Appends the simplified representation of an entity.
    /// - Returns: false where it takes more than copying; then nothing was appended.
    package func writeSimplified(
        _ stored: StoredEntity, includesSystemMembers: Bool, contextMember: [UInt8]? = nil, to buffer: inout RenderBuffer
    ) -> Bool {
        let known = table.names.withLock { $0 }
        let isWritten = stored.document.renderSimplified(includesSystemMembers: includesSystemMembers, to: &buffer) { $1.append(name($0, known)) }
        if isWritten { close(contextMember, &buffer) }
        return isWritten
    }

    private func close(_ contextMember: [UInt8]?, _ buffer: inout RenderBuffer) {
        if let contextMember {
            buffer.append(",\"@context\":")
            buffer.append(contextMember)
        }
        buffer.append("}")
    }

    private func name(_ number: Int64, _ known: [[UInt8]?]) -> [UInt8] {
        if Int(number) < known.count, let name = known[Int(number)] { return name }
        return name(of: number)
    }

    private func name(of number: Int64) -> [UInt8] {
        var writer = JSONWriter(byteCapacity: 32)
        writer.write(terms.name(of: number).map(context.compact) ?? "")
        let name = writer.bytes
        table.names.withLock { names in
            while names.count <= Int(number) { names.append(nil) }
            names[Int(number)] = name
        }
        return name
    }
}

/// Keeps the names of recent contexts. Bounded: the one least recently asked for goes first.
final class NameCache: Sendable {
    private struct Key: Hashable {
        let municipality: MunicipalityName
        /// Tells an opened file from its successor, whose terms may have other numbers.
        let incarnation: UInt64
        let context: String
    }

    private struct State {
        var tables: [Key: (table: DocumentNames.Table, use: Int)] = [:]
        var uses = 0
    }

    private let state = Mutex(State())
    private static let countMax = 256

    fileprivate func table(_ file: MunicipalityFile, _ context: Context) -> DocumentNames.Table {
        let key = Key(municipality: file.name, incarnation: file.incarnation, context: context.key)
        return state.withLock { state in
            state.uses += 1
            if let known = state.tables[key] {
                state.tables[key] = (known.table, state.uses)
                return known.table
            }
            if state.tables.count >= Self.countMax, let oldest = state.tables.min(by: { $0.value.use < $1.value.use }) {
                state.tables[oldest.key] = nil
            }
            let table = DocumentNames.Table()
            state.tables[key] = (table, state.uses)
            return table
        }
    }
}

extension Broker {
    /// The names that documents of this municipality are written with for one context.
    package func names(_ context: Context, _ access: ReadAccess) throws -> DocumentNames {
        let file = try file(toRead: access)
        return DocumentNames(terms: file.terms, context: context, table: nameCache.table(file, context))
    }
}
