use super::{by, joined, nora, summaries, user};

fn check(cases: &[(&str, &str)], draw: impl Fn(&str) -> String) {
    let wrong: Vec<_> = cases
        .iter()
        .map(|(text, expected)| (*text, *expected, draw(text)))
        .filter(|(_, expected, found)| expected != found)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_first_person_becomes_the_speaker() {
    check(
        &[
            (
                "I went to a chess club yesterday and it was lively.",
                "Nora went to a chess club on 9 May 2023 and it was lively.",
            ),
            (
                "I love hiking in the Alps.",
                "Nora loves hiking in the Alps.",
            ),
            (
                "I'm a nurse at Mercy Hospital.",
                "Nora is a nurse at Mercy Hospital.",
            ),
            (
                "I've lived in Porto since 2019.",
                "Nora has lived in Porto since 2019.",
            ),
            (
                "I don't eat meat or fish.",
                "Nora doesn't eat meat or fish.",
            ),
            ("I haven't visited Norway.", "Nora hasn't visited Norway."),
            ("I was born in Lima.", "Nora was born in Lima."),
            (
                "I'll start a pottery course next month.",
                "Nora will start a pottery course in June 2023.",
            ),
            (
                "I'd love to visit Iceland with my sister.",
                "Nora would love to visit Iceland with their sister.",
            ),
            (
                "I'd already packed the suitcases.",
                "Nora had already packed the suitcases.",
            ),
            (
                "I really enjoy watching old westerns.",
                "Nora really enjoys watching old westerns.",
            ),
            (
                "I usually study Italian in the evening.",
                "Nora usually studies Italian in the evening.",
            ),
            (
                "I also teach yoga to beginners.",
                "Nora also teaches yoga to beginners.",
            ),
            ("I can play the violin.", "Nora can play the violin."),
            (
                "I need to renew my passport.",
                "Nora needs to renew their passport.",
            ),
            (
                "I have two cats and a parrot.",
                "Nora has two cats and a parrot.",
            ),
            (
                "I do the cooking at home.",
                "Nora does the cooking at home.",
            ),
        ],
        |text| joined(nora(text)),
    );
}

#[test]
fn verbs_keep_their_sense_after_another_subject() {
    check(
        &[
            (
                "I fix bikes and sell them at the market.",
                "Nora fixes bikes and sells them at the market.",
            ),
            (
                "I want to paint and sell portraits.",
                "Nora wants to paint and sell portraits.",
            ),
            (
                "I put the tent in the garage.",
                "Nora put the tent in the garage.",
            ),
            (
                "I think I need a bigger kitchen.",
                "Nora thinks they need a bigger kitchen.",
            ),
            ("I am not fond of opera.", "Nora is not fond of opera."),
            (
                "I ain't scared of heights.",
                "Nora isn't scared of heights.",
            ),
            (
                "When I cook I listen to jazz.",
                "When Nora cooks they listen to jazz.",
            ),
            (
                "I taught myself Portuguese.",
                "Nora taught themselves Portuguese.",
            ),
            (
                "I kind of miss the old library.",
                "Nora kind of misses the old library.",
            ),
            ("I gotta repair the roof.", "Nora has to repair the roof."),
            (
                "I'm gonna adopt a greyhound.",
                "Nora is going to adopt a greyhound.",
            ),
        ],
        |text| joined(nora(text)),
    );
}

#[test]
fn possessives_and_objects_follow() {
    check(
        &[
            (
                "My brother works for a bakery.",
                "Nora's brother works for a bakery.",
            ),
            (
                "The children gave me a blue scarf.",
                "The children gave Nora a blue scarf.",
            ),
            (
                "My favorite sport is judo.",
                "Nora's favorite sport is judo.",
            ),
            (
                "I forgot my umbrella on the train.",
                "Nora forgot their umbrella on the train.",
            ),
            (
                "My sister and I opened a bakery.",
                "Nora and their sister opened a bakery.",
            ),
            (
                "Tom and I are building a boat.",
                "Tom and Nora are building a boat.",
            ),
            (
                "My aunt and I were in Malta last week.",
                "Nora and their aunt were in Malta in the week of 1 May 2023.",
            ),
            (
                "The bike in the yard is mine since March.",
                "The bike in the yard is Nora's since March 2023.",
            ),
            (
                "We painted the fence last weekend.",
                "Nora and others painted the fence on the weekend of 6 May 2023.",
            ),
            (
                "I met my cousins and we played cards.",
                "Nora met their cousins and they played cards.",
            ),
            (
                "Our landlord sold the house.",
                "Nora's landlord sold the house.",
            ),
            (
                "I take some me-time on Sundays to sew.",
                "Nora takes some me-time on Sundays to sew.",
            ),
        ],
        |text| joined(nora(text)),
    );
}

#[test]
fn a_missing_subject_is_supplied() {
    check(
        &[
            (
                "Went to the dentist this morning.",
                "Nora went to the dentist on the morning of 10 May 2023.",
            ),
            (
                "Just got back from a sailing trip.",
                "Nora just got back from a sailing trip.",
            ),
            (
                "Been busy renovating the kitchen.",
                "Nora has been busy renovating the kitchen.",
            ),
            (
                "Gonna start a beekeeping course.",
                "Nora is going to start a beekeeping course.",
            ),
            (
                "Working on a mosaic for the hallway.",
                "Nora is working on a mosaic for the hallway.",
            ),
            (
                "Excited to start the pilot training.",
                "Nora is excited to start the pilot training.",
            ),
            (
                "Don't know which laptop to buy.",
                "Nora doesn't know which laptop to buy.",
            ),
            (
                "Really want to get a parrot.",
                "Nora really wants to get a parrot.",
            ),
            (
                "Haven't finished the novel yet.",
                "Nora hasn't finished the novel yet.",
            ),
        ],
        |text| joined(nora(text)),
    );
}

#[test]
fn openings_vocatives_and_endings_go() {
    check(
        &[
            ("Yeah, I bought a kayak.", "Nora bought a kayak."),
            ("Oh wow, Ben! I bought a kayak!", "Nora bought a kayak."),
            (
                "Thanks, Ben! I sold the piano today.",
                "Nora sold the piano on 10 May 2023.",
            ),
            (
                "And I finally fixed the heater 🎉",
                "Nora finally fixed the heater.",
            ),
            (
                "Well, my son plays the trumpet, Ben.",
                "Nora's son plays the trumpet.",
            ),
            ("So I moved to Ghent lol", "Nora moved to Ghent."),
            (
                "Great news 🎈 I passed the bar exam!",
                "Nora passed the bar exam.",
            ),
        ],
        |text| joined(nora(text)),
    );
}

#[test]
fn the_other_speaker_is_named_where_that_is_clear() {
    check(
        &[
            (
                "I sent you the photos of the barn.",
                "Nora sent Ben the photos of the barn.",
            ),
            (
                "I borrowed your drill for the shelf.",
                "Nora borrowed Ben's drill for the shelf.",
            ),
            (
                "I feel calm when you know how the engine works.",
                "Nora feels calm when you know how the engine works.",
            ),
            (
                "My roof leaks and you said it would hold.",
                "Nora said: \"My roof leaks and you said it would hold.\"",
            ),
        ],
        |text| joined(nora(text)),
    );
    // Among three, "you" is nobody in particular.
    let three = vec![
        by("Ben", "Hey."),
        by("Ada", "Hey."),
        by("Nora", "I sent you the plans of the barn."),
    ];
    assert_eq!(
        summaries(three),
        ["Nora said: \"I sent you the plans of the barn.\""]
    );
}

#[test]
fn a_user_and_an_assistant_are_named_by_role() {
    check(
        &[
            (
                "I work as a plumber in Leeds.",
                "The user works as a plumber in Leeds.",
            ),
            (
                "I told you about my knee surgery.",
                "The user told the assistant about their knee surgery.",
            ),
            (
                "I'm allergic to peanuts, can you suggest a cake?",
                "The user is allergic to peanuts.",
            ),
            (
                "I run a flower shop and I need a logo, what colors fit?",
                "The user runs a flower shop and they need a logo.",
            ),
            (
                "Always answer in bullet points.",
                "The user asked the assistant to always answer in bullet points.",
            ),
            (
                "Never use tables when I ask about recipes.",
                "The user asked the assistant to never use tables when they ask about recipes.",
            ),
            (
                "From now on, write dates in ISO format.",
                "The user asked the assistant to write dates in ISO format.",
            ),
            (
                "The garage got a new diesel lift.",
                "The user said that the garage got a new diesel lift.",
            ),
        ],
        |text| joined(user(text)),
    );
}

#[test]
fn times_are_written_out_and_roughly_said_times_stay_rough() {
    check(
        &[
            (
                "I left the band a few years ago.",
                "Nora left the band a few years before 2023.",
            ),
            (
                "I've played chess for about 5 years now.",
                "Nora has played chess for about 5 years (since about 2018).",
            ),
            (
                "Yesterday was hard for my mother.",
                "9 May 2023 was hard for Nora's mother.",
            ),
            (
                "Last summer I sailed to Corsica.",
                "In the summer of 2022, Nora sailed to Corsica.",
            ),
            (
                "I've been jogging since last year.",
                "Nora has been jogging since 2022.",
            ),
            (
                "I fly to Oslo in two weeks.",
                "Nora flies to Oslo in the week of 22 May 2023.",
            ),
            (
                "I have a recital tomorrow at 3 pm.",
                "Nora has a recital on 11 May 2023 at 3 pm.",
            ),
            (
                "I signed the lease on May 2, 2021.",
                "Nora signed the lease on May 2, 2021.",
            ),
            (
                "It feels like just yesterday I held my baby daughter.",
                "Nora said: \"It feels like just yesterday I held my baby daughter.\"",
            ),
        ],
        |text| joined(nora(text)),
    );
}

#[test]
fn sentences_that_point_back_are_joined() {
    check(
        &[
            (
                "I ran a marathon last Sunday. It was exhausting but rewarding.",
                "Nora ran a marathon on 7 May 2023. It was exhausting but rewarding.",
            ),
            (
                "My daughter plays hockey. She trains with a club in Delft.",
                "Nora's daughter plays hockey. She trains with a club in Delft.",
            ),
            (
                "We visited my grandparents in Graz. They showed us the vineyards.",
                "Nora and others visited their grandparents in Graz. They showed them the vineyards.",
            ),
        ],
        |text| joined(nora(text)),
    );
}

#[test]
fn what_cannot_be_told_is_quoted() {
    check(
        &[
            (
                "My boss said \"I need you here\" and left for Rome.",
                "Nora said: \"My boss said 'I need you here' and left for Rome.\"",
            ),
            (
                "I watched \"The Silent Coast\" with my dad.",
                "Nora watched \"The Silent Coast\" with their dad.",
            ),
            (
                "Ayer fui al mercado con mi hermana y compramos pan.",
                "Nora said: \"Ayer fui al mercado con mi hermana y compramos pan.\"",
            ),
            (
                "昨天我和妹妹去了海边的小镇。",
                "Nora said: \"昨天我和妹妹去了海边的小镇.\"",
            ),
            (
                "I keep the set {x} of keys in the shed.",
                "Nora keeps the set {x} of keys in the shed.",
            ),
        ],
        |text| joined(nora(text)),
    );
}
