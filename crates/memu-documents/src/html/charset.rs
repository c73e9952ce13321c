//! In which characters a page is written: the byte order mark counts, then what the server said,
//! then what the page says, as the HTML standard has it; and otherwise UTF-8, or the most common
//! of the old ones.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How far into a page what declares its characters is looked for.
const PRESCANNED: usize = 4096;

/// The text of a page. What is no character in its encoding becomes `U+FFFD`.
pub(super) fn decode<'a>(bytes: &'a [u8], media_type: Option<&str>) -> Cow<'a, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let text = bytes.get(mark..).unwrap_or_default();
        return encoding.decode_without_bom_handling(text).0;
    }
    let declared = media_type.and_then(of_server).or_else(|| of_page(bytes));
    let encoding = declared.unwrap_or_else(|| {
        if std::str::from_utf8(bytes).is_ok() {
            UTF_8
        } else {
            WINDOWS_1252
        }
    });
    encoding.decode_without_bom_handling(bytes).0
}

fn of_server(media_type: &str) -> Option<&'static Encoding> {
    let mut parameters = media_type.split(';').skip(1);
    let charset = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then_some(value)
    })?;
    Encoding::for_label(charset.trim().trim_matches(['"', '\'']).as_bytes())
}

/// `<meta charset=…>`, `<meta http-equiv=… content="…charset=…">` or `<?xml encoding=…?>`.
fn of_page(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = bytes.get(..PRESCANNED).unwrap_or(bytes);
    let text = String::from_utf8_lossy(start).to_ascii_lowercase();
    let in_meta = text.split("<meta").skip(1).find_map(|rest| {
        let tag = rest.split('>').next()?;
        label_after(tag, "charset")
    });
    let in_xml = || {
        let declaration = text.trim_start().strip_prefix("<?xml")?;
        label_after(declaration.split("?>").next()?, "encoding")
    };
    let encoding = Encoding::for_label(in_meta.or_else(in_xml)?.as_bytes())?;
    // The declaration was read as ASCII, so it cannot be UTF-16.
    let impossible = encoding == UTF_16LE || encoding == UTF_16BE;
    Some(if impossible { UTF_8 } else { encoding })
}

fn label_after<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(name)?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let value = value.trim_start_matches(['"', '\'']);
    let end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '/' | '?');
    value.split(end).next().filter(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surest_declaration_counts() {
        let cafe: &[u8] = b"caf\xE9";
        assert_eq!(decode(cafe, None), "café");
        assert_eq!(decode("café".as_bytes(), None), "café");
        assert_eq!(
            decode(
                b"\xEF\xBB\xBFcaf\xC3\xA9",
                Some("text/html; charset=koi8-r")
            ),
            "café"
        );
        assert_eq!(
            decode(
                b"\xCB\xCF\xDB\xCB\xC1",
                Some("text/html; Charset=\"KOI8-R\"")
            ),
            "кошка"
        );
        assert_eq!(decode(b"\xFF\xFEh\0i\0", None), "hi");
        for declared in [
            "<meta charset=windows-1251>",
            "<META http-equiv='Content-Type' content='text/html; charset=windows-1251'/>",
            "<?xml version='1.0' encoding=\"windows-1251\"?>",
        ] {
            let page = [declared.as_bytes(), b"\xEA\xEE\xF8\xEA\xE0"].concat();
            assert!(decode(&page, None).ends_with("кошка"), "{declared}");
        }
        let page = b"<meta charset=utf-16>caf\xC3\xA9";
        assert!(decode(page, None).ends_with("café"));
        assert_eq!(
            decode(b"<meta charset=klingon>hi", None),
            "<meta charset=klingon>hi"
        );
    }
}
