internal import CityModel

extension StoredDocument {
    /// Appends the simplified representation (clause 4.5.4) but for the bracket that closes it, from the stored text: values are copied and nothing is parsed.
    /// - Parameter name: appends the JSON string of a term, with its quotes.
    /// - Returns: false where that is not possible, because an attribute has several instances or a dataset, or lists relationships; then nothing was appended.
    package func renderSimplified(includesSystemMembers: Bool, to buffer: inout RenderBuffer, name: (Int64, inout RenderBuffer) -> Void) -> Bool {
        let start = buffer.count
        let isDone = bytes.withUnsafeBufferPointer { source in
            guard let parts = DocumentParts(source) else { return false }
            func copy(_ range: Range<Int>) {
                StoredDocument.render(source, range, includesSystemMembers: includesSystemMembers, to: &buffer, name: name)
            }
            copy(parts.head)
            for attribute in parts.attributes {
                guard let value = SimplifiedValue(source, attribute.instances) else { return false }
                copy(attribute.entry.lowerBound..<attribute.instances.lowerBound)
                if let member = value.member {
                    buffer.append("{")
                    copy(member)
                    copy(value.range)
                    buffer.append("}")
                } else {
                    copy(value.range)
                }
            }
            copy(parts.tail.dropLast())
            return true
        }
        if !isDone { buffer.removeLast(buffer.count - start) }
        return isDone
    }
}

/// Where the value of an attribute's only instance stands.
private struct SimplifiedValue {
    let range: Range<Int>
    /// The name of the member that holds it, where the simplified representation tells it, with the colon.
    let member: Range<Int>?

    /// - Parameter instances: where they stand.
    init?(_ source: UnsafeBufferPointer<UInt8>, _ instances: Range<Int>) {
        var scanner = DocumentScanner(source, from: instances.lowerBound)
        guard scanner.take(UInt8(ascii: "{")), scanner.takeText() != nil, scanner.take(UInt8(ascii: ":")), let type = scanner.takeText(),
            let kind = AttributeKind(rawValue: String(decoding: source[type], as: UTF8.self)), kind != .listRelationship,
            scanner.take(UInt8(ascii: ","))
        else { return nil }
        let member = scanner.index
        guard scanner.takeText() != nil, scanner.take(UInt8(ascii: ":")) else { return nil }
        let value = scanner.index
        guard scanner.skipValue() else { return nil }
        range = value..<scanner.index
        switch kind {
        case .languageProperty, .vocabProperty, .jsonProperty: self.member = member..<value
        default: self.member = nil
        }
        // A dataset's own name would stand among what qualifies the value.
        while scanner.take(UInt8(ascii: ",")) {
            if scanner.takeName() == nil {
                guard let name = scanner.takeText(), !source[name].elementsEqual("datasetId".utf8) else { return nil }
            }
            guard scanner.take(UInt8(ascii: ":")), scanner.skipValue() else { return nil }
        }
    }
}
