mod around_the_anchor;

use super::*;
use jiff::civil::{date, datetime};
use memu_core::time::Precision;

/// Wednesday, 10 May 2023, at a quarter past two.
const ANCHOR: civil::DateTime = datetime(2023, 5, 10, 14, 15, 0, 0);

/// The first mention as `precision start..end`, and the words that name it.
fn first(text: &str, anchor: Option<civil::DateTime>) -> String {
    let Some(mention) = find(text, anchor).into_iter().next() else {
        return "nothing".to_owned();
    };
    let when = mention.when;
    let end = when
        .end
        .map_or(String::new(), |end| format!("..{}", end.date()));
    let start = if when.precision == Precision::Minute {
        when.start.to_string().replace(":00", "").replace('T', " ")
    } else {
        when.start.date().to_string()
    };
    let vague = if mention.vague { "~" } else { "" };
    format!(
        "{vague}{} {start}{end} [{}]",
        when.precision.as_str(),
        text.get(mention.range).unwrap()
    )
}

fn check(cases: &[(&str, &str)], anchor: Option<civil::DateTime>) {
    let wrong: Vec<_> = cases
        .iter()
        .map(|(text, expected)| (text, expected, first(text, anchor)))
        .filter(|(_, expected, found)| *expected != found)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn dates_of_the_calendar() {
    check(
        &[
            ("We met in June", "month 2022-06-01..2022-07-01 [in June]"),
            (
                "We'll meet in June",
                "month 2023-06-01..2023-07-01 [in June]",
            ),
            (
                "We met last June",
                "month 2022-06-01..2022-07-01 [last June]",
            ),
            (
                "It was in June 2022",
                "month 2022-06-01..2022-07-01 [in June 2022]",
            ),
            (
                "It was back in 2019",
                "year 2019-01-01..2020-01-01 [back in 2019]",
            ),
            (
                "I live here since 2020.",
                "year 2020-01-01..2021-01-01 [2020]",
            ),
            ("We met on May 7", "day 2023-05-07..2023-05-08 [on May 7]"),
            (
                "We'll meet on May 7",
                "day 2024-05-07..2024-05-08 [on May 7]",
            ),
            (
                "born 7 May 1993 in Oslo",
                "day 1993-05-07..1993-05-08 [7 May 1993]",
            ),
            (
                "on the 7th of May, 2023, we",
                "day 2023-05-07..2023-05-08 [on the 7th of May, 2023]",
            ),
            (
                "May 7th, 2023 was fun",
                "day 2023-05-07..2023-05-08 [May 7th, 2023]",
            ),
            (
                "signed 2023-05-07.",
                "day 2023-05-07..2023-05-08 [2023-05-07]",
            ),
            (
                "signed on 05/07/2023",
                "day 2023-05-07..2023-05-08 [on 05/07/2023]",
            ),
            (
                "signed 25/07/2023",
                "day 2023-07-25..2023-07-26 [25/07/2023]",
            ),
            (
                "signed 07.05.2023",
                "day 2023-05-07..2023-05-08 [07.05.2023]",
            ),
            (
                "in the summer of 2021",
                "season 2021-06-01..2021-09-01 [in the summer of 2021]",
            ),
            (
                "revenue in Q1 2024 rose",
                "season 2024-01-01..2024-04-01 [in Q1 2024]",
            ),
            (
                "It's the week of May 8",
                "week 2023-05-08..2023-05-15 [the week of May 8]",
            ),
            (
                "I worked from May to July 2022",
                "month 2022-05-01..2022-08-01 [from May to July 2022]",
            ),
            (
                "open from 2019 to 2021",
                "year 2019-01-01..2022-01-01 [from 2019 to 2021]",
            ),
            ("we camped May 5-7", "day 2023-05-05..2023-05-08 [May 5-7]"),
            (
                "due by March 15, 2024",
                "day 2024-03-15..2024-03-16 [March 15, 2024]",
            ),
            (
                "in early September I start",
                "month 2023-09-01..2023-10-01 [September]",
            ),
        ],
        Some(ANCHOR),
    );
}

#[test]
fn clock_times_refine_the_day_of_their_clause() {
    check(
        &[
            (
                "Dentist tomorrow at 3 pm",
                "minute 2023-05-11 15 [tomorrow]",
            ),
            (
                "I went to bed at 2:30 AM last night",
                "minute 2023-05-10 02:30 [last night]",
            ),
            (
                "At 7:45 p.m. yesterday we ate",
                "minute 2023-05-09 19:45 [yesterday]",
            ),
            (
                "Call me on May 12 at noon",
                "minute 2023-05-12 12 [on May 12]",
            ),
            (
                "We meet on Friday at 15:30",
                "minute 2023-05-12 15:30 [on Friday]",
            ),
            (
                "Dinner at 8:15 tonight",
                "minute 2023-05-10 20:15 [tonight]",
            ),
            ("I get up at 6 am", "nothing"),
            (
                "Yesterday I slept, but at 6 am it rained",
                "day 2023-05-09..2023-05-10 [Yesterday]",
            ),
        ],
        Some(ANCHOR),
    );
}

#[test]
fn boundaries_of_years_months_and_leap_years() {
    let new_year = datetime(2024, 1, 1, 9, 0, 0, 0);
    check(
        &[
            ("I sang yesterday", "day 2023-12-31..2024-01-01 [yesterday]"),
            (
                "I sang last week",
                "week 2023-12-25..2024-01-01 [last week]",
            ),
            (
                "I sang last month",
                "month 2023-12-01..2024-01-01 [last month]",
            ),
            (
                "I skied last winter",
                "season 2022-12-01..2023-03-01 [last winter]",
            ),
            (
                "I ski this winter",
                "season 2023-12-01..2024-03-01 [this winter]",
            ),
            (
                "We met in December",
                "month 2023-12-01..2024-01-01 [in December]",
            ),
        ],
        Some(new_year),
    );
    let leap = datetime(2024, 2, 29, 9, 0, 0, 0);
    check(
        &[
            (
                "I flew a year ago",
                "year 2023-01-01..2024-01-01 [a year ago]",
            ),
            ("I fly tomorrow", "day 2024-03-01..2024-03-02 [tomorrow]"),
            (
                "Born on February 29",
                "day 2024-02-29..2024-03-01 [on February 29]",
            ),
            (
                "I moved a month ago",
                "month 2024-01-01..2024-02-01 [a month ago]",
            ),
        ],
        Some(leap),
    );
    let last_of_month = datetime(2023, 3, 31, 9, 0, 0, 0);
    check(
        &[
            (
                "It was last month",
                "month 2023-02-01..2023-03-01 [last month]",
            ),
            ("On February 29, 2023 nothing", "nothing"),
            ("February 30th", "nothing"),
        ],
        Some(last_of_month),
    );
}

#[test]
fn false_friends_are_no_times() {
    let cases: Vec<_> = [
        "I may go there",
        "May I ask you something",
        "We march for peace",
        "We want to march on",
        "Wait a second",
        "the second one",
        "She sat in the sun",
        "I sat down",
        "I fall asleep quickly",
        "in the fall he broke his leg",
        "I recently moved",
        "See you soon!",
        "the other day",
        "every Friday we dance",
        "I hate Mondays",
        "April is my sister",
        "I have 2000 books in 2000 boxes",
        "We drove in 2000 steps",
        "I read it in two days and wrote nothing",
        "the next day was better",
        "This is 5/7 of it",
        "Next time bring cake",
        "That was the last time",
        "It costs $2:30",
        "I finished it in three weeks",
        "spring water, winter coat",
    ]
    .map(|text| (text, "nothing"))
    .into();
    check(&cases, Some(ANCHOR));
}

#[test]
fn without_an_anchor_only_full_dates_count() {
    check(
        &[
            ("I went yesterday", "nothing"),
            ("I went on May 7", "nothing"),
            (
                "I went in June 2022",
                "month 2022-06-01..2022-07-01 [in June 2022]",
            ),
        ],
        None,
    );
}

#[test]
fn times_are_written_out() {
    let cases = [
        ("we met yesterday", "on 9 May 2023"),
        ("we met last night", "on the night of 9 May 2023"),
        ("we met last week", "in the week of 1 May 2023"),
        ("we met last weekend", "on the weekend of 6 May 2023"),
        ("we met last month", "in April 2023"),
        ("we met last summer", "in the summer of 2022"),
        ("we met last year", "in 2022"),
        ("we met May 5-7", "from 5 May 2023 to 7 May 2023"),
        ("from May to July 2022", "from May 2022 to July 2022"),
        ("in Q3 2022", "in the third quarter of 2022"),
    ];
    for (text, expected) in cases {
        let mention = find(text, Some(ANCHOR)).remove(0);
        let words = text.get(mention.range.clone()).unwrap();
        assert_eq!(in_context(words, &mention.when), expected, "{text}");
    }
    assert_eq!(bare("today", &When::day(date(2023, 5, 10))), "10 May 2023");
}

#[test]
fn several_mentions_come_in_order() {
    let text = "Last week we met, and on May 20 we'll meet again";
    let found: Vec<_> = find(text, Some(ANCHOR))
        .into_iter()
        .map(|mention| text.get(mention.range).unwrap())
        .collect();
    assert_eq!(found, ["Last week", "on May 20"]);
}
