/// Turns bytes of a single-byte encoding into UTF-8.
struct Transcoder {
    /// For each byte its UTF-8 form: the bytes from the lowest up, their count in the highest.
    private let forms: [UInt32]

    /// Nil for UTF-8, which needs none.
    init?(_ encoding: TextEncoding) {
        switch encoding {
        case .utf8: return nil
        case .windows1252: forms = Self.forms(Self.windows1252)
        case .iso8859_15: forms = Self.forms(Self.iso8859_15)
        case .cp850: forms = Self.forms(Self.cp850)
        }
    }

    /// Appends `bytes` to `text`. A byte that the encoding does not have becomes 0xFF, which no UTF-8 text holds, so that
    /// the record around it is found damaged.
    func append(_ bytes: ArraySlice<UInt8>, to text: inout [UInt8]) {
        text.reserveCapacity(text.count + bytes.count + bytes.count / 8)
        for byte in bytes {
            guard byte >= 0x80 else {
                text.append(byte)
                continue
            }
            var form = forms[Int(byte & 0x7F)]
            for _ in 0..<(form >> 24) {
                text.append(UInt8(truncatingIfNeeded: form))
                form >>= 8
            }
        }
    }

    private static func forms(_ upperHalf: String) -> [UInt32] {
        upperHalf.unicodeScalars.map { scalar in
            guard scalar != "\u{FFFD}" else { return 1 << 24 | 0xFF }
            var form = UInt32(0)
            var count = UInt32(0)
            for byte in UTF8.encode(scalar) ?? .init() {
                form |= UInt32(byte) << (8 * count)
                count += 1
            }
            return count << 24 | form
        }
    }

    // The characters of bytes 0x80 to 0xFF; U+FFFD where the encoding has none.

    private static let windows1252 =
        "€\u{FFFD}‚ƒ„…†‡ˆ‰Š‹Œ\u{FFFD}Ž\u{FFFD}\u{FFFD}‘’“”•–—˜™š›œ\u{FFFD}žŸ"
        + "\u{A0}¡¢£¤¥¦§¨©ª«¬\u{AD}®¯°±²³´µ¶·¸¹º»¼½¾¿"
        + "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß"
        + "àáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ"

    private static let iso8859_15 =
        "\u{80}\u{81}\u{82}\u{83}\u{84}\u{85}\u{86}\u{87}\u{88}\u{89}\u{8A}\u{8B}\u{8C}\u{8D}\u{8E}\u{8F}"
        + "\u{90}\u{91}\u{92}\u{93}\u{94}\u{95}\u{96}\u{97}\u{98}\u{99}\u{9A}\u{9B}\u{9C}\u{9D}\u{9E}\u{9F}"
        + "\u{A0}¡¢£€¥Š§š©ª«¬\u{AD}®¯°±²³Žµ¶·ž¹º»ŒœŸ¿"
        + "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß"
        + "àáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ"

    private static let cp850 =
        "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ"
        + "áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐"
        + "└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀"
        + "ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{AD}±‗¾¶§÷¸°¨·¹³²\u{25A0}\u{A0}"
}
