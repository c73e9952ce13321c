use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::UnicodeNormalization;

/// Text as BERT's uncased models read it (Devlin et al., 2018): control characters
/// out, accents off, lower case, every CJK character a word of its own.
pub(super) fn normalised(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    for character in text.chars() {
        if is_dropped(character) {
            continue;
        }
        if character.is_whitespace() {
            spaced.push(' ');
        } else if is_cjk(character) {
            spaced.extend([' ', character, ' ']);
        } else {
            spaced.push(character);
        }
    }
    spaced
        .nfd()
        .filter(|c| get_general_category(*c) != GeneralCategory::NonspacingMark)
        .flat_map(char::to_lowercase)
        .collect()
}

fn is_dropped(character: char) -> bool {
    if matches!(character, '\t' | '\n' | '\r') {
        return false;
    }
    let category = get_general_category(character);
    character == '\u{fffd}'
        || matches!(
            category,
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::PrivateUse
                | GeneralCategory::Surrogate
                | GeneralCategory::Unassigned
        )
}

/// Whether a character stands for itself between words.
pub(super) fn is_punctuation(character: char) -> bool {
    character.is_ascii_punctuation()
        || !character.is_ascii()
            && matches!(
                get_general_category(character),
                GeneralCategory::ConnectorPunctuation
                    | GeneralCategory::DashPunctuation
                    | GeneralCategory::OpenPunctuation
                    | GeneralCategory::ClosePunctuation
                    | GeneralCategory::InitialPunctuation
                    | GeneralCategory::FinalPunctuation
                    | GeneralCategory::OtherPunctuation
            )
}

/// The ranges that BERT's tokenizer counts as Chinese characters.
fn is_cjk(character: char) -> bool {
    matches!(
        u32::from(character),
        0x4E00..=0x9FFF
            | 0x3400..=0x4DBF
            | 0x2_0000..=0x2_A6DF
            | 0x2_A700..=0x2_B73F
            | 0x2_B740..=0x2_B81F
            | 0x2_B920..=0x2_CEAF
            | 0xF900..=0xFAFF
            | 0x2_F800..=0x2_FA1F
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_case_and_controls_go() {
        assert_eq!(normalised("Café\u{200b} ÀÉÎ\u{7}õ"), "cafe aeio");
        assert_eq!(normalised("a\tb\u{a0}c"), "a b c");
        assert_eq!(normalised("x漢字"), "x 漢  字 ");
    }

    #[test]
    fn symbols_of_ascii_count_as_punctuation_and_others_do_not() {
        assert!("!$+<=>^`|~-".chars().all(is_punctuation));
        assert!("…“”—¿".chars().all(is_punctuation));
        assert!(!"€©×aé1 ".chars().any(is_punctuation));
    }
}
