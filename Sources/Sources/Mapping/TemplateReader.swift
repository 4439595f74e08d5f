internal import CityModel
internal import Foundation

/// Fills a template from records.
final class TemplateReader {
    enum Escaping {
        /// Everything but letters, digits, `-`, `.`, `_`, `~` and `:` is percent-encoded (RFC 3986), so that what is
        /// filled in can neither end the identifier nor mean something in a query.
        case iri
        /// What a scope's level cannot hold becomes `_`.
        case scope
        case none
    }

    private enum Part {
        case literal([UInt8])
        case field(FieldReader, [Template.Filter])
    }

    let text: String
    private let parts: [Part]
    private let escaping: Escaping

    init(_ template: Template, _ scheme: RecordScheme, _ escaping: Escaping) throws(SourceError) {
        text = template.text
        self.escaping = escaping
        var parts: [Part] = []
        for part in template.parts {
            switch part {
            case .literal(let text): parts.append(.literal(Array(text.utf8)))
            case .field(let name, let filters): parts.append(.field(try FieldReader(name, scheme), filters))
            }
        }
        self.parts = parts
    }

    /// The names of its fields, for findings.
    var fieldNames: String {
        parts.compactMap { part in
            guard case .field(let reader, _) = part else { return nil }
            return reader.name
        }.joined(separator: ", ")
    }

    /// The text of a template without fields.
    var constant: String? {
        parts.reduce("") { text, part in
            guard let text, case .literal(let bytes) = part else { return nil }
            return text + String(decoding: bytes, as: UTF8.self)
        }
    }

    /// The filled template; nil when one of its fields is missing.
    func fill(_ record: borrowing Record) -> String? {
        fill { $0.value(record).bytes }
    }

    private func fill(_ value: (FieldReader) -> ArraySlice<UInt8>?) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(64)
        for part in parts {
            switch part {
            case .literal(let literal): bytes.append(contentsOf: literal)
            case .field(let reader, let filters):
                guard let value = value(reader) ?? Self.fallback(filters) else { return nil }
                append(filters.isEmpty ? value : filtered(value, filters), isRaw: filters.contains(.raw), to: &bytes)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The template filled once for each part of its only field; filled once as it is without a separator.
    func fillEach(_ record: borrowing Record, separator: String?) -> [String]? {
        guard let separator else { return fill(record).map { [$0] } }
        for part in parts {
            guard case .field(let reader, _) = part else { continue }
            let pieces = reader.value(record).bytes?.pieces(separator: Array(separator.utf8)).map(Blank.trimmed)
            return pieces?.filter { !$0.isEmpty }.compactMap { piece in fill { _ in piece } }
        }
        return nil
    }

    /// The first field that is missing.
    func missingField(_ record: borrowing Record) -> String {
        for part in parts {
            if case .field(let reader, let filters) = part, reader.value(record).bytes == nil, Self.fallback(filters) == nil {
                return reader.name
            }
        }
        return text
    }

    private static func fallback(_ filters: [Template.Filter]) -> ArraySlice<UInt8>? {
        for filter in filters { if case .fallback(let text) = filter { return Array(text.utf8)[...] } }
        return nil
    }

    private func append(_ value: ArraySlice<UInt8>, isRaw: Bool, to bytes: inout [UInt8]) {
        switch escaping {
        case .none: bytes.append(contentsOf: value)
        case .iri where isRaw: bytes.append(contentsOf: value)
        case .iri: Self.appendEscaped(value, to: &bytes)
        case .scope: bytes.append(contentsOf: Self.level(String(decoding: value, as: UTF8.self)).utf8)
        }
    }

    private static func appendEscaped(_ value: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        for byte in value {
            if isUnreserved(byte) {
                bytes.append(byte)
            } else {
                bytes.append(UInt8(ascii: "%"))
                bytes.append(hexadecimal(byte >> 4))
                bytes.append(hexadecimal(byte & 15))
            }
        }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"),
            UInt8(ascii: ":"):
            true
        default: false
        }
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8 { digit < 10 ? 48 + digit : 55 + digit }

    private static func level(_ text: String) -> String {
        let level = text.map { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "." ? $0 : "_" }
        return String(level)
    }

    private func filtered(_ value: ArraySlice<UInt8>, _ filters: [Template.Filter]) -> ArraySlice<UInt8> {
        var text = String(decoding: value, as: UTF8.self)
        for filter in filters {
            switch filter {
            case .lower: text = text.lowercased()
            case .upper: text = text.uppercased()
            case .slug: text = Self.slug(text)
            case .raw, .fallback: break
            }
        }
        return Array(text.utf8)[...]
    }

    static func slug(_ text: String) -> String {
        var slug = ""
        for scalar in text.lowercased().decomposedStringWithCanonicalMapping.unicodeScalars {
            switch scalar {
            case "a"..."z", "0"..."9": slug.unicodeScalars.append(scalar)
            case "œ": slug += "oe"
            case "æ": slug += "ae"
            case "ß": slug += "ss"
            case "ø": slug += "o"
            case _ where scalar.properties.generalCategory == .nonspacingMark: continue
            default: if !slug.isEmpty, slug.last != "-" { slug += "-" }
            }
        }
        if slug.last == "-" { slug.removeLast() }
        return slug
    }
}
