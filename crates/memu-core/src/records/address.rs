use std::borrow::Cow;

/// An address as others may see it: of a URL without the user name, the password, the parameters
/// and the fragment, among which may be keys. The names of files stay as they are.
pub fn public_address(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.into();
    };
    let place = rest.split(['?', '#']).next().unwrap_or(rest);
    let (host, path) = match place.find(['/', '\\']) {
        Some(end) => place.split_at_checked(end).unwrap_or((place, "")),
        None => (place, ""),
    };
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if scheme.len() + host.len() + path.len() + 3 == url.len() {
        return url.into();
    }
    format!("{scheme}://{host}{path}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_key_is_cut_off_and_names_of_files_are_not() {
        for (url, public) in [
            (
                "https://nora:pw@h.example/a/b.pdf?token=1#p2",
                "https://h.example/a/b.pdf",
            ),
            ("https://nora@h.example?token=1", "https://h.example"),
            ("https://h.example#token", "https://h.example"),
            (
                "https://h.example:8080/a@b/c",
                "https://h.example:8080/a@b/c",
            ),
            ("s3://bucket/key.txt?sig=1", "s3://bucket/key.txt"),
            ("notes #3 of nora@home?.md", "notes #3 of nora@home?.md"),
            ("C:\\a#b.txt", "C:\\a#b.txt"),
        ] {
            assert_eq!(public_address(url), public);
        }
    }
}
