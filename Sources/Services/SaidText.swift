/// What people write where no question is asked: in normalization form C, without blanks around it, control characters, and what turns the direction of
/// writing around.
package enum SaidText {
    package static func cleaned(_ text: String) -> String {
        var cleaned = AnswerText.normalised(text)
        cleaned.unicodeScalars.removeAll(where: AnswerText.isControl)
        return cleaned
    }
}
