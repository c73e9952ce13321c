//! What somebody likes, and what they think.

use super::Worth;

/// Likes, dislikes and choices.
pub(super) const PREFERENCES: &[Worth] = &[
    (
        6,
        "=adores, =adored, is a big fan of, is a huge fan of, is a fan of, prefer, \
         preference, favorite, favourite, fave, dislike, hate, loathe, detest, despise, \
         =adore, is fond of, fond of, big fan of, huge fan of, a fan of, fan of, not a fan, \
         can not stand, cannot stand, cant stand, would rather, likes to, =likes, =loves, \
         =loved to, loves to, is into, really into, sweet tooth, allergic to the idea, is \
         crazy about, crazy about, obsessed with, is drawn to, soft spot for, pet peeve, \
         guilty pleasure, go to drink, go to order, doesnt like, dont like, does not like, do \
         not like, didnt like, did not like, never liked, no longer likes, doesnt enjoy, does \
         not enjoy, does not care for, doesnt care for, top pick",
    ),
    (
        4,
        "absolutely love, really love, totally love, i love, they love, still love, also \
         love, users love, enjoy, =enjoys, enjoys, =liked, =likes, =loved, is partial to, is \
         keen on, keen on, passionate about, is picky, picky, is tired of, appreciates, \
         avoids, finds joy in, appeals to, hates to",
    ),
    (
        2,
        "taste in, craves, craving, comfort food, comfort foods, the best part, =like, is \
         drawn, relaxing, vegetarian, vegan, interested in, looks forward to, always orders",
    ),
    (
        1,
        "=love, =loving, appreciate, tasty, delicious, style, aesthetic, choose, chooses, \
         cozy, cosy, annoys, annoying, fun",
    ),
    // "Like" as in a comparison, and love that is a wish or a feeling for people.
    (
        0,
        "love story, feel like, feels like, felt like, look like, looks like, looked like, \
         sound like, sounds like, seem like, seems like, seemed like, something like, things \
         like, stuff like, such like, like this, like that, like a, like an, like it was, \
         like when, =like how, acts like, act like, is like, was like, are like, were like, \
         be like, been like, just like, tastes like, smells like, more like, much like, \
         people like, issues like, features like, tools like, in love with, fell in love, \
         love and, loved ones, lots of love, with love, enjoyed by",
    ),
];

/// Judgements and beliefs.
pub(super) const OPINIONS: &[Worth] = &[
    (
        6,
        "thinks that, thinks the, thinks it, believes that, believes in, believes, in \
         opinion, opinion, viewpoint, point of view, perspective, stance, is convinced that, \
         is convinced, argues that, is of the view, disagrees with, disagrees, agrees that, \
         agrees with, is skeptical, is sceptical, skeptical of, sceptical of, =considers, is \
         against, in favor of, in favour of, overrated, underrated, holds that, feels \
         strongly, feels that, suspects that, doubts that, =thinks, supports the idea, \
         opposes",
    ),
    (
        4,
        "thought that, thought the, finds it, found it, finds that, believed that, believe, \
         views on, regards, =criticizes, =criticises, =criticised, =criticized, philosophy, \
         conviction, is unfair, is unacceptable, =recommends, is worth it, was worth it, not \
         worth, is better than, was better than, is worse than",
    ),
    (
        2,
        "think, =found, ought to, is important to, so important, matters to, matter more, \
         makes sense, admires, admire, values, is impressed, impressed by, was impressed, \
         disappointed, disappointing, appreciates how, should be, should not, is key, is \
         crucial, inspiring, political, politics, controversial",
    ),
    (
        1,
        "amazing, awful, terrible, great, awesome, brilliant, boring, seems, agree, argue, \
         important, powerful, meaningful, best, worst, wrong, beautiful, impressive",
    ),
    (
        0,
        "thinking about, thinking of, found out, found out that, found a, found an, found \
         some, found the, found in, return value, default value, best friend, is not found, \
         not found, best friends, great grandmother, great aunt, great uncle, key value, null \
         value, best practice, values are, wrong number, does not think",
    ),
];
