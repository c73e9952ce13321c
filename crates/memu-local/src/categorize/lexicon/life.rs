//! What somebody aims at, what they went through, and what they know.

use super::Worth;

/// Aims, wishes and plans.
pub(super) const GOALS: &[Worth] = &[
    (
        6,
        "=objectives, plan to, plans to, is planning to, planning to, planning on, plans on, \
         wants to, want to, wanted to become, hopes to, hope to, hoping to, aims to, aim to, \
         aims for, intends to, intend to, dreams of, dream of, dreaming of, dream job, goal, \
         ambition, aspiration, aspires to, aspire, aspiring, =objective, would like to, would \
         love to, is determined to, determined to, is working towards, working towards, \
         working toward, strives to, striving, bucket list, new year resolution, resolution, \
         is saving for, saving up, is saving up, is training for, preparing for, sets out to, \
         looking forward to, wishes to, wish to, has always wanted to, always wanted to, is \
         trying to lose, is considering, one day, by the end of the year, is committed to",
    ),
    (
        4,
        "is going to, are going to, going to, will be, =hopes, =hoping, dream, wish, \
         milestone, =target, is trying to, trying to, tries to, tried to, is looking to, \
         looking for, is thinking about, is thinking of, thinking about, thinking of, plans \
         for, planning, plans, is preparing, would be happy to, is eager to, is excited to, \
         cant wait to, can not wait to, cannot wait to, decided to, promised to, wants",
    ),
    (
        2,
        "improve, achieve, achievement, accomplish, next year, next month, next summer, in \
         the future, someday, =future, challenge, progress, motivation, motivated, pursue, \
         success, =will, save money, would love",
    ),
    (
        1,
        "soon, next week, tomorrow, next, =hope, want, plan, learn, ready to",
    ),
    (
        0,
        "query plan, scored a goal, goals scored, went according to plan, target element, \
         event target, target value, tomorrow never, learned that, at will, target of, goal \
         keeper, build target, dream last night",
    ),
];

/// What happened to somebody. What is only planned has not happened.
pub(super) const EXPERIENCES: &[Worth] = &[
    (
        6,
        "=experiences, =experience, =experienced, went through, the first time, for the first \
         time, last year, last summer, last winter, last spring, last month, last week, last \
         weekend, last night, yesterday, years ago, weeks ago, months ago, days ago, a year \
         ago, a month ago, when was a child, as a child, childhood, back in, used to live, \
         once lived, memories of, accident, =survived, =witnessed, got stuck, ended up, grew \
         up, =took part in, =participated in",
    ),
    (
        4,
        "went to, went on, went for, =visited, =traveled to, =travelled to, =traveled, \
         =travelled, =attended, =returned from, came back from, =moved to, =graduated, \
         =celebrated, =won, =lost, adventure, vacation, holiday in, honeymoon, trip to, road \
         trip, memorable, remembers, memory of, was hit, was robbed, was injured, got sick, \
         got lost, broke his, broke her, broke their, hospital, passed away, =died, funeral, \
         earthquake, flood, =happened, =met, =saw, took a trip, spent, got back from, had a \
         blast",
    ),
    (
        2,
        "=tried, =took, =made, =bought, =found, =started, =finished, =joined, =received, \
         =gave, =went, =came, event, ceremony, =festival, concert, anniversary, recently, \
         =led, =performed, =hosted, =organized, =organised, =completed, earlier, =told, \
         =helped, =watched, =played, =ran, =wrote, =sold, =built, =painted",
    ),
    (1, "=was, =were, =had, =got, =did, =felt, =learned, =became"),
    (
        -3,
        "plan to, plans to, planning to, wants to, want to, hopes to, hope to, hoping to, \
         aims to, intends to, would like to, would love to, is going to, are going to, going \
         to, =will, will be, looking forward to, cant wait to, next year, next month, next \
         week, next summer, tomorrow, is excited to, is trying to, trying to, dreams of",
    ),
    (
        0,
        "user experience, click event, event listener, event handler, event loop, keydown \
         event, mutually exclusive events, independent events, exclusive events, event a, \
         event b, probability of an event, dependent events",
    ),
];

/// Facts about the world, and what somebody learned or knows how to do.
pub(super) const KNOWLEDGE: &[Worth] = &[
    (
        6,
        "learned that, learnt that, learned about, learnt about, learned how to, learnt how \
         to, knows how to, knows about, knows that, found out that, discovered that, is \
         knowledgeable, knowledge, fact, theory, theorem, =definition, is defined as, refers \
         to, expertise, expert in, expert on, understands how, studied, studies, is studying, \
         it turns out, realized that, realised that, explained that, is fluent in, fluent in, \
         according to",
    ),
    (
        4,
        "=discovered, =invented, consists of, is known for, is known as, is located in, is \
         the capital, capital of, science, =physics, chemistry, biology, =mathematics, \
         history of, geology, philosophy, linguistics, economics, research, =university, \
         course, tutorial, lecture, textbook, formula, algorithm, equation, is used to, is \
         used for, means that, stands for, is caused by, =originated, was founded, is equal \
         to, speaks, programming language, certified",
    ),
    (
        2,
        "learn, learned, teach, taught, concept, method, technique, degree, exam, school, \
         college, language, =documentation, software, code, data, technology, history, \
         =probability, database, library, =function, python, javascript, rust",
    ),
    (
        1,
        "understand, know, explain, skill, information, idea, discover, example, read about, \
         how to, study, tip",
    ),
    (
        0,
        "in fact, got to know, get to know, as far as known, you know, didnt know",
    ),
];
