public import CityModel

/// Writes names as the terms of a context, with or without the members that `sysAttrs` asks for.
public struct ContextNames: NameWriting {
    private let context: Context
    private let includesSystemMembers: Bool

    public init(context: Context, includesSystemMembers: Bool) {
        self.context = context
        self.includesSystemMembers = includesSystemMembers
    }

    public func write(name: IRI, to writer: inout JSONWriter) { writer.write(context.compact(name)) }

    public func writeSystemMembers(to writer: inout JSONWriter, _ body: (inout JSONWriter) -> Void) {
        if includesSystemMembers { body(&writer) }
    }
}

extension Context: NameReading {}
