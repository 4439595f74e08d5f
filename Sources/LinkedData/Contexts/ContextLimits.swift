/// How much a JSON-LD context may ask for, and how much of it is kept in memory.
public struct ContextLimits: Sendable {
    /// Remote documents that one context may refer to, directly and through others, repetitions counted.
    public var documentCountMax: Int
    /// How many documents may lead to one another, and how deep arrays may nest within one.
    public var nestingDepthMax: Int
    /// Term definitions in one context, all its documents together, repetitions counted.
    public var termCountMax: Int
    /// UTF-8 bytes of all names and IRIs that one context defines.
    public var textByteCountMax: Int
    /// Approximate bytes of all processed contexts that are kept. The smallest context takes about 45 kB.
    public var cachedContextByteCountMax: Int
    /// Approximate bytes of all remote documents that are kept.
    public var cachedDocumentByteCountMax: Int

    public init(
        documentCountMax: Int = 32, nestingDepthMax: Int = 8, termCountMax: Int = 20_000, textByteCountMax: Int = 4 << 20,
        cachedContextByteCountMax: Int = 64 << 20, cachedDocumentByteCountMax: Int = 16 << 20
    ) {
        self.documentCountMax = documentCountMax
        self.nestingDepthMax = nestingDepthMax
        self.termCountMax = termCountMax
        self.textByteCountMax = textByteCountMax
        self.cachedContextByteCountMax = cachedContextByteCountMax
        self.cachedDocumentByteCountMax = cachedDocumentByteCountMax
    }
}
