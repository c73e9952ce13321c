//! Text in a language that the rules do not know: it is kept in its own words.

use memu_core::analysis::is_stop_word;

use crate::temporal::tokens::Tokens;
use crate::temporal::words::{Words, words};

/// Function words of French, German, Italian, Portuguese and Spanish that are no
/// English words.
static FUNCTION_WORDS: Words = words!(
    "
    aber au auch auf aux avec bei che com como con da dans das de del della der des di dos du e
    ein eine einen el em en es est estoy et eu fui gestern gosto gusta ha habe hay heute hier ho
    ich il ist je la las le les lo los mais mein meine mi mich minha mir mit moi mon muito mucho
    muy más nach não nicht nous o oggi os para pas pero più por pour que qui sa se sei sein ses
    sich sind soy sono su sur té tengo très tu un una und une uno vous war wir y yo zu zum é è
    "
);

/// Whether the text is, in all likelihood, not English.
pub(super) fn is_foreign(tokens: &Tokens<'_>) -> bool {
    let (mut words, mut known, mut foreign, mut other_script) = (0_usize, 0, 0, 0);
    for index in 0..tokens.len() {
        if !tokens.is_word(index) {
            continue;
        }
        let word = tokens.word(index);
        words += 1;
        known += usize::from(is_stop_word(word));
        foreign += usize::from(FUNCTION_WORDS.has(word));
        other_script += usize::from(word.starts_with(is_other_script));
    }
    words > 0
        && (other_script * 2 > words || foreign >= 2 && foreign * 4 >= words && known * 3 < words)
}

/// Letters beyond Latin.
fn is_other_script(character: char) -> bool {
    character > '\u{36F}' && character.is_alphabetic()
}

/// How much is said, by length alone.
pub(super) fn worth(tokens: &Tokens<'_>) -> i32 {
    let mut words = 0;
    let mut letters = 0;
    for index in 0..tokens.len() {
        if tokens.is_word(index) {
            words += 1;
            letters += tokens.raw(index).chars().count();
        }
    }
    // Scripts without spaces write several words in one run.
    let dense = tokens.raw(0).starts_with(|c: char| c > '\u{2E7F}');
    let enough = if dense { letters >= 6 } else { words >= 4 };
    if enough { super::worth::KEPT } else { 0 }
}
