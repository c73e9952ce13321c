use super::*;
use crate::block::markdown;

fn page(html: &str) -> Document {
    read_text(html, &mut MOST_ELEMENTS.clone()).unwrap()
}

fn text(html: &str) -> String {
    markdown(&page(html).blocks)
}

#[test]
fn what_is_read_is_what_a_reader_sees() {
    let html = r#"<!DOCTYPE html><html><head><title>The  boats
        of Ines</title><style>p { color: red }</style></head><body>
        <nav><a href="/">Home</a></nav><div role="navigation">Crumbs</div>
        <h1>Boats &amp; <em>harbours</em></h1>
        <p>Ines has a <a href="https://example.org">caf&eacute;</a>&nbsp;&mdash; and two boats.</p>
        <script>alert("no")</script><noscript>Turn it on</noscript>
        <p hidden>secret</p><p style="Display: None">secret</p><i aria-hidden="true">icon</i>
        <figure><img src="a.png" alt="A dinghy"><figcaption>The dinghy</figcaption></figure>
        <!-- a comment --><button>Buy</button></body></html>"#;
    assert_eq!(page(html).title.as_deref(), Some("The boats of Ines"));
    assert_eq!(
        text(html),
        "# Boats & harbours\n\nInes has a café — and two boats.\n\n[image: A dinghy]\n\nThe dinghy"
    );
}

#[test]
fn lists_tables_quotes_and_code_keep_their_form() {
    assert_eq!(
        text(
            "<ul><li>one<li><p>two</p><p>more</p><ol><li>inner</ol></ul><dl><dt>term<dd>words</dl>"
        ),
        "- one\n- two\n\nmore\n\n  - inner\n\nterm\n\nwords"
    );
    assert_eq!(
        text(
            "<table><caption>Sizes</caption><tr><th>Name<th>Length<tr><td>Mira<td><b>4</b> m</table>"
        ),
        "Sizes\n\n| Name | Length |\n| Mira | 4 m |"
    );
    assert_eq!(
        text("<blockquote>Ahoy<br>there</blockquote><pre>a\n  b<br>c</pre>"),
        "> Ahoy there\n\n```\na\n  b\nc\n```"
    );
}

#[test]
fn tables_that_lay_out_a_page_are_no_tables() {
    let page = "<table><tr><td><h2>Left</h2><p>one</p></td><td><table><tr><td>a<td>b</tr></table>\
                <p>two</p></td></tr></table>";
    assert_eq!(text(page), "## Left\n\none\n\n| a | b |\n\ntwo");
}

#[test]
fn no_depth_of_nesting_is_too_deep() {
    for opening in [
        "<div>",
        "<table><tr><td>x",
        "<ul><li>y",
        "<blockquote>",
        "<b><p>",
        "<svg><g>",
        "<p><span>z</p>",
    ] {
        let page = format!("{}deep", opening.repeat(20_000));
        let read = text(&page);
        assert!(read.ends_with("deep") || opening == "<svg><g>", "{opening}");
    }
    let fonts = (0..20_000).map(|at| format!("<p><font style='a:{at}'>w</p>"));
    let fonts = fonts.collect::<Vec<_>>().concat();
    assert_eq!(text(&fonts).matches('w').count(), 20_000);
    let page = format!("{}deep{}<p>out", "<div>".repeat(600), "</div>".repeat(600));
    assert_eq!(text(&page), "deep\n\nout");
}

#[test]
fn empty_elements_of_xhtml_do_not_swallow_the_page() {
    let page = "<?xml version='1.0'?><html><head><title/><script src='a.js'/></head>\
                <body><p>There.</p></body></html>";
    assert_eq!(text(page), "There.");
}
