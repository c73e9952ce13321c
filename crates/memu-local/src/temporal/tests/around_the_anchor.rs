//! Times that are told from the moment at which somebody speaks.

use super::*;

#[test]
fn days_around_the_anchor() {
    check(
        &[
            ("We met today.", "day 2023-05-10..2023-05-11 [today]"),
            (
                "I saw her yesterday!",
                "day 2023-05-09..2023-05-10 [yesterday]",
            ),
            (
                "Off to Rome tomorrow morning",
                "day 2023-05-11..2023-05-12 [tomorrow morning]",
            ),
            ("I'll play tonight", "day 2023-05-10..2023-05-11 [tonight]"),
            (
                "I ran this morning",
                "day 2023-05-10..2023-05-11 [this morning]",
            ),
            (
                "Slept badly last night",
                "day 2023-05-09..2023-05-10 [last night]",
            ),
            (
                "It broke the day before yesterday.",
                "day 2023-05-08..2023-05-09 [the day before yesterday]",
            ),
            (
                "We fly the day after tomorrow",
                "day 2023-05-12..2023-05-13 [the day after tomorrow]",
            ),
            (
                "I called three days ago",
                "day 2023-05-07..2023-05-08 [three days ago]",
            ),
            (
                "It ships in 3 days.",
                "day 2023-05-13..2023-05-14 [in 3 days]",
            ),
            (
                "A few days ago I fell",
                "~week 2023-05-01..2023-05-08 [A few days ago]",
            ),
        ],
        Some(ANCHOR),
    );
}

#[test]
fn weekdays_follow_pointer_and_tense() {
    check(
        &[
            (
                "I ran last Friday",
                "day 2023-05-05..2023-05-06 [last Friday]",
            ),
            (
                "I ran last Wednesday",
                "day 2023-05-03..2023-05-04 [last Wednesday]",
            ),
            (
                "I ran last wednesday",
                "day 2023-05-03..2023-05-04 [last wednesday]",
            ),
            (
                "We meet next Friday",
                "day 2023-05-19..2023-05-20 [next Friday]",
            ),
            (
                "We meet this Friday",
                "day 2023-05-12..2023-05-13 [this Friday]",
            ),
            (
                "I want to relax on Friday",
                "day 2023-05-12..2023-05-13 [on Friday]",
            ),
            (
                "We went there on Friday",
                "day 2023-05-05..2023-05-06 [on Friday]",
            ),
            (
                "The party is on Wednesday",
                "day 2023-05-17..2023-05-18 [on Wednesday]",
            ),
            (
                "I swam this Monday",
                "day 2023-05-08..2023-05-09 [this Monday]",
            ),
            (
                "We danced Saturday night",
                "day 2023-05-06..2023-05-07 [Saturday night]",
            ),
            (
                "It rained Tuesday last week",
                "day 2023-05-02..2023-05-03 [Tuesday last week]",
            ),
            (
                "It's on Friday, May 12",
                "day 2023-05-12..2023-05-13 [on Friday, May 12]",
            ),
            (
                "I met him last Sat",
                "day 2023-05-06..2023-05-07 [last Sat]",
            ),
        ],
        Some(ANCHOR),
    );
}

#[test]
fn weeks_months_seasons_and_years_around_the_anchor() {
    check(
        &[
            (
                "It was last week",
                "week 2023-05-01..2023-05-08 [last week]",
            ),
            (
                "I'm free this week",
                "week 2023-05-08..2023-05-15 [this week]",
            ),
            (
                "Earlier this week I fell",
                "week 2023-05-08..2023-05-15 [Earlier this week]",
            ),
            (
                "Exams are next week",
                "week 2023-05-15..2023-05-22 [next week]",
            ),
            (
                "We hiked last weekend",
                "day 2023-05-06..2023-05-08 [last weekend]",
            ),
            (
                "We hiked over the weekend",
                "day 2023-05-06..2023-05-08 [over the weekend]",
            ),
            (
                "We hiked this past weekend",
                "day 2023-05-06..2023-05-08 [this past weekend]",
            ),
            (
                "We'll hike this weekend",
                "day 2023-05-13..2023-05-15 [this weekend]",
            ),
            (
                "the week before last we met",
                "week 2023-04-24..2023-05-01 [the week before last]",
            ),
            (
                "It opened last month",
                "month 2023-04-01..2023-05-01 [last month]",
            ),
            (
                "We're moving next month",
                "month 2023-06-01..2023-07-01 [next month]",
            ),
            (
                "I quit last year",
                "year 2022-01-01..2023-01-01 [last year]",
            ),
            (
                "I'll retire next year",
                "year 2024-01-01..2025-01-01 [next year]",
            ),
        ],
        Some(ANCHOR),
    );
}

#[test]
fn seasons_and_amounts_of_time() {
    check(
        &[
            (
                "Last summer was hot",
                "season 2022-06-01..2022-09-01 [Last summer]",
            ),
            (
                "This summer we sail",
                "season 2023-06-01..2023-09-01 [This summer]",
            ),
            (
                "I'll ski next winter",
                "season 2023-12-01..2024-03-01 [next winter]",
            ),
            (
                "I moved last fall",
                "season 2022-09-01..2022-12-01 [last fall]",
            ),
            (
                "We wed two weeks ago",
                "week 2023-04-24..2023-05-01 [two weeks ago]",
            ),
            (
                "I left a week ago",
                "week 2023-05-01..2023-05-08 [a week ago]",
            ),
            (
                "It's due in two weeks",
                "week 2023-05-22..2023-05-29 [in two weeks]",
            ),
            (
                "I moved 6 months ago",
                "month 2022-11-01..2022-12-01 [6 months ago]",
            ),
            (
                "He died ten years ago",
                "year 2013-01-01..2014-01-01 [ten years ago]",
            ),
            (
                "A couple of years ago I quit",
                "~year 2021-01-01..2022-01-01 [A couple of years ago]",
            ),
            (
                "I moved about 3 years ago",
                "~year 2020-01-01..2021-01-01 [3 years ago]",
            ),
            (
                "I've coded for about 5 years now",
                "~year 2018-01-01..2019-01-01 [for about 5 years now]",
            ),
        ],
        Some(ANCHOR),
    );
}
