//! Who somebody is, and who is close to them.

use super::Worth;

/// Facts that identify or describe a person.
pub(super) const PERSONAL_INFO: &[Worth] = &[
    (
        6,
        "name is, is named, full name, first name, last name, surname, nickname, maiden name, \
         is called, goes by, years old, was born, were born, born in, born on, birthday is, \
         date of birth, birthplace, lives in, lives at, lives near, living in, is living in, \
         resides in, grew up, grown up in, raised in, hometown, home town, home address, \
         phone number, email address, native of, native language, mother tongue, native \
         speaker, blood type, pronouns, =nationality, citizen, citizenship, passport, zodiac, \
         star sign, allergic to, allergy, is from, comes from, originally from, moved here \
         from, moved from, immigrated, emigrated, social security",
    ),
    (
        3,
        "is single, is divorced, is widowed, is married, got married, =age, =aged, birthday, \
         =address, gender, transgender, non binary, nonbinary, =identity, gay, lesbian, \
         bisexual, queer, religious, religion, christian, muslim, jewish, buddhist, hindu, \
         atheist, catholic, vegetarian, vegan, ethnicity, heritage, ancestry, immigrant, \
         veteran, diagnosed with, diagnosed, diabetes, asthma, =disability, dyslexia, adhd, \
         autistic, chronic, moved to, relocated to, moving to, fluent in, speaks fluent, \
         bilingual, left handed, right handed, feet tall, cm tall, weighs, introvert, \
         extrovert, introverted, extroverted, stay at home, single mom, single dad, single \
         parent, owns a, lactose intolerant, gluten intolerant, pregnant, timezone, time \
         zone, zip code, postcode, hair color, is a student, is retired, email, degree in, \
         graduated from, majored in, alma mater",
    ),
    (
        2,
        "pet, dog, cat, puppy, kitten, kitty, =pup, lives with, lives alone, =lives, speaks, \
         is originally, background, =personality, is shy, is outgoing, graduated, eyesight, \
         wears glasses, =apartment, tattoo, =illness, surgery, =medication",
    ),
    (
        1,
        "is a, is an, has a, himself, herself, nurse, engineer, teacher, doctor, lawyer, \
         designer, artist, musician, student, retired, health, neighborhood, neighbourhood",
    ),
];

/// People, and what ties them to each other.
pub(super) const RELATIONSHIPS: &[Worth] = &[
    (
        6,
        "wife, husband, spouse, fiance, fiancee, fiancé, fiancée, girlfriend, boyfriend, best \
         friend, best friends, close friend, mother in law, father in law, sister in law, \
         brother in law, in laws, stepmother, stepfather, stepson, stepdaughter, got engaged, \
         is engaged to, got married, is married to, broke up, break up, breakup, wedding \
         anniversary, fell in love, in love with, is dating, =dating, relationship with, \
         family reunion, sibling, grandmother, grandfather, grandparent, grandma, grandpa, \
         granddaughter, grandson, grandchildren, grandkids",
    ),
    (
        4,
        "mother, father, mom, dad, mum, parent, daughter, son, sister, brother, cousin, aunt, \
         uncle, niece, nephew, friendship, roommate, flatmate, housemate, neighbor, \
         neighbour, wedding, marriage, divorce, divorced, =engaged, =engagement, godmother, \
         godfather, =twins, ex wife, ex husband, ex girlfriend, ex boyfriend, married, get \
         along with, gets along with, parents, toddler, newborn",
    ),
    (
        3,
        "=friends, =relatives, =partners, =friend, buddy, pal, =partner, family, kid, \
         children, child, baby, =relative, mentor, relationship, romantic, date night, \
         anniversary, adopt, adoption, teammate, =crush, soulmate, loved ones, old friend, \
         new friends, met through, argued with, quarrelled, made up with, miss each other, \
         hang out with, hung out with, keeps in touch, stay in touch, catch up with, support \
         system",
    ),
    (
        1,
        "together, supportive, reunion, coworker, colleague, classmate, boss, others, each \
         other, bond, =trust, community, companionship, neighbours, met with",
    ),
    // Words of programs and of figures of speech, not of families.
    (
        0,
        "parent element, parent container, parent component, child element, child component, \
         child process, parent process, foreign key relationship, son of a, engaged in, \
         engaged with, sister company, parent company, font family, user engagement, family \
         of functions",
    ),
];
