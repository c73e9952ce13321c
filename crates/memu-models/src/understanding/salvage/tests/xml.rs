use serde_json::json;

use super::super::{Repair, Step, salvage};
use super::{repairs, values};

#[test]
fn elements_become_objects_and_repeated_ones_lists() {
    let text = "<item>\n <memory>\n  <content>Anna rows &amp; swims &#x2014; R&D</content>\n  \
                <categories><category>habits</category><category>goals</category></categories>\n \
                </memory>\n <memory><content>Ben sails</content><categories></categories></memory>\n</item>";
    assert_eq!(
        values(text),
        [json!({"item": {"memory": [
            {"content": "Anna rows & swims — R&D", "categories": {"category": ["habits", "goals"]}},
            {"content": "Ben sails", "categories": ""},
        ]}})]
    );
    assert_eq!(repairs(text), [Repair::Xml, Repair::Ampersand]);
}

#[test]
fn fences_prose_and_several_roots_are_read() {
    let text = "Here you are:\n```xml\n<?xml version=\"1.0\"?>\n<item><memory>a</memory></item>\n\
                <item><memory>b</memory></item>\n```\n<caption>\nOne & two\n</caption>";
    assert_eq!(
        values(text),
        [
            json!({"item": {"memory": "a"}}),
            json!({"item": {"memory": "b"}}),
            json!({"caption": "One & two"}),
        ]
    );
}

#[test]
fn attributes_comments_and_literal_text_are_read() {
    assert_eq!(
        values(
            "<all><!-- none --><summary category=\"work &amp; life\"><![CDATA[a < b & c]]></summary><x y='1'/></all>"
        ),
        [json!({"all": {
            "summary": {"category": "work & life", "#text": "a < b & c"},
            "x": {"y": "1"},
        }})]
    );
}

#[test]
fn what_only_looks_like_a_tag_stays_text() {
    assert_eq!(
        values("<memory>I <3 Vec<String> and a < b, <b>really</b> 1 </ 2</memory>"),
        [json!({"memory": "I <3 Vec<String> and a < b, <b>really</b> 1 </ 2"})]
    );
    assert_eq!(values("Use Vec<String> for {\"a\": 1}"), [json!({"a": 1})]);
}

#[test]
fn a_missing_end_tag_is_made_up_for() {
    assert_eq!(
        values("<item><memory>a<categories><category>x</category></categories></item>"),
        [json!({"item": {"#text": "<memory>a", "categories": {"category": "x"}}})]
    );
    assert_eq!(
        values("<items><memory>a</memory><memory>b</items>"),
        [json!({"items": {"memory": ["a", "b"]}})]
    );
}

#[test]
fn what_was_cut_off_is_left_out_and_what_is_complete_stays() {
    let found =
        salvage("<items><item><memory>a</memory></item><item><memory>b</memory><categories><cat");
    assert_eq!(
        found.roots[0].value,
        json!({"items": {"item": [{"memory": "a"}, {"memory": "b"}]}})
    );
    let steps = [
        Step::Key("items".into()),
        Step::Key("item".into()),
        Step::Index(1),
    ];
    assert_eq!(found.roots[0].cut.as_deref(), Some(&steps[..]));
    assert!(found.repairs.count(Repair::CutOff) > 0);
}
